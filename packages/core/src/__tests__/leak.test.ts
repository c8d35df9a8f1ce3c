import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parse } from 'graphql'
import { expect, test } from 'vitest'
import { fromChannel } from '../channel/from-channel.ts'
import type { ResponseStream } from '../delivery/response-stream.ts'
import { areTimersBackAt, nextTurn, schemaOf, serve, type Service, streamOf, timerCount } from './service.ts'

const sink = { next: () => undefined, complete: () => undefined, error: () => undefined }

const schema = schemaOf('together(id: Int): Json alone(id: Int): Json slow(id: Int): Json foreign(id: Int): Json', {
  together: fromChannel({ channel: ({ id }) => `c${id % 100}`, share: 'tenant', match: ({ id }) => ({ id }) }),
  alone: fromChannel({ channel: ({ id }) => [`c${id % 100}`, `d${id % 100}`], filter: () => true, types: ['changed'] }),
  slow: fromChannel({
    channel: ({ id }) => `c${id % 100}`,
    share: 'user',
    resolve: async (data) => {
      await nextTurn()
      return data
    },
  }),
  foreign: {
    async *subscribe() {
      for (let n = 0; ; n += 1) yield n
    },
    resolve: (n: number) => n,
  },
})
const documents = ['together', 'alone', 'slow', 'foreign'].map((field) =>
  parse(`subscription ($id: Int) { ${field}(id: $id) }`),
)

/** A hundred subscriptions of every kind come, get events while they come and go, and go. */
async function comeAndGo({ executor }: Service, round: number): Promise<void> {
  const streams: ResponseStream[] = []
  const tenantOf = (n: number) => `tenant ${n % 7}`
  for (let n = 0; n < 100; n += 1) {
    const id = round * 100 + n
    const viewer = { tenantId: tenantOf(n), userId: `user ${id}` }
    if (n % 10 === 9) {
      const address = { connectionId: `c${round}`, subscriptionId: `s${id}` }
      const query = `subscription { it: ${n % 20 === 9 ? 'alone' : 'foreign'}(id: 1) }`
      await executor.register({ ...address, ...viewer, query })
    } else {
      const document = documents[n % documents.length] as (typeof documents)[number]
      const stream = streamOf(
        await executor.subscribe({
          schema,
          document,
          contextValue: { viewer, heavy: Array(100).fill(id) },
          variableValues: { id },
        }),
      )
      streams.push(stream)
      if (n % 3 === 0 && document !== documents[3]) stream.pushTo(sink)
      else if (n % 3 === 1) stream.next().catch(() => undefined)
    }
    // Some leave in the middle of an event.
    if (n % 5 === 0)
      void executor.publish({
        tenantId: tenantOf(n),
        channel: `c${n}`,
        type: 'changed',
        data: { id, text: 'x'.repeat(100) },
      })
    if (n % 8 === 0) void streams.shift()?.return(undefined)
  }
  const contextValue = { viewer: { tenantId: tenantOf(0) } }
  const document = documents[1] as (typeof documents)[number]
  const last = streamOf(await executor.subscribe({ schema, document, contextValue, variableValues: { id: round } }))
  streams.push(last)
  await executor.publish({ tenantId: tenantOf(0), channel: `d${round % 100}`, type: 'changed', data: { id: round } })
  expect((await last.next()).value).toEqual({ data: { alone: { id: round } } })
  for (const stream of streams) await stream.return(undefined)
  await executor.completeConnection(`c${round}`)
}

/** Node gets --expose-gc from vitest's configuration; elsewhere the flag is set late. */
function garbageCollector(): () => unknown {
  if (globalThis.gc !== undefined) return globalThis.gc
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => unknown
}

async function heapAfter(gc: () => unknown): Promise<number> {
  for (let turn = 0; turn < 5; turn += 1) {
    await nextTurn()
    await gc()
  }
  return process.memoryUsage().heapUsed
}

test('after 10,000 subscriptions of every kind came and went nothing is left', async () => {
  const gc = garbageCollector()
  const timersBefore = timerCount()
  const served = serve(schema, { eventContext: ({ scope }) => ({ scope }) })
  const { executor, bus, errors } = served
  for (let round = 0; round < 10; round += 1) await comeAndGo(served, round) // code, caches and the bus's history
  const before = await heapAfter(gc)
  for (let round = 10; round < 110; round += 1) await comeAndGo(served, round)
  const after = await heapAfter(gc)

  expect(executor.metrics()).toMatchObject({
    connections: { active: 0, total: 110 },
    subscriptions: { active: 0, total: 11_110, byTenant: {} },
    groups: { active: 0, unshared: { byReason: {} } },
  })
  expect(executor.metrics().executions).toBeGreaterThanOrEqual(110)
  expect(bus.stats().listenerCount).toBe(0)
  expect(errors).toEqual([])
  expect((after - before) / 2 ** 20).toBeLessThan(5)
  expect(await areTimersBackAt(timersBefore)).toBe(true)
  await executor.dispose()
})

test('the context of a subscriber that left is not held by the group that it founded', async () => {
  const gc = garbageCollector()
  const { executor, publish } = serve(schema, { eventContext: () => ({}) })
  let isCollected = false
  const registry = new FinalizationRegistry(() => {
    isCollected = true
  })
  const subscribe = async (userId: string) => {
    const contextValue = { viewer: { tenantId: 't', userId } }
    if (userId === 'founder') registry.register(contextValue, undefined)
    const document = documents[0] as (typeof documents)[number]
    return streamOf(await executor.subscribe({ schema, document, contextValue, variableValues: { id: 1 } }))
  }
  const foundAndLeave = async () => {
    const founder = await subscribe('founder')
    const other = await subscribe('other')
    await founder.return(undefined)
    return other
  }
  const other = await foundAndLeave()
  await publish('c1', { id: 1 })
  expect((await other.next()).done).toBe(false)
  expect(executor.metrics()).toMatchObject({ groups: { active: 1 }, subscriptions: { total: 2 } })
  for (let turn = 0; turn < 100 && !isCollected; turn += 1) {
    await gc()
    await nextTurn()
  }
  expect(isCollected).toBe(true)
})
