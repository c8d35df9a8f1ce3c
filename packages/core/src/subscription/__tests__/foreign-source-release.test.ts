import { describe, expect, test } from 'vitest'
import { codesOf, deferred, never, nextTurn, schemaOf, serve, type Service } from '../../__tests__/service.ts'
import { HandSource } from './hand-source.ts'

const query = 'subscription { changed }'
const done = { done: true, value: undefined }

function service(source: unknown): Service {
  return serve(schemaOf('changed: Json', { changed: { subscribe: () => source, resolve: (data: unknown) => data } }))
}

function expectNothingLeft({ executor }: Service): void {
  expect(executor.metrics()).toMatchObject({
    subscriptions: { active: 0, byTenant: {} },
    groups: { unshared: { byReason: {} } },
  })
}

describe('return() of a stream whose source is not a channel', () => {
  test('releases the source before the first next()', async () => {
    const source = new HandSource()
    const served = service(source)
    const stream = await served.subscribe(query)
    expect(await stream.return(undefined)).toEqual(done)
    expect(source).toMatchObject({ returnCount: 1, pullCount: 0 })
    expect(await stream.next()).toEqual(done)
    expect(source.pullCount).toBe(0)
    expectNothingLeft(served)
  })

  test('settles every pending next(), also of a generator that waits for an event', async () => {
    const generate = async function* () {
      yield await never<number>()
    }
    for (const source of [new HandSource(), generate()]) {
      const served = service(source)
      const stream = await served.subscribe(query)
      const nexts = [stream.next(), stream.next()]
      await nextTurn()
      expect(await stream.return(undefined)).toEqual(done)
      expect(await Promise.all(nexts)).toEqual([done, done])
      expectNothingLeft(served)
    }
  })

  test('is idempotent', async () => {
    const source = new HandSource()
    const stream = await service(source).subscribe(query)
    expect(await Promise.all([stream.return(undefined), stream.return(undefined)])).toEqual([done, done])
    expect(await stream.return(undefined)).toEqual(done)
    await stream[Symbol.asyncDispose]()
    expect(source.returnCount).toBe(1)
  })

  test('throw() releases as well, and rejects with what it was given', async () => {
    const source = new HandSource()
    const served = service(source)
    const stream = await served.subscribe(query)
    const failure = new Error('enough')
    await expect(stream.throw(failure)).rejects.toBe(failure)
    expect(source.returnCount).toBe(1)
    expectNothingLeft(served)
  })

  test('works for a source that has no return()', async () => {
    const source = new HandSource('has no return')
    const served = service(source)
    const stream = await served.subscribe(query)
    const next = stream.next()
    expect(await stream.return(undefined)).toEqual(done)
    expect(await next).toEqual(done)
    source.send('too late')
    expectNothingLeft(served)
  })

  test('reports what the source throws while it is released', async () => {
    const failure = new Error('cannot let go')
    const served = service(new HandSource(() => Promise.reject(failure)))
    const stream = await served.subscribe(query)
    expect(await stream.return(undefined)).toEqual(done)
    expect(served.errors).toEqual([failure])
    expectNothingLeft(served)
  })

  test('holds nothing, settles what is pending and lets the server stop, while the source hangs in its return()', async () => {
    const source = new HandSource(never)
    const served = service(source)
    const stream = await served.subscribe(query)
    void stream.return(undefined)
    expect(await stream.next()).toEqual(done)
    expectNothingLeft(served)
    await served.executor.dispose()
  })

  test('while an event is executed drops its result', async () => {
    const source = new HandSource()
    const executed = deferred<number>()
    const served = serve(
      schemaOf('changed: Json', { changed: { subscribe: () => source, resolve: () => executed.promise } }),
    )
    const stream = await served.subscribe(query)
    const next = stream.next()
    source.send(1)
    await nextTurn()
    expect(await stream.return(undefined)).toEqual(done)
    expect(await next).toEqual(done)
    expect(source.returnCount).toBe(1)
    expectNothingLeft(served)
    executed.resolve(1)
    await nextTurn()
    expect(served.executor.metrics().events.delivered).toBe(0)
  })
})

test('draining ends it with complete, and releases the source', async () => {
  const source = new HandSource()
  const served = service(source)
  const stream = await served.subscribe(query)
  const next = stream.next()
  await served.executor.drain()
  expect(await next).toEqual(done)
  expect(source.returnCount).toBe(1)
  expectNothingLeft(served)
})

test('a source that its resolver gives only after draining began is refused and released', async () => {
  const source = new HandSource()
  const given = deferred<unknown>()
  const served = service(given.promise)
  const outcome = served.attempt(query)
  await nextTurn()
  await served.executor.drain()
  given.resolve(source)
  expect(codesOf(await outcome)).toEqual(['DRAINING'])
  expect(source.returnCount).toBe(1)
  expectNothingLeft(served)
})
