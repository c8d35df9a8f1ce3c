import fc from 'fast-check'
import type { ExecutionResult } from 'graphql'
import { expect, test } from 'vitest'
import { nextTurn, readAll, schemaOf, serve, valuesOf } from '../../__tests__/service.ts'
import { fromChannel } from '../../channel/from-channel.ts'
import type { PushStream } from '../../delivery/response-stream.ts'
import type { Untyped } from '../../register.ts'

interface Numbered {
  readonly n: number
  /** Turns of the event loop; 0 is synchronous, 1 a promise that is fulfilled already. */
  readonly context: number
  readonly filter: number
  readonly resolve: number
}

function after<T>(turns: number, value: T): T | Promise<T> {
  if (turns === 0) return value
  const wait = async () => {
    for (let turn = 1; turn < turns; turn += 1) await nextTurn()
    return value
  }
  return wait()
}

const field = (share: 'tenant' | 'subscriber') =>
  fromChannel({
    channel: 'c',
    share,
    filter: ({ n, filter }: Numbered, { mod }: Untyped) => after(filter, n % mod === 0) as boolean,
    resolve: ({ n, resolve }: Numbered) => after(resolve, n),
  })

const schema = schemaOf('together(mod: Int = 1): Int alone(mod: Int = 1): Int', {
  together: field('tenant'),
  alone: field('subscriber'),
})

const eventContext = ({ event }: { event: { data?: unknown } }) => after((event.data as Numbered).context, {})
const turns = fc.constantFrom(0, 0, 1, 2, 3)
const event = fc.record({ context: turns, filter: turns, resolve: turns })

test('events come in the order in which they were published, however long each takes to execute', async () => {
  const run = fc.record({ events: fc.array(event, { maxLength: 30 }), concurrent: fc.constantFrom(1, 2, 64) })
  await fc.assert(
    fc.asyncProperty(run, async ({ events, concurrent }) => {
      const { subscribe, publish, received } = serve(schema, { eventContext, maxConcurrentExecutions: concurrent })
      const queries = [
        '{ it: together }',
        '{ it: together }',
        '{ it: together(mod: 2) }',
        '{ it: alone }',
        '{ it: alone(mod: 3) }',
      ]
      const streams = await Promise.all(queries.map((query) => subscribe(`subscription ${query}`)))
      events.forEach((delays, n) => void publish('c', { ...delays, n }))
      const lists = (await received(...streams)).map((results) => valuesOf(results, 'it'))
      const all = events.map((_, n) => n)
      const every = (mod: number) => all.filter((n) => n % mod === 0)
      expect(lists).toEqual([all, all, every(2), all, every(3)])
    }),
    { numRuns: 60 },
  )
})

type Step =
  | { readonly do: 'publish'; readonly event: Omit<Numbered, 'n'> }
  | { readonly do: 'join' | 'leave' | 'turn'; readonly which: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('publish' as const), event }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constantFrom('join' as const, 'leave' as const, 'turn' as const), which: fc.nat() }),
  },
)

interface Member {
  readonly stream: PushStream
  readonly from: number
  readonly values: unknown[]
  leftAfter: number | undefined
}

test('who joins or leaves while an event is executed neither loses nor repeats one', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.constantFrom('together', 'alone'), async (steps, name) => {
      const { subscribe, publish, executor } = serve(schema, { eventContext })
      const members: Member[] = []
      let published = 0
      const join = async () => {
        const stream = await subscribe(`subscription { it: ${name} }`)
        const values: unknown[] = []
        members.push({ stream, from: published, values, leftAfter: undefined })
        if (members.length % 2 === 0) return // every other one pulls
        stream.pushTo({
          next: ({ bytes }) => values.push((JSON.parse(bytes.toString()) as ExecutionResult).data?.['it']),
          complete: () => undefined,
          error: (error) => values.push(error),
        })
      }
      await join()
      for (const action of steps) {
        if (action.do === 'publish') {
          void publish('c', { ...action.event, n: published })
          published += 1
        } else if (action.do === 'join') await join()
        else if (action.do === 'turn') await nextTurn()
        else {
          const leaver = members[action.which % members.length] as Member
          leaver.leftAfter ??= leaver.values.length
          await leaver.stream.return(undefined)
        }
      }
      await executor.drain()
      for (const { stream, from, values, leftAfter } of members) {
        values.push(...valuesOf(await readAll(stream), 'it'))
        const expected = Array.from({ length: published - from }, (_, index) => from + index)
        expect(values).toEqual(leftAfter === undefined ? expected : expected.slice(0, leftAfter))
      }
    }),
    { numRuns: 100 },
  )
})
