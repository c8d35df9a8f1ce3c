import { describe, expect, test } from 'vitest'
import { deferred, nextTurn, schemaOf, serve } from '../../__tests__/service.ts'
import { tappedBus } from '../../__tests__/tapped-bus.ts'
import { fromChannel } from '../../channel/from-channel.ts'
import type { SubscriptionExecutorOptions } from '../../options.ts'
import { HandSource } from './hand-source.ts'

const address = { connectionId: 'c1', subscriptionId: 's1' }
const notFound = expect.objectContaining({ code: 'SUBSCRIPTION_NOT_FOUND' })
const done = { done: true, value: undefined }

function service(options?: SubscriptionExecutorOptions, source?: unknown) {
  const schema = schemaOf('changed: Json foreign: Json', {
    changed: fromChannel({ channel: 'c' }),
    foreign: { subscribe: () => source, resolve: (data: unknown) => data },
  })
  const served = serve(schema, options)
  const register = (field = 'changed') =>
    served.executor.register({ ...address, query: `subscription { ${field} }`, tenantId: 't' })
  const next = () => read(served.executor.nextMessage(address))
  return { ...served, register, next }
}

function read(message: Uint8Array | null): unknown {
  return message && JSON.parse(Buffer.from(message).toString())
}

const nextOf = (value: unknown, field = 'changed') => ({
  id: 's1',
  type: 'next',
  payload: { data: { [field]: value } },
})
const errorOf = (code: string) => ({
  id: 's1',
  type: 'error',
  payload: [expect.objectContaining({ message: expect.any(String), extensions: { code } })],
})

describe('nextMessage', () => {
  test('gives what waits, in order, then null, and never blocks', async () => {
    const { register, publish, next } = service()
    await register()
    expect(next()).toBeNull()
    await publish('c', 1)
    await publish('c', { two: [2] })
    expect([next(), next(), next()]).toEqual([nextOf(1), nextOf({ two: [2] }), null])
  })

  test('gives "complete" once after the server ended the subscription and what waited was read', async () => {
    const { register, publish, next, executor } = service()
    await register()
    await publish('c', 1)
    await executor.drain()
    expect([next(), next()]).toEqual([nextOf(1), { id: 's1', type: 'complete' }])
    expect(next).toThrow(notFound)
    expect(executor.metrics().connections.active).toBe(0)
  })

  test('gives "error" once after the subscription failed', async () => {
    const bus = tappedBus()
    const { register, publish, next } = service({ bus, onGap: 'end' })
    await register()
    await publish('c', 1)
    bus.tellGap('c')
    expect([next(), next()]).toEqual([nextOf(1), errorOf('HISTORY_GAP')])
    expect(next).toThrow(notFound)
  })

  test('gives SLOW_CONSUMER once when too much waits, and what waited is given up', async () => {
    const { register, publish, next, executor } = service({ overflow: { maxPendingCount: 2 } })
    await register()
    for (const n of [1, 2, 3, 4]) await publish('c', n)
    expect(executor.metrics()).toMatchObject({ subscriptions: { active: 0 }, errors: { byCode: { SLOW_CONSUMER: 1 } } })
    expect(next()).toEqual(errorOf('SLOW_CONSUMER'))
    expect(next).toThrow(notFound)
  })

  test('tells of a gap when the policy is to drop', async () => {
    const { register, publish, next } = service({ overflow: { maxPendingCount: 2, policy: 'dropOldest' } })
    await register()
    for (const n of [1, 2, 3]) await publish('c', n)
    const payload = { data: { changed: 2 }, extensions: { sluice: { gap: { reason: 'overflow' } } } }
    expect([next(), next(), next()]).toEqual([{ ...nextOf(2), payload }, nextOf(3), null])
  })

  test('is SUBSCRIPTION_NOT_FOUND after complete, whatever waited', async () => {
    const { register, publish, next, executor } = service()
    await register()
    await publish('c', 1)
    await executor.complete(address)
    expect(next).toThrow(notFound)
  })

  test('may be the last thing that is asked after an end that nobody read: complete forgets it too', async () => {
    const { register, next, executor } = service()
    await register()
    await executor.drain()
    await executor.complete(address)
    expect(next).toThrow(notFound)
  })
})

describe('iterating a registration', () => {
  test('gives the same messages, awaited, and ends when the subscription is completed', async () => {
    const { register, publish, executor } = service()
    const registration = await register()
    await publish('c', 1)
    const messages: unknown[] = []
    const reading = (async () => {
      for await (const message of registration) {
        messages.push(read(message))
        if (messages.length === 1) void publish('c', 2)
        else void executor.complete(address)
      }
    })()
    await reading
    expect(messages).toEqual([nextOf(1), nextOf(2)])
  })

  test('ends after what waits when the server drains', async () => {
    const { register, publish, executor } = service()
    const registration = await register()
    await publish('c', 1)
    await executor.drain()
    const messages: unknown[] = []
    for await (const message of registration) messages.push(read(message))
    expect(messages).toEqual([nextOf(1)])
    expect(executor.metrics().connections.active).toBe(0)
  })

  test('throws what the subscription failed with, after what waits', async () => {
    const bus = tappedBus()
    const { register, publish } = service({ bus, onGap: 'end' })
    const registration = await register()
    await publish('c', 1)
    bus.tellGap('c')
    const iterator = registration[Symbol.asyncIterator]()
    expect(read((await iterator.next()).value)).toEqual(nextOf(1))
    await expect(iterator.next()).rejects.toMatchObject({ name: 'SluiceError', code: 'HISTORY_GAP' })
    expect(await iterator.next()).toEqual(done)
  })

  test('leaving the loop ends the subscription', async () => {
    const { register, publish, executor } = service()
    const registration = await register()
    await publish('c', 1)
    for await (const message of registration) {
      expect(read(message)).toEqual(nextOf(1))
      break
    }
    expect(executor.metrics()).toMatchObject({ subscriptions: { active: 0 }, connections: { active: 0 } })
  })

  test('return() before the first next() ends the subscription', async () => {
    const { register, executor } = service()
    const registration = await register()
    expect(await registration[Symbol.asyncIterator]().return?.()).toEqual(done)
    expect(executor.metrics().subscriptions.active).toBe(0)
  })

  test('return() settles what is pending', async () => {
    const { register } = service()
    const iterator = (await register())[Symbol.asyncIterator]()
    const nexts = [iterator.next(), iterator.next()]
    await nextTurn()
    expect(await iterator.return?.()).toEqual(done)
    expect(await Promise.all(nexts)).toEqual([done, done])
  })

  test('concurrent next() calls are answered in order', async () => {
    const { register, publish } = service()
    const iterator = (await register())[Symbol.asyncIterator]()
    const nexts = [iterator.next(), iterator.next(), iterator.next()]
    for (const n of [1, 2, 3]) await publish('c', n)
    expect((await Promise.all(nexts)).map(({ value }) => read(value))).toEqual([nextOf(1), nextOf(2), nextOf(3)])
  })

  test('disposing of the registration ends it', async () => {
    const { register, executor, next } = service()
    const registration = await register()
    const pending = registration[Symbol.asyncIterator]().next()
    await registration[Symbol.asyncDispose]()
    expect(await pending).toEqual(done)
    expect(next).toThrow(notFound)
    expect(executor.metrics().subscriptions.active).toBe(0)
  })
})

describe('of a source that is not a channel', () => {
  test('messages are pulled only as they are read', async () => {
    const source = new HandSource()
    const { register, next } = service(undefined, source)
    await register('foreign')
    for (const n of [1, 2, 3]) source.send(n)
    for (const n of [1, 2, 3]) {
      await nextTurn()
      expect(source.pullCount).toBe(n)
      expect(next()).toEqual(nextOf(n, 'foreign'))
    }
    source.finish()
    await nextTurn()
    source.finish()
    await nextTurn()
    expect(next()).toEqual({ id: 's1', type: 'complete' })
    expect(next).toThrow(notFound)
  })

  test('a failure is an error message that shows nothing, and onError hears of it', async () => {
    const source = new HandSource()
    const { register, next, errors } = service(undefined, source)
    await register('foreign')
    await nextTurn()
    source.fail(new Error('secret'))
    await nextTurn()
    const message = next()
    expect(message).toEqual(errorOf('INTERNAL_SERVER_ERROR'))
    expect(JSON.stringify(message)).not.toMatch(/secret|started/)
    expect(errors).toEqual([expect.objectContaining({ message: 'secret' })])
  })

  test('complete releases the source while it is being waited for, and while a message waits', async () => {
    for (const send of [false, true]) {
      const source = new HandSource()
      const { register, executor } = service(undefined, source)
      await register('foreign')
      await nextTurn()
      if (send) source.send(1)
      await nextTurn()
      await executor.complete(address)
      expect(source.returnCount).toBe(1)
      expect(executor.metrics()).toMatchObject({ subscriptions: { active: 0 }, connections: { active: 0 } })
    }
  })

  test('a message that comes after complete goes nowhere', async () => {
    const source = new HandSource('has no return')
    const given = deferred<unknown>()
    const { register, executor, next } = service(undefined, source)
    await register('foreign')
    await nextTurn()
    source.send(given.promise)
    await nextTurn()
    await executor.complete(address)
    given.resolve(1)
    await nextTurn()
    expect(next).toThrow(notFound)
  })
})
