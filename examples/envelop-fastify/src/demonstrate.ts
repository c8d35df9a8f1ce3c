import { setTimeout as delay } from 'node:timers/promises'
import { send, subscribe, type SubscribeOptions, type Subscriber } from './clients.ts'
import type { MeasuringJob } from './measuring-job.ts'
import { PEOPLE, type Person, tokenOf } from './people.ts'
import type { SensorsServer } from './server.ts'

const { ada, ben, gil } = PEOPLE
const readings = { name: 'readings', query: 'subscription { reading { device { name } celsius } }' }
const freezer = { name: 'freezer', query: 'subscription { reading(device: "freezer") { device { name } celsius } }' }
const alarms = { name: 'alarms', query: 'subscription { alarm { device { name } message } }' }

/** When each device has measured once, Ada alarms Ben, and Gil himself. */
const mutations: readonly (readonly [Person, string])[] = [
  [ada, 'mutation { raiseAlarm(device: "freezer", user: "ben", message: "it thaws") { message } }'],
  [gil, 'mutation { raiseAlarm(device: "boiler", user: "gil", message: "it whistles") { message } }'],
]

interface Client {
  readonly person: Person
  readonly transport: SubscribeOptions['transport']
  readonly operation: { readonly name: string; readonly query: string }
  /** What it is to receive: the readings of its tenant, and the alarms for its user. */
  readonly theirs: readonly string[]
}

const clients: readonly Client[] = [
  { person: ada, transport: 'WebSocket', operation: readings, theirs: ['Acme boiler 61 °C', 'Acme freezer -18 °C'] },
  { person: ben, transport: 'SSE', operation: readings, theirs: ['Acme boiler 61 °C', 'Acme freezer -18 °C'] },
  { person: ben, transport: 'WebSocket', operation: freezer, theirs: ['Acme freezer -18 °C'] },
  { person: gil, transport: 'SSE', operation: readings, theirs: ['Globex boiler 58 °C'] },
  { person: ada, transport: 'SSE', operation: alarms, theirs: [] },
  { person: ben, transport: 'WebSocket', operation: alarms, theirs: ['Acme freezer: it thaws'] },
  { person: gil, transport: 'SSE', operation: alarms, theirs: ['Globex boiler: it whistles'] },
]

/** Per event, once for each group of identical subscriptions: the readings of Ada and Ben are the same bytes. */
const expectedCounts = '5 events, 6 executions, 8 deliveries'

/** What the demonstration claims did not happen. */
export class DemonstrationError extends Error {
  override name = 'DemonstrationError'
}

interface Received {
  readonly reading?: { readonly device: { readonly name: string }; readonly celsius: number }
  readonly alarm?: { readonly device: { readonly name: string }; readonly message: string }
}

/**
 * Connects the clients, lets the devices measure, raises the alarms, and prints what each client received. Rejects with a
 * {@link DemonstrationError} unless it is exactly what is theirs.
 */
export async function demonstrate(
  { url, executor }: SensorsServer,
  job: MeasuringJob,
  print: (line: string) => void,
): Promise<void> {
  const connected = clients.map((client) => {
    const { person, transport, operation } = client
    const subscriber = subscribe<Received>({ url, transport, token: tokenOf(person), query: operation.query })
    return { ...client, subscriber }
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
    await job.measure()
    for (const [person, mutation] of mutations) {
      const { errors } = await send(url, tokenOf(person), mutation)
      if (errors) throw new DemonstrationError(`${person.userId} was refused: ${describe(errors)}`)
    }
    await until(
      () => connected.every(({ theirs, subscriber }) => subscriber.received.length >= theirs.length),
      () => complaints().join('; '),
    )
    if (complaints().length > 0) throw new DemonstrationError(complaints().join('; '))

    for (const { person, transport, operation, subscriber } of connected) {
      const { tenantId, userId } = person
      const got = subscriber.received.map(inWords).join(', ') || 'nothing'
      print(`${tenantId.padEnd(8)}${userId.padEnd(5)}${operation.name.padEnd(10)}${transport.padEnd(11)}← ${got}`)
    }
    const { events, executions } = executor.metrics()
    const counts = `${events.published} events, ${executions} executions, ${events.delivered} deliveries`
    if (counts !== expectedCounts) throw new DemonstrationError(`expected ${expectedCounts}, but counted ${counts}`)
    print(`each received what is theirs and nothing else; ${counts}`)
  } finally {
    for (const { subscriber } of connected) subscriber.close()
  }
}

function inWords({ data, errors }: Subscriber<Received>['received'][number]): string {
  if (data?.reading) return `${data.reading.device.name} ${data.reading.celsius} °C`
  if (data?.alarm) return `${data.alarm.device.name}: ${data.alarm.message}`
  return describe(errors)
}

function describe(value: unknown): string {
  return value instanceof Error ? value.message : (JSON.stringify(value) ?? 'by the server')
}
