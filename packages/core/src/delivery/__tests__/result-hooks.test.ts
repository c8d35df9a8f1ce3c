import type { ExecutionResult } from 'graphql'
import { describe, expect, test, vi } from 'vitest'
import { Counters } from '../../counters.ts'
import { SluiceError } from '../../errors.ts'
import { EncodedResponse } from '../encoded-response.ts'
import { MemberStream } from '../member-stream.ts'
import { asPushStream, pushPast, withResultHooks } from '../hooked-stream.ts'
import type { ResultHooks } from '../result-hooks.ts'
import type { PushStream } from '../response-stream.ts'

const services = { counters: new Counters(), report: () => undefined }
const responseOf = (n: number) => new EncodedResponse({ data: { n } }, services)
const isN = (result: ExecutionResult) => result.data?.['n']
const revoked = new SluiceError('REVOKED', 'enough')

interface Opened {
  readonly member: MemberStream
  readonly stream: PushStream
  readonly sink: { next(response: EncodedResponse): void; complete(): void; error(error: unknown): void }
  /** What the transport and the hooks were told, in order. */
  readonly calls: unknown[]
  readonly leave: ReturnType<typeof vi.fn>
}

function open(hooks: Partial<ResultHooks> = {}, maxPendingCount = 100): Opened {
  const calls: unknown[] = []
  const leave = vi.fn()
  const member = new MemberStream({
    userId: undefined,
    subscribedAt: 0,
    lapse: undefined,
    overflow: { maxPendingCount, maxPendingBytes: 1e6, policy: 'disconnect' },
    shared: true,
    maskResult: undefined,
    membership: { end: leave },
    services: { ...services, counters: new Counters() },
  })
  const stream = withResultHooks(member, {
    onEnd: () => void calls.push('onEnd'),
    onError: (error) => error,
    ...hooks,
  }) as PushStream
  const sink = {
    next: ({ bytes }: EncodedResponse) => void calls.push(JSON.parse(String(bytes)).data.n),
    complete: () => void calls.push('complete'),
    error: (error: unknown) => void calls.push(error instanceof Error ? error.message : error),
  }
  return { member, stream, sink, calls, leave }
}

/** A hook whose promises the test settles, one after the other. */
function gate() {
  const waiting: (() => void)[] = []
  const onResult = (result: ExecutionResult): Promise<ExecutionResult> =>
    new Promise((resolve) => waiting.push(() => resolve(result)))
  const settled = async (): Promise<void> => {
    waiting.shift()?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { onResult, settled, waiting }
}

describe('a result that its hooks leave alone', () => {
  test('goes out as the bytes of the group, also after it waited for the hook', async () => {
    const { onResult, settled } = gate()
    for (const hooks of [{ onResult: (result: ExecutionResult) => result }, { onResult }]) {
      const { member, stream } = open(hooks)
      const responses: EncodedResponse[] = []
      stream.pushTo({ next: (response) => void responses.push(response), complete() {}, error() {} })
      const response = responseOf(1)
      member.deliver(response)
      await settled()
      expect(responses).toEqual([response])
      expect(responses[0]?.bytes).toBe(response.bytes)
    }
  })

  test('does not stand for one that somebody wrote into', () => {
    const changes: ((result: Record<string, unknown>) => unknown)[] = [
      (result) => Object.assign(result, { extensions: { mine: true } }),
      (result) => Object.assign(result, { errors: [] }),
      (result) => Object.assign(result, { data: { n: 2 } }),
      (result) => Object.assign(result, { data: null }),
      (result) => ({ ...result, extra: 1 }),
    ]
    const expected = ['"mine":true', '"errors":[]', '"n":2', '"data":null', '"extra":1']
    for (const [index, change] of changes.entries()) {
      const one = open({ onResult: (result) => change(result as Record<string, unknown>) as ExecutionResult })
      const other = open({ onResult: (result) => result })
      const response = responseOf(1)
      const [texts, others] = [[] as string[], [] as string[]]
      one.stream.pushTo({ next: ({ bytes }) => void texts.push(String(bytes)), complete() {}, error() {} })
      other.stream.pushTo({ next: ({ bytes }) => void others.push(String(bytes)), complete() {}, error() {} })
      one.member.deliver(response)
      other.member.deliver(response)
      expect(texts).toEqual([expect.stringContaining(expected[index] as string)])
      expect(others).toEqual(['{"data":{"n":1}}'])
    }
  })

  test('has parts that nobody can write into for others', () => {
    const { member, stream, sink, calls } = open({
      onResult: (result) => {
        ;(result.data as { n: number }).n = 666
        return result
      },
    })
    stream.pushTo(sink)
    member.deliver(responseOf(1))
    expect(calls).toEqual([expect.stringContaining('read only')])
  })
})

describe('while a hook is awaited', () => {
  test('what comes waits, in order, within the bounds of the stream', async () => {
    const { onResult, settled, waiting } = gate()
    const { member, stream, sink, calls } = open({ onResult }, 3)
    stream.pushTo(sink)
    for (const n of [1, 2, 3, 4]) member.deliver(responseOf(n))
    expect(waiting.length).toBe(1)
    for (const n of [1, 2, 3, 4]) {
      await settled()
      expect(calls.at(-1)).toBe(n)
    }
    expect(calls).toEqual([1, 2, 3, 4])
  })

  test('who falls behind is ended after what the hook has', async () => {
    const { onResult, settled } = gate()
    const { member, stream, sink, calls, leave } = open({ onResult }, 3)
    stream.pushTo(sink)
    for (const n of [1, 2, 3, 4, 5]) member.deliver(responseOf(n))
    expect(leave).toHaveBeenCalledExactlyOnceWith('SLOW_CONSUMER')
    await settled()
    await settled()
    expect(calls).toEqual([1, expect.stringContaining('read more slowly')])
  })

  test.each([
    [undefined, 'complete'],
    [revoked, 'enough'],
  ])('the end waits: %s', async (error, last) => {
    const { onResult, settled } = gate()
    const { member, stream, sink, calls } = open({ onResult })
    stream.pushTo(sink)
    member.deliver(responseOf(1))
    member.deliver(responseOf(2))
    member.end(error)
    expect(calls).toEqual([])
    await settled()
    expect(calls).toEqual([1])
    await settled()
    expect(calls).toEqual([1, 2, ...(error === undefined ? ['onEnd'] : []), last])
  })

  test('the transport may pause and leave: nothing is told afterwards', async () => {
    const { onResult, settled } = gate()
    const { member, stream, sink, calls } = open({ onResult })
    stream.pushTo(sink)
    member.deliver(responseOf(1))
    member.deliver(responseOf(2))
    stream.pause()
    await settled()
    expect(calls).toEqual([])
    stream.pushTo(sink)
    expect(calls).toEqual([1])
    await stream.return(undefined)
    await settled()
    expect(calls).toEqual([1, 'onEnd'])
  })

  test('a refusal waits for a paused transport, and is the last word', async () => {
    const { member, stream, sink, calls, leave } = open({ onResult: () => Promise.reject(new Error('refused')) })
    stream.pushTo(sink)
    member.deliver(responseOf(1))
    stream.pause()
    await new Promise((resolve) => setImmediate(resolve))
    expect([calls, leave.mock.calls.length]).toEqual([[], 1])
    stream.pushTo(sink)
    stream.pause()
    stream.pushTo(sink)
    expect(calls).toEqual(['refused'])
  })

  test('one that is not asynchronous, although it gives a promise, keeps the order', () => {
    /** As helpers make them that call back within `then`. */
    const instant = (value: ExecutionResult): PromiseLike<ExecutionResult> =>
      ({
        // oxlint-disable-next-line unicorn/no-thenable -- it is a promise, of a kind
        then(resolve?: (value: ExecutionResult) => unknown) {
          resolve?.(value)
          return instant(value)
        },
      }) as PromiseLike<ExecutionResult>
    const { member, stream, sink, calls } = open({ onResult: instant })
    for (const n of [1, 2, 3]) member.deliver(responseOf(n))
    stream.pushTo(sink)
    member.deliver(responseOf(4))
    member.end()
    expect(calls).toEqual([1, 2, 3, 4, 'onEnd', 'complete'])
    const ended = open({ onResult: instant })
    for (const n of [1, 2, 3]) ended.member.deliver(responseOf(n))
    ended.member.end()
    ended.stream.pushTo(ended.sink)
    expect(ended.calls).toEqual([1, 2, 3, 'onEnd', 'complete'])
  })
})

describe('hooks that throw', () => {
  const failing = (message: string) => (): never => {
    throw new Error(message)
  }

  test('at the end are what the transport is told, and nobody else', () => {
    const { member, stream, sink, calls } = open({ onEnd: failing('onEnd failed') })
    stream.pushTo(sink)
    expect(() => member.end()).not.toThrow()
    expect(calls).toEqual(['onEnd failed'])
  })

  test('at an error are what the transport is told, and nobody else', () => {
    const { member, stream, sink, calls } = open({ onError: failing('onError failed') })
    stream.pushTo(sink)
    expect(() => member.end(revoked)).not.toThrow()
    expect(calls).toEqual(['onError failed'])
  })

  test('at an error of an asynchronous hook are no unhandled rejection', async () => {
    const { member, stream, sink, calls } = open({
      onResult: () => Promise.reject(new Error('refused')),
      onError: failing('onError failed'),
    })
    stream.pushTo(sink)
    member.deliver(responseOf(1))
    await new Promise((resolve) => setImmediate(resolve))
    expect(calls).toEqual(['onError failed'])
  })

  test('keep nothing from being released', async () => {
    for (const leaveBy of ['return', 'abandon'] as const) {
      const { stream, leave } = open({ onEnd: failing('onEnd failed') })
      if (leaveBy === 'return') await expect(stream.return(undefined)).rejects.toThrow('onEnd failed')
      else expect(() => stream.abandon('client')).toThrow('onEnd failed')
      expect(leave).toHaveBeenCalledTimes(1)
    }
  })

  test('when pulled, go through the hooks for errors, also at the end', async () => {
    const onError = (error: unknown) => new Error(`masked: ${(error as Error).message}`)
    const { member, stream } = open({ onEnd: failing('onEnd failed'), onError })
    member.end()
    await expect(stream.next()).rejects.toThrow('masked: onEnd failed')
    const refusing = open({ onResult: failing('refused'), onError })
    refusing.member.deliver(responseOf(1))
    await expect(refusing.stream.next()).rejects.toThrow('masked: refused')
    expect(refusing.leave).toHaveBeenCalledTimes(1)
  })

  test('on a stream that cannot be released say why all the same', async () => {
    const source = {
      [Symbol.asyncIterator]: () => source,
      next: () => Promise.resolve({ done: false as const, value: { data: { n: 1 } } }),
      return: () => Promise.reject(new Error('it cannot be released')),
    }
    const stream = withResultHooks(source, { onResult: failing('refused'), onEnd() {}, onError: (error) => error })
    await expect(stream.next()).rejects.toThrow('refused')
  })
})

describe('hooks that end their own subscription', () => {
  const ways = { end: ['onEnd', 'complete'], fail: ['enough'], leave: ['onEnd'] } as const
  for (const [how, expected] of Object.entries(ways)) {
    test.each([false, true])(`by ${how}: nothing follows the last word (async: %s)`, async (isAsync) => {
      const opened = open({
        onResult: (result) => {
          if (how === 'leave') opened.stream.abandon('client')
          else opened.member.end(how === 'fail' ? revoked : undefined)
          return isAsync ? Promise.resolve(result) : result
        },
      })
      opened.stream.pushTo(opened.sink)
      opened.member.deliver(responseOf(1))
      opened.member.deliver(responseOf(2))
      await new Promise((resolve) => setImmediate(resolve))
      expect(opened.calls).toEqual(expected)
    })
  }
})

describe('pushed past what a host has put around it', () => {
  /** As Yoga does: a failure is a last result. */
  const lastResult = (stream: AsyncIterable<ExecutionResult>): AsyncIterable<ExecutionResult> => ({
    async *[Symbol.asyncIterator]() {
      try {
        yield* stream
      } catch {
        yield { data: { n: 'masked' } }
      }
    },
  })

  test('results go to the transport, and a failure comes as the host has it', async () => {
    const { member, stream, calls, sink } = open({
      onResult: (result) => {
        if (isN(result) === 3) throw new Error('secret')
        return result
      },
    })
    const pushed = asPushStream(pushPast(lastResult(stream), stream)) as PushStream
    pushed.pushTo(sink)
    for (const n of [1, 2, 3, 4]) member.deliver(responseOf(n))
    await new Promise((resolve) => setImmediate(resolve))
    expect(calls).toEqual([1, 2, 'masked', 'complete'])
  })

  test('it can be pulled instead', async () => {
    const { member, stream } = open()
    const pulled = pushPast(lastResult(stream), stream)[Symbol.asyncIterator]()
    member.deliver(responseOf(1))
    member.end(revoked)
    expect([await pulled.next(), await pulled.next(), await pulled.next()]).toEqual([
      { done: false, value: { data: { n: 1 } } },
      { done: false, value: { data: { n: 'masked' } } },
      { done: true, value: undefined },
    ])
  })
})
