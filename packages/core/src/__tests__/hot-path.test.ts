import type { Buffer } from 'node:buffer'
import { type ExecutionResult, GraphQLError } from 'graphql'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { fromChannel } from '../channel/from-channel.ts'
import { FifoQueue } from '../collections/fifo-queue.ts'
import type { EncodedResponse, FrameFormat, ResultMasker } from '../delivery/encoded-response.ts'
import { MemberStream } from '../delivery/member-stream.ts'
import { nextMessageFormat } from '../delivery/next-message.ts'
import { ResponseQueue } from '../delivery/response-queue.ts'
import type { PushStream } from '../delivery/response-stream.ts'
import { withResultHooks } from '../delivery/hooked-stream.ts'
import type { ResultHooks } from '../delivery/result-hooks.ts'
import { Group } from '../subscription/group.ts'
import { bytesAllocatedBy, heapBytes } from './heap.ts'
import { promisesMadeBy } from './promises.ts'
import { type Request, schemaOf, serve, type Service, take, type Viewer } from './service.ts'
import { tappedBus } from './tapped-bus.ts'

// What the path of an event costs, counted and never timed: what is done once per event must not be done per subscriber.

const schema = schemaOf('changed: Json failing: Json ofItem(id: ID): Json ofChannel(id: ID): Json', {
  changed: fromChannel({ channel: 'c', share: 'tenant' }),
  failing: fromChannel({
    channel: 'c',
    share: 'tenant',
    resolve: () => {
      throw new GraphQLError('secret')
    },
  }),
  ofItem: fromChannel({ channel: 'c', share: 'tenant', match: ({ id }: { id: string }) => ({ 'item.id': id }) }),
  ofChannel: fromChannel({ channel: ({ id }: { id: string }) => id, share: 'tenant' }),
})
const otherFormat: FrameFormat = { before: Uint8Array.of(1), after: Uint8Array.of(2) }

const open = (options: Parameters<typeof serve>[1] = {}) => serve(schema, { eventContext: () => ({}), ...options })

interface Subscribing extends Request {
  readonly query?: string
  readonly viewer?: Viewer
  readonly format?: FrameFormat
  readonly hooks?: ResultHooks
}

/** Subscribes so many times and has the responses pushed, as a transport does. Gives the frames of each. */
async function push(
  { subscribe }: Service,
  count: number,
  { query = 'subscription { changed }', viewer, format = nextMessageFormat, hooks, ...request }: Subscribing = {},
): Promise<Buffer[][]> {
  const subscribers: Buffer[][] = []
  for (let n = 0; n < count; n += 1) {
    const stream = await subscribe(query, viewer ?? { tenantId: 't', userId: `user ${n}` }, request)
    const frames: Buffer[] = []
    pushed(stream, hooks).pushTo({
      next: (response) => void frames.push(response.framed(format)),
      complete: () => undefined,
      error: () => undefined,
    })
    subscribers.push(frames)
  }
  return subscribers
}

function pushed(stream: PushStream, hooks: ResultHooks | undefined): PushStream {
  return hooks === undefined ? stream : (withResultHooks(stream, hooks) as PushStream)
}

/** The buffers that all of them together got for their nth event, each once. */
const buffers = (subscribers: readonly Buffer[][], n: number) => new Set(subscribers.map((frames) => frames[n]))

function workOf({ executor }: Service): { groups: number; executions: number; serializations: number } {
  const { groups, executions, serializations } = executor.metrics()
  return { groups: groups.active, executions, serializations }
}

describe('an event', () => {
  it('is executed and serialised once per group, and is one buffer per format', async () => {
    const service = open()
    const first = await push(service, 100)
    const others = await push(service, 100, { format: otherFormat })
    const ofOtherTenant = await push(service, 100, { viewer: { tenantId: 'u' } })
    const ofOtherSelection = await push(service, 100, { query: 'subscription { again: changed }' })
    for (const n of [1, 2]) await service.publish('c', n)
    await service.publish('c', 3, { tenantId: 'u' })

    expect(workOf(service)).toEqual({ groups: 3, executions: 2 + 2 + 1, serializations: 2 + 2 + 1 })
    for (const [index, n] of [1, 2].entries()) {
      expect([...buffers(first, index)].map(String)).toEqual([`{"data":{"changed":${n}}}}`])
      expect([...buffers(others, index)].map(String)).toEqual([`\u0001{"data":{"changed":${n}}}\u0002`])
      expect([...buffers(ofOtherSelection, index)].map(String)).toEqual([`{"data":{"again":${n}}}}`])
    }
    expect([...buffers(ofOtherTenant, 0)].map(String)).toEqual(['{"data":{"changed":3}}}'])
    expect([first, others, ofOtherTenant].flat().map(({ length }) => length)).toEqual([
      ...Array.from({ length: 200 }, () => 2),
      ...Array.from({ length: 100 }, () => 1),
    ])
  })

  it('is masked and serialised once per masker, and not at all masked if it has no errors', async () => {
    const service = open()
    const masked: string[] = []
    const masker =
      (name: string): ResultMasker =>
      (result) => {
        masked.push(name)
        return { ...result, errors: [new GraphQLError(name)] }
      }
    const hosts = [{ maskResult: masker('one') }, { maskResult: masker('two') }, {}]
    const subscribers: Buffer[][][] = []
    for (const how of hosts) subscribers.push(await push(service, 50, { query: 'subscription { failing }', how }))
    await service.publish('c', 1)

    expect(workOf(service)).toEqual({ groups: 1, executions: 1, serializations: 3 })
    expect(masked).toEqual(['one', 'two'])
    for (const ofHost of subscribers) expect(buffers(ofHost, 0).size).toBe(1)
    expect(buffers(subscribers.flat(), 0).size).toBe(3)

    const harmless = open()
    for (const how of hosts) await push(harmless, 50, { how })
    await harmless.publish('c', 1)
    expect(workOf(harmless)).toEqual({ groups: 1, executions: 1, serializations: 1 })
    expect(masked).toHaveLength(2)
  })

  it('is serialised once more, and masked once, for all who have to be told of a gap', async () => {
    const bus = tappedBus()
    const service = open({ bus })
    const masker = vi.fn<ResultMasker>((result) => ({ ...result, errors: [new GraphQLError('masked')] }))
    const request = { query: 'subscription { failing }', how: { maskResult: masker } }
    const told = await push(service, 50, request)
    bus.tellGap('c')
    const others = await push(service, 50, request)
    await service.publish('c', 1)

    expect(workOf(service)).toEqual({ groups: 1, executions: 1, serializations: 2 })
    expect(masker).toHaveBeenCalledTimes(1)
    const [withGap, without] = [buffers(told, 0), buffers(others, 0)]
    expect([withGap.size, without.size]).toEqual([1, 1])
    expect([...withGap, ...without].map((frame) => String(frame).includes('"gap":{"reason":"trimmed"}'))).toEqual([
      true,
      false,
    ])
    await service.publish('c', 2)
    expect(workOf(service)).toEqual({ groups: 1, executions: 2, serializations: 3 })
    expect(buffers([...told, ...others], 1).size).toBe(1)
  })
})

/** Counts the calls of a method, which does what it does, from now on until the test is over. */
function countCalls<T extends object>(target: T, name: keyof T & string): { readonly count: number } {
  const { calls } = vi.spyOn(target, name as never).mock
  const before = calls.length
  onTestFinished(() => void vi.restoreAllMocks())
  return {
    get count() {
      return calls.length - before
    },
  }
}

describe('queues', () => {
  it('get as many entries for an event that is pushed to 100 as for one that is pushed to one', async () => {
    const service = open()
    const entries = countCalls(FifoQueue.prototype, 'push')
    const waiting = countCalls(ResponseQueue.prototype, 'offer')
    await push(service, 1)
    await service.publish('c', 1)
    const ofOne = entries.count
    await push(service, 99) // a loop over more may be left after a slice, and scheduled once more
    const before = entries.count
    await service.publish('c', 2)

    // The group's event, the group among those that have work, its tenant among those whose turn it is.
    expect([ofOne, entries.count - before, waiting.count]).toEqual([3, 3, 0])
    expect(service.executor.metrics()).toMatchObject({ events: { delivered: 101 }, queued: { responses: 0 } })
  })

  it('hold what waits for a reader who pulls in places of 8 bytes, and share the responses', async () => {
    const service = open()
    const streams: PushStream[] = []
    for (let n = 0; n < 1000; n += 1) streams.push(await service.subscribe('subscription { changed }'))
    await service.publish('c', 0) // everybody has a ring by now
    const before = await heapBytes()
    for (let n = 1; n < 128; n += 1) await service.publish('c', n)
    const bytesEach = ((await heapBytes()) - before) / (127 * 1000)

    expect(service.executor.metrics()).toMatchObject({ queued: { responses: 128_000 }, serializations: 128 })
    expect(bytesEach).toBeLessThan(16) // an object of two properties would be 40 more
    for (const stream of streams) await stream.return(undefined)
  })

  it('allocate nothing when they fill and empty again and again', async () => {
    const queue = new FifoQueue<object>()
    const item = {}
    const fillAndEmpty = () => {
      for (let round = 0; round < 20; round += 1) {
        for (let n = 0; n < 200; n += 1) queue.push(item)
        for (let n = 0; n < 200; n += 1) queue.shift()
      }
    }
    expect(await bytesAllocatedBy(fillAndEmpty)).toBeLessThan(20 * 200)
  })
})

it('pushing an event to a subscriber allocates nothing', async () => {
  const service = open()
  let taken = 0
  const count = 4000
  for (let n = 0; n < count; n += 1) {
    const stream = await service.subscribe('subscription { changed }', { tenantId: 't', userId: `user ${n}` })
    const next = (response: EncodedResponse) => {
      taken += response.framed(nextMessageFormat).length
    }
    stream.pushTo({ next, complete: () => undefined, error: () => undefined })
  }
  // What is made once per event, over 4,000; an object for each would be 24 or more. Iterating allocates until it is compiled.
  const enough = 16
  const bytesEach = (await bytesAllocatedBy(() => service.publish('c', 'x'), 5000, enough * count)) / count
  expect(taken).toBeGreaterThan(0)
  expect(bytesEach).toBeLessThan(enough)
})

describe('finding those who may receive an event', () => {
  const manyCount = 10_000
  const ids = (count: number) => Array.from({ length: count }, (_, id) => String(id))

  it('touches one group of 10,000 channels', async () => {
    const service = open()
    const query = 'subscription ($id: ID) { ofChannel(id: $id) }'
    for (const id of ids(manyCount)) await push(service, 1, { query, variables: { id } })
    const before = service.executor.metrics()
    const accepted = countCalls(Group.prototype, 'accept')
    await service.publish('777', 1)

    const { events, executions, security } = service.executor.metrics()
    expect([accepted.count, executions, events.received, events.delivered]).toEqual([1, 1, 1, 1])
    expect(events.filtered).toBe(0)
    // Nobody else's was even asked whether it may.
    expect(security.checks - before.security.checks).toBe(1)
  })

  it('looks into the data of an event once for 10,000 subscriptions that match other values', async () => {
    const query = 'subscription ($id: ID) { ofItem(id: $id) }'
    const looks: number[] = []
    for (const count of [1, manyCount]) {
      const service = open()
      for (const id of ids(count)) await push(service, 1, { query, variables: { id } })
      const accepted = countCalls(Group.prototype, 'accept')
      const looked = countCalls(Object, 'hasOwn')
      await service.publish('c', { item: { id: 0 } })
      looks.push(looked.count)
      expect(accepted.count).toBe(1)
      expect(service.executor.metrics()).toMatchObject({
        groups: { active: count },
        executions: 1,
        events: { delivered: 1, filteredByReason: { match: count - 1 } },
      })
    }
    // One for each step of the path, and what graphql-js looks at itself.
    const [alone, amongMany] = looks
    expect(amongMany).toBe(alone)
    expect(alone).toBeLessThanOrEqual(3)
  })

  it('touches one member of a group of 10,000 users if the event is for one of them', async () => {
    const service = open()
    const subscribers = await push(service, manyCount)
    const delivered = countCalls(MemberStream.prototype, 'deliver')
    await service.publish('c', 1, { userId: 'user 7' })
    expect([delivered.count, service.executor.metrics().executions]).toEqual([1, 1])
    expect(subscribers.map((frames) => frames.length).indexOf(1)).toBe(7)
    await service.publish('c', 2, { userId: 'nobody' })
    expect([delivered.count, service.executor.metrics().executions]).toEqual([1, 1])
  })
})

describe('promises', () => {
  const passing: ResultHooks = { onResult: (result) => result, onEnd: () => {}, onError: (error) => error }
  const tag = (result: ExecutionResult) => ({ ...result, extensions: { tag: 1 } })
  const ways: Readonly<Record<string, Subscribing>> = {
    'to a sink': {},
    'through a masker': { query: 'subscription { failing }', how: { maskResult: (result) => result } },
    'to a user whose scope expires': { viewer: { tenantId: 't', userId: 'u', expiresAt: Date.now() + 3_600_000 } },
    'through hooks': { hooks: passing },
    'through hooks that replace it': { hooks: { ...passing, onResult: tag } },
  }
  const madeFor = async (count: number, subscribing: Subscribing) => {
    const service = open()
    const subscribers = await push(service, count, subscribing)
    const made = await promisesMadeBy(() => service.publish('c', 1))
    expect(buffers(subscribers, 4).has(undefined)).toBe(false)
    return made
  }

  it.each(Object.entries(ways))('are not made for each subscriber when an event is pushed %s', async (_, how) => {
    expect(await madeFor(100, how)).toBe(await madeFor(1, how))
  })

  it('are counted: a reader who pulls makes some for each event', async () => {
    const service = open()
    const streams: PushStream[] = []
    for (let n = 0; n < 100; n += 1) streams.push(await service.subscribe('subscription { changed }'))
    const made = await promisesMadeBy(async () => {
      await service.publish('c', 1)
      for (const stream of streams) await take(stream)
    })
    expect(made).toBeGreaterThanOrEqual(100)
  })
})
