import type { ExecutionResult } from 'graphql'
import { describe, expect, it } from 'vitest'
import { ResultPull, type ResultReader } from '../result-pull.ts'

/** A reader who writes down what it is told, and takes as many results as it is given leave to. */
class RecordingReader implements ResultReader {
  readonly told: unknown[] = []
  leave: number

  constructor(leave = Infinity) {
    this.leave = leave
  }

  isReady(): boolean {
    return this.leave > 0
  }

  next({ data }: ExecutionResult): void {
    this.leave -= 1
    this.told.push(data?.['id'])
  }

  complete(): void {
    this.leave = 0
    this.told.push('complete')
  }

  error(error: unknown): void {
    this.leave = 0
    this.told.push(error)
  }
}

/** Calls back within the call of `then`, as no real promise does. */
class Immediate<T> {
  readonly #value: T

  constructor(value: T) {
    this.#value = value
  }

  // oxlint-disable-next-line unicorn/no-thenable -- it is what a stream may answer with
  then(callback: (value: T) => void): void {
    callback(this.#value)
  }
}

const immediate = <T>(value: T) => new Immediate(value)

/** Results 1 to `count`, each wrapped by `wrap`, and how often they were asked for. */
function resultsUpTo(count: number, wrap: (result: IteratorResult<ExecutionResult, unknown>) => unknown) {
  const stream = {
    pulls: 0,
    next() {
      stream.pulls += 1
      const id = stream.pulls
      return wrap(id > count ? { done: true, value: undefined } : { done: false, value: { data: { id } } })
    },
  }
  return stream as typeof stream & AsyncIterator<ExecutionResult>
}

describe('a pull of results', () => {
  for (const [kind, wrap] of Object.entries({ immediate, plain: <T>(value: T) => value })) {
    it(`hands over ${kind} results within the call, however many, no call deeper than the other`, () => {
      const reader = new RecordingReader()
      new ResultPull(resultsUpTo(100_000, wrap), reader).pull()
      expect(reader.told).toHaveLength(100_001)
      expect(reader.told.slice(-2)).toEqual([100_000, 'complete'])
    })
  }

  it('asks for nothing that its reader does not take, and goes on when it is told to', () => {
    const reader = new RecordingReader(2)
    const stream = resultsUpTo(5, immediate)
    const results = new ResultPull(stream, reader)
    results.pull()
    expect([stream.pulls, reader.told]).toEqual([2, [1, 2]])
    reader.leave = 1
    results.pull()
    expect([stream.pulls, reader.told]).toEqual([3, [1, 2, 3]])
  })

  it('asks for one result at a time', async () => {
    const reader = new RecordingReader()
    const stream = resultsUpTo(1, (result) => Promise.resolve(result))
    const results = new ResultPull(stream, reader)
    results.pull()
    results.pull()
    expect(stream.pulls).toBe(1)
    await new Promise((resolve) => setImmediate(resolve))
    expect([stream.pulls, reader.told]).toEqual([2, [1, 'complete']])
  })

  for (const [how, next] of Object.entries({
    throws: () => {
      throw new Error('broken')
    },
    rejects: () => Promise.reject(new Error('broken')),
  })) {
    it(`tells of a stream that ${how}, and does not ask it again`, async () => {
      const reader = new RecordingReader()
      const results = new ResultPull({ next }, reader)
      results.pull()
      await new Promise((resolve) => setImmediate(resolve))
      results.pull()
      expect(reader.told).toEqual([new Error('broken')])
    })
  }
})
