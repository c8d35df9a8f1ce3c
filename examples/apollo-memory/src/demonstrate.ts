import { setTimeout as delay } from 'node:timers/promises'
import { send, subscribe, type Subscriber } from './clients.ts'
import { PEOPLE, type Person, tokenOf } from './people.ts'
import type { DeskServer } from './server.ts'
import type { Ticket } from './tickets.ts'

const { ada, abe, cleo, gil, gwen } = PEOPLE
const fields = '{ id status note }'
const all = `subscription { ticketChanged ${fields} }`
const urgent = `subscription { ticketChanged(minPriority: 3) ${fields} }`

/** What happens, one after the other. */
const mutations: readonly (readonly [Person, string])[] = [
  [cleo, 'mutation { openTicket(subject: "I was charged twice") { id } }'],
  [ada, 'mutation { answerTicket(id: 101, note: "refund up to 40 EUR") { id } }'],
  [gwen, 'mutation { openTicket(subject: "The brakes are soft") { id } }'],
  [gil, 'mutation { answerTicket(id: 201, priority: 3, note: "batch 7, recall it") { id } }'],
]

/** Who is connected, and what is theirs: nothing of the other company, and no note for a customer. */
const clients: readonly (readonly [person: Person, query: string, theirs: readonly string[]])[] = [
  [ada, all, ['#101 OPEN', '#101 ANSWERED "refund up to 40 EUR"']],
  [abe, all, ['#101 OPEN', '#101 ANSWERED "refund up to 40 EUR"']],
  [cleo, all, ['#101 OPEN', '#101 ANSWERED']],
  [gil, urgent, ['#201 ANSWERED "batch 7, recall it"']],
  [gwen, all, ['#201 OPEN', '#201 ANSWERED']],
]

/** Per event, once for each group of identical subscriptions: what ada and abe receive are the same bytes. */
const expectedCounts = '4 events, 7 executions, 9 deliveries'

/** What the demonstration claims did not happen. */
export class DemonstrationError extends Error {
  override name = 'DemonstrationError'
}

type Changed = Subscriber<{ readonly ticketChanged: Pick<Ticket, 'id' | 'status' | 'note'> }>

/**
 * Connects the clients, staff over WebSocket and customers over SSE, sends the mutations, and prints what each client received.
 * Rejects with a {@link DemonstrationError} unless it is exactly what is theirs.
 */
export async function demonstrate({ url, executor }: DeskServer, print: (line: string) => void): Promise<void> {
  const connected = clients.map(([person, query, theirs]) => {
    const transport = person.role === 'staff' ? 'WebSocket' : 'SSE'
    const subscriber: Changed = subscribe({ url, transport, token: tokenOf(person), query })
    return { person, transport, query, theirs, subscriber }
  })
  const ended: string[] = []
  for (const { person, subscriber } of connected) {
    void subscriber.end.then((why) => ended.push(`${person.userId}'s subscription ended: ${describe(why)}`))
  }
  const until = async (isReached: () => boolean, missing: () => string) => {
    for (const deadline = Date.now() + 10_000; !isReached(); await delay(5)) {
      if (ended.length > 0) throw new DemonstrationError(ended.join('; '))
      if (Date.now() > deadline) throw new DemonstrationError(`waited 10 s in vain: ${missing()}`)
    }
  }
  const complaints = () =>
    connected.flatMap(({ person, theirs, subscriber }) => {
      const [expected, got] = [theirs, subscriber.received.map(inWords)].map((list) => list.join(', ') || 'nothing')
      return got === expected ? [] : [`${person.userId} should have received ${expected}, but got ${got}`]
    })
  try {
    await until(
      () => executor.metrics().subscriptions.active === connected.length,
      () => 'not everybody is subscribed',
    )
    for (const [person, mutation] of mutations) {
      const { errors } = await send(url, tokenOf(person), mutation)
      if (errors) throw new DemonstrationError(`${person.userId} was refused: ${describe(errors)}`)
    }
    await until(
      () => connected.every(({ theirs, subscriber }) => subscriber.received.length >= theirs.length),
      () => complaints().join('; '),
    )
    if (complaints().length > 0) throw new DemonstrationError(complaints().join('; '))

    for (const { person, transport, query, subscriber } of connected) {
      const { tenantId, userId, role } = person
      const how = query === urgent ? `${transport}, urgent` : transport
      const got = subscriber.received.map(inWords).join(', ')
      print(`${tenantId.padEnd(8)}${userId.padEnd(6)}${role.padEnd(10)}${how.padEnd(19)}← ${got}`)
    }
    const { events, executions } = executor.metrics()
    const counts = `${events.published} events, ${executions} executions, ${events.delivered} deliveries`
    if (counts !== expectedCounts) throw new DemonstrationError(`expected ${expectedCounts}, but counted ${counts}`)
    print(`each received what is theirs and nothing else; ${counts}`)
  } finally {
    for (const { subscriber } of connected) subscriber.close()
  }
}

function inWords({ data, errors }: Changed['received'][number]): string {
  if (!data) return describe(errors)
  const { id, status, note } = data.ticketChanged
  return `#${id} ${status}${note === null ? '' : ` "${note}"`}`
}

function describe(value: unknown): string {
  return value instanceof Error ? value.message : (JSON.stringify(value) ?? 'by the server')
}
