import { setTimeout as delay } from 'node:timers/promises'
import { type Listener, listenTo, say, type Transport } from './clients.ts'
import { PEOPLE, type Person, tokenOf } from './people.ts'
import type { InstanceProcess, RedisProcess } from './processes.ts'

const { ada, abe, gil } = PEOPLE

/** What the demonstration claims did not happen. */
export class DemonstrationError extends Error {
  override name = 'DemonstrationError'
}

interface Seat {
  readonly person: Person
  readonly transport: Transport
  readonly at: InstanceProcess
  readonly listener: Listener
}

/**
 * Has people of two companies listen at both instances, and talk, while Redis is restarted in the middle; prints what each
 * received. Rejects with a {@link DemonstrationError} unless everybody got everything that their company said, once and in
 * order, and nothing else.
 */
export async function demonstrate(
  redis: RedisProcess,
  [first, second]: readonly [InstanceProcess, InstanceProcess],
  print: (line: string) => void,
  patienceMs = 15_000,
): Promise<void> {
  const seats: readonly Seat[] = (
    [
      [ada, 'WebSocket', first],
      [abe, 'SSE', second],
      [gil, 'WebSocket', second],
      [gil, 'SSE', first],
    ] as const
  ).map(([person, transport, at]) => ({
    person,
    transport,
    at,
    listener: listenTo(at.url, transport, tokenOf(person)),
  }))
  const said = new Map<string, string[]>([
    ['acme', []],
    ['globex', []],
  ])

  /** What came, without the greetings that only find out whether somebody listens. */
  const heardBy = ({ listener }: Seat): string[] =>
    listener.received.flatMap(({ data, errors, extensions }) => {
      if (extensions?.sluice?.gap !== undefined) return [`a gap: ${extensions.sluice.gap.reason}`]
      if (data == null) return [JSON.stringify(errors)]
      const { text, by, instance } = data.said
      return text === greeting ? [] : [`${by}@${instance}: ${text}`]
    })

  async function sayAt(at: InstanceProcess, person: Person, text: string): Promise<void> {
    const { errors } = await say(at.url, tokenOf(person), text)
    if (errors !== undefined) throw new DemonstrationError(`${person.userId} was refused: ${JSON.stringify(errors)}`)
    if (text !== greeting) said.get(person.tenantId)?.push(`${person.userId}@${at.name}: ${text}`)
  }

  async function until(isReached: () => boolean | Promise<boolean>, what: string): Promise<void> {
    for (const deadline = Date.now() + patienceMs; !(await isReached()); await delay(20)) {
      const ended = seats.find(({ listener }) => listener.end !== undefined)
      if (ended !== undefined) {
        throw new DemonstrationError(`${ended.person.userId}'s subscription ended: ${String(ended.listener.end)}`)
      }
      if (Date.now() > deadline) throw new DemonstrationError(`waited ${patienceMs} ms in vain until ${what}`)
    }
  }

  try {
    // Nothing tells over a socket that a subscription has begun but its first event.
    await until(async () => {
      for (const person of [ada, gil]) await sayAt(first, person, greeting)
      return seats.every(({ listener }) => listener.received.length > 0)
    }, 'everybody listens')

    await sayAt(first, ada, 'hello from here')
    await sayAt(second, abe, 'hello from there')
    await sayAt(second, gil, 'nobody else hears this')

    print('Redis is killed …')
    await redis.kill()
    const waiting = sayAt(first, abe, 'said while Redis is down')
    await delay(300)
    await redis.start()
    await waiting
    print('… and is back: what was said meanwhile was accepted now, and no subscription ended')
    await sayAt(second, ada, 'and after it')
    await sayAt(first, gil, 'still only us')

    const isComplete = (seat: Seat): boolean => heardBy(seat).length >= (said.get(seat.person.tenantId)?.length ?? 0)
    await until(() => seats.every(isComplete), 'everybody heard everything')
    for (const seat of seats) {
      const [expected, got] = [said.get(seat.person.tenantId) ?? [], heardBy(seat)].map((lines) => lines.join(' · '))
      if (got !== expected) {
        throw new DemonstrationError(`${seat.person.userId} should have heard ${expected}, but heard ${got}`)
      }
      const { tenantId, userId } = seat.person
      print(`${tenantId.padEnd(7)} ${userId} at ${seat.at.name} over ${seat.transport.padEnd(9)} ← ${got}`)
    }
    print('each heard everything that their company said at either instance, once, in order, and nothing else')
  } finally {
    for (const { listener } of seats) listener.close()
  }
}

const greeting = 'is anybody there?'
