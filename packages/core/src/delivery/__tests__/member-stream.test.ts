import { describe, expect, test, vi } from 'vitest'
import { Counters } from '../../counters.ts'
import { SluiceError } from '../../errors.ts'
import { EncodedResponse } from '../encoded-response.ts'
import { MemberStream, type MemberStreamOptions } from '../member-stream.ts'
import type { OverflowPolicy } from '../overflow.ts'
import { asPushStream } from '../hooked-stream.ts'

const services = { counters: new Counters(), report: () => undefined }
const responseOf = (n: number) => new EncodedResponse({ data: { n } }, services)
const resultOf = (n: number) => ({ done: false, value: { data: { n } } })
const done = { done: true, value: undefined }
const revoked = new SluiceError('REVOKED', 'enough')
const rejection = { extensions: { code: 'REVOKED' }, originalError: undefined }

function open(overrides: Partial<MemberStreamOptions> & { policy?: OverflowPolicy } = {}) {
  const { policy = 'disconnect', ...others } = overrides
  const leave = vi.fn()
  const counters = new Counters()
  const stream = new MemberStream({
    userId: undefined,
    subscribedAt: 0,
    lapse: undefined,
    overflow: { maxPendingCount: 3, maxPendingBytes: 1000, policy },
    shared: true,
    maskResult: undefined,
    membership: { end: leave },
    services: { ...services, counters },
    ...others,
  })
  const calls: unknown[] = []
  const sink = {
    next: ({ result }: EncodedResponse) => calls.push(result.data?.['n']),
    complete: () => calls.push('complete'),
    error: ({ extensions }: { readonly extensions: object }) => calls.push(extensions),
  }
  return { stream, sink, calls, leave, counters }
}

describe('pulled', () => {
  test('it gives what was delivered before and after next() was called, in order', async () => {
    const { stream } = open()
    stream.deliver(responseOf(1))
    const nexts = [stream.next(), stream.next(), stream.next()]
    stream.deliver(responseOf(2))
    stream.deliver(responseOf(3))
    stream.deliver(responseOf(4))
    expect(await Promise.all(nexts)).toEqual([resultOf(1), resultOf(2), resultOf(3)])
    expect(await stream.next()).toEqual(resultOf(4))
  })

  test('it can be iterated, and leaving the loop releases it', async () => {
    const { stream, leave } = open()
    stream.deliver(responseOf(1))
    for await (const result of stream) {
      expect(result).toEqual({ data: { n: 1 } })
      break
    }
    expect(leave).toHaveBeenCalledTimes(1)
  })

  test('the end comes after what waits; a pending next() is done', async () => {
    const { stream, leave } = open()
    stream.deliver(responseOf(1))
    stream.end()
    stream.deliver(responseOf(2))
    expect(leave).toHaveBeenCalledTimes(1)
    expect([await stream.next(), await stream.next()]).toEqual([resultOf(1), done])
    const other = open().stream
    const nexts = [other.next(), other.next()]
    other.end()
    expect(await Promise.all(nexts)).toEqual([done, done])
  })

  test('an error comes after what waits, once; then it is done', async () => {
    const { stream } = open()
    stream.deliver(responseOf(1))
    stream.end(revoked)
    stream.end()
    expect(await stream.next()).toEqual(resultOf(1))
    await expect(stream.next()).rejects.toMatchObject(rejection)
    expect(await stream.next()).toEqual(done)
  })

  test('of several pending next() calls the first hears the error, the others that it is done', async () => {
    const { stream } = open()
    const nexts = [stream.next(), stream.next(), stream.next()]
    stream.end(revoked)
    await expect(nexts[0]).rejects.toMatchObject(rejection)
    expect(await Promise.all(nexts.slice(1))).toEqual([done, done])
    expect(await stream.next()).toEqual(done)
  })

  test('with "disconnect" it ends with SLOW_CONSUMER when it is full, and what waited is given up', async () => {
    const { stream, leave, counters } = open()
    for (const n of [1, 2, 3]) stream.deliver(responseOf(n))
    expect(leave).not.toHaveBeenCalled()
    stream.deliver(responseOf(4))
    expect(leave).toHaveBeenCalledTimes(1)
    expect([...counters.errorsByCode]).toEqual([['SLOW_CONSUMER', 1]])
    await expect(stream.next()).rejects.toMatchObject({ extensions: { code: 'SLOW_CONSUMER' } })
    expect(await stream.next()).toEqual(done)
  })

  test('with "dropNewest" a pending next() is told of the gap', async () => {
    const { stream, counters } = open({ policy: 'dropNewest' })
    for (const n of [1, 2, 3, 4, 5]) stream.deliver(responseOf(n))
    for (const n of [1, 2, 3]) expect(await stream.next()).toEqual(resultOf(n))
    const next = stream.next()
    stream.deliver(responseOf(6))
    expect((await next).value?.extensions).toEqual({ sluice: { gap: { reason: 'overflow' } } })
    stream.deliver(responseOf(7))
    expect(await stream.next()).toEqual(resultOf(7))
    expect(counters.dropped).toBe(2)
  })
})

describe('return()', () => {
  test('before the first next() releases it, also when responses wait', async () => {
    const { stream, leave } = open()
    stream.deliver(responseOf(1))
    expect(await stream.return()).toEqual(done)
    expect(leave).toHaveBeenCalledTimes(1)
    expect(await stream.next()).toEqual(done)
  })

  test('settles what is pending, and is idempotent', async () => {
    const { stream, leave } = open()
    const nexts = [stream.next(), stream.next()]
    expect(await Promise.all([stream.return(), stream.return()])).toEqual([done, done])
    expect(await Promise.all(nexts)).toEqual([done, done])
    await stream[Symbol.asyncDispose]()
    stream.end(revoked)
    expect(leave).toHaveBeenCalledTimes(1)
    expect(await stream.next()).toEqual(done)
  })

  test('after the server ended it with an error forgets the error', async () => {
    const { stream } = open()
    stream.end(revoked)
    expect(await stream.return()).toEqual(done)
    expect(await stream.next()).toEqual(done)
  })

  test('throw() releases it and rejects with what it was given', async () => {
    const { stream, leave } = open()
    await expect(stream.throw(revoked)).rejects.toBe(revoked)
    expect(leave).toHaveBeenCalledTimes(1)
    expect(await stream.next()).toEqual(done)
  })
})

describe('pushed', () => {
  test('what waited comes first; next() is done', async () => {
    const { stream, sink, calls } = open()
    stream.deliver(responseOf(1))
    stream.deliver(responseOf(2))
    stream.pushTo(sink)
    stream.deliver(responseOf(3))
    expect(calls).toEqual([1, 2, 3])
    expect(await stream.next()).toEqual(done)
    stream.end()
    stream.deliver(responseOf(4))
    expect(calls).toEqual([1, 2, 3, 'complete'])
  })

  test('an end before pushTo() comes after what waited', () => {
    const ended = open()
    ended.stream.deliver(responseOf(1))
    ended.stream.end()
    ended.stream.pushTo(ended.sink)
    expect(ended.calls).toEqual([1, 'complete'])
    const failed = open()
    failed.stream.end(revoked)
    failed.stream.pushTo(failed.sink)
    expect(failed.calls).toEqual([{ code: 'REVOKED' }])
  })

  test('an error is the last call', async () => {
    const { stream, sink, calls } = open()
    stream.pushTo(sink)
    stream.end(revoked)
    stream.end()
    expect(calls).toEqual([{ code: 'REVOKED' }])
    expect(await stream.next()).toEqual(done)
  })

  test('after return() nothing is called, whatever happened before', async () => {
    const { stream, sink, calls, leave } = open()
    stream.pushTo(sink)
    await stream.return()
    stream.deliver(responseOf(1))
    stream.end(revoked)
    expect(calls).toEqual([])
    expect(leave).toHaveBeenCalledTimes(1)
    const before = open()
    before.stream.deliver(responseOf(1))
    await before.stream.return()
    before.stream.pushTo(before.sink)
    expect(before.calls).toEqual([])
  })

  test('return() from within the sink stops it at once, also while it is handed what waited', async () => {
    const { stream, calls } = open()
    for (const n of [1, 2, 3]) stream.deliver(responseOf(n))
    stream.pushTo({
      next: ({ result }) => {
        calls.push(result.data?.['n'])
        if (calls.length === 2) void stream.return()
      },
      complete: () => calls.push('complete'),
      error: () => calls.push('error'),
    })
    stream.deliver(responseOf(4))
    expect(calls).toEqual([1, 2])
  })

  test('what is delivered from within the sink comes in order', () => {
    const { stream, calls } = open()
    stream.deliver(responseOf(1))
    stream.deliver(responseOf(2))
    stream.pushTo({
      next: ({ result }) => {
        calls.push(result.data?.['n'])
        if (calls.length === 1) stream.deliver(responseOf(3))
      },
      complete: () => undefined,
      error: () => undefined,
    })
    expect(calls).toEqual([1, 2, 3])
  })

  test('with "dropNewest" a gap in what waited is told with the next response', () => {
    const { stream, calls } = open({ policy: 'dropNewest' })
    for (const n of [1, 2, 3, 4]) stream.deliver(responseOf(n))
    stream.pushTo({
      next: ({ result }) => calls.push(result.extensions),
      complete: () => undefined,
      error: () => undefined,
    })
    stream.deliver(responseOf(5))
    stream.deliver(responseOf(6))
    expect(calls).toEqual([undefined, undefined, undefined, { sluice: { gap: { reason: 'overflow' } } }, undefined])
  })
})

test('only the very stream that the executor gave can push', () => {
  const { stream } = open()
  expect(asPushStream(stream)).toBe(stream)
  const wrapped = (async function* () {
    yield* stream
  })()
  for (const other of [wrapped, { next: () => undefined, pushTo: () => undefined }, null, undefined, {}]) {
    expect(asPushStream(other)).toBeUndefined()
  }
})
