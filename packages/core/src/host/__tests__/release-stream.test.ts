import { expect, test } from 'vitest'
import { schemaOf, serve } from '../../__tests__/service.ts'
import { fromChannel } from '../../channel/from-channel.ts'
import { releaseStream } from '../release-stream.ts'

const done = { done: true, value: undefined } as const

function reporter() {
  const errors: unknown[] = []
  return { errors, reportError: (error: unknown) => void errors.push(error) }
}

test('a stream of the executor is ended for the reason that is given', async () => {
  const schema = schemaOf('changed: Json', { changed: fromChannel({ channel: 'c' }) })
  const { executor, subscribe } = serve(schema)
  await releaseStream(await subscribe('subscription { changed }'), executor)
  await releaseStream(await subscribe('subscription { changed }'), executor, 'SLOW_CONSUMER')
  expect(executor.metrics().subscriptions).toMatchObject({
    active: 0,
    ended: { byReason: { client: 1, SLOW_CONSUMER: 1 } },
  })
})

test('whatever else it is, it is ended: a generator, an iterator, an iterable that nobody iterated', async () => {
  const ended: string[] = []
  const generator = (async function* () {
    try {
      yield 1
    } finally {
      ended.push('generator')
    }
  })()
  await generator.next()
  const iteratorCalled = (name: string) => ({
    next: () => Promise.resolve(done),
    return: () => {
      ended.push(name)
      return Promise.resolve(done)
    },
  })
  const all = [
    generator,
    iteratorCalled('iterator'),
    { [Symbol.asyncIterator]: () => iteratorCalled('iterable') },
    { [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve(done) }) },
  ]
  const { errors, reportError } = reporter()
  for (const stream of all) await releaseStream(stream, { reportError })
  expect(ended).toEqual(['generator', 'iterator', 'iterable'])
  expect(errors).toEqual([])
})

test('what is no stream is left alone', async () => {
  const { errors, reportError } = reporter()
  for (const value of [undefined, null, 1, 'text', {}, { data: null }, []]) await releaseStream(value, { reportError })
  expect(errors).toEqual([])
})

test('a failure is reported, and rejects nothing', async () => {
  const failure = new Error('stuck')
  const { errors, reportError } = reporter()
  const throwing = {
    return: () => {
      throw failure
    },
  }
  for (const stream of [throwing, { return: () => Promise.reject(failure) }])
    await releaseStream(stream, { reportError })
  expect(errors).toEqual([failure, failure])
})
