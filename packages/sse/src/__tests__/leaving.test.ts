import { type OperationHost, schemaHost } from '@sluice/core'
import { until } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { createGate } from './gate.ts'
import { headOf, openSocket, postOf } from './raw-socket.ts'
import { openStream } from './raw-stream.ts'
import { openService, type Service } from './service.ts'

const news = 'subscription { news(topic: "a") { text } }'
const silence = 'subscription { silence }'
const gated = 'subscription { gated(topic: "a") { text } }'

function ends({ executor }: Service): unknown {
  return executor.metrics().subscriptions.ended.byReason
}

describe('a client that leaves', () => {
  it.each([
    ['resets its connection', 'resetAndDestroy'],
    ['closes its connection', 'destroy'],
    ['closes its half of the connection', 'end'],
  ] as const)('and %s while nothing happens releases what it had', async (_, how) => {
    const service = await openService()
    for (const query of [news, silence]) {
      const socket = await openSocket(service.port)
      socket.write(postOf({ query }))
      await service.active(1)
      await socket.has(':\n\n')
      socket.socket[how]()
      await service.active(0)
    }
    await service.idle(1)
    expect(ends(service)).toEqual({ client: 2 })
    expect(service.executor.metrics().connections.total).toBe(2)
    expect(service.errors).toEqual([])
  })

  it('while events come releases what it had, and not what others have', async () => {
    const service = await openService()
    const [going, staying] = [1, 2].map(() => openStream({ url: service.url, body: { query: news } }))
    await service.active(2)
    let count = 0
    const publish = async (): Promise<void> => {
      count += 1
      await service.publish('a', { text: String(count) })
    }
    while (count < 20) await publish()
    await going?.has(10)
    going?.leave()
    while (service.executor.metrics().connections.active > 1) await publish()
    await publish()
    await staying?.has(count)
    expect(staying?.results.at(-1)).toEqual({ data: { news: { text: String(count) } } })
    expect(service.executor.metrics()).toMatchObject({ subscriptions: { active: 1 }, groups: { active: 1 } })
    expect(service.errors).toEqual([])
  })

  it('while its source is pulled, and full, has the source released', async () => {
    const service = await openService()
    const stream = openStream({ url: service.url, body: { query: 'subscription { flood }' } })
    await stream.has(10)
    stream.leave()
    await service.idle(1)
    const { count } = service.pulled
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    expect(service.pulled.count).toBe(count)
  })

  it('while its subscription is being started has it released as soon as it is', async () => {
    const service = await openService()
    const stream = openStream({ url: service.url, body: { query: gated } })
    await until(() => service.gates.length === 1, 'it is being started')
    await service.connected(1)
    stream.leave()
    await service.connected(0)
    service.gates[0]?.open()
    await until(() => service.executor.metrics().subscriptions.total === 1, 'it was started')
    await service.idle()
    expect(ends(service)).toEqual({ client: 1 })
    expect(service.exchanges[0]?.response.headersSent).toBe(false)
  })

  it('while its query is executed gets nothing, and breaks nothing', async () => {
    const service = await openService()
    const stream = openStream({ url: service.url, body: { query: '{ slow }' } })
    await until(() => service.gates.length === 1, 'it is executed')
    stream.leave()
    await service.idle()
    service.gates[0]?.open()
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    expect(service.exchanges[0]?.response.headersSent).toBe(false)
    expect(service.errors).toEqual([])
  })

  it('while its host is asked, which then fails, is told nothing; onError is', async () => {
    const gate = createGate()
    const service = await openService({
      host: { runOperation: () => gate.opened.then(() => Promise.reject(new Error('too late'))) },
    })
    const stream = openStream({ url: service.url, body: { query: 'a' } })
    await service.connected(1)
    stream.leave()
    await service.idle()
    gate.open()
    await until(() => service.errors.length === 1, 'onError heard of it')
    expect(service.errors).toEqual([expect.objectContaining({ message: 'too late' })])
  })

  it('while its body is being read starts nothing', async () => {
    const service = await openService()
    const socket = await openSocket(service.port)
    socket.write(`${headOf(['content-length: 1000'])}{"query":"subscription`)
    await until(() => service.exchanges[0]?.request.readableDidRead === true, 'its beginning was read')
    socket.socket.destroy()
    await until(() => service.exchanges[0]?.response.writableEnded === true, 'it was given up')
    expect(service.executor.metrics()).toMatchObject({
      connections: { active: 0, total: 0 },
      subscriptions: { total: 0 },
      security: { checks: 0 },
    })
  })

  it('before the endpoint was asked starts nothing', async () => {
    const service = await openService({
      serve(request, response, { handler }) {
        // A framework reads the body, and then something takes its time.
        request.resume().once('end', () => {
          response.once('close', () => handler(Object.assign(request, { body: { query: news } }), response))
        })
      },
    })
    const stream = openStream({ url: service.url, body: { query: news } })
    await until(() => service.exchanges[0]?.request.readableEnded === true, 'the body was read')
    stream.leave()
    await until(() => service.exchanges[0]?.response.closed === true, 'it has left')
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    expect(service.executor.metrics()).toMatchObject({ connections: { total: 0 }, subscriptions: { total: 0 } })
    expect(service.errors).toEqual([])
  })

  it('a moment after it asked is counted down as often as it was counted up', async () => {
    const service = await openService()
    for (let index = 0; index < 50; index += 1) {
      const socket = await openSocket(service.port)
      socket.write(postOf({ query: index % 2 === 0 ? news : silence }))
      for (let turn = 0; turn < index % 10; turn += 1) await new Promise((resolve) => setImmediate(resolve))
      socket.socket.destroy()
    }
    await until(() => service.exchanges.every(({ response }) => response.closed), 'the server knows of all')
    await until(() => {
      const { connections, groups, subscriptions } = service.executor.metrics()
      return connections.active + groups.active + subscriptions.active === 0
    }, 'nothing is held')
    expect(service.errors).toEqual([])
  })
})

describe('an iterable of a host', () => {
  /** It is no generator, and its iterators are no iterables. */
  function foreign(counts: { opened: number; returned: number }, fails = false): AsyncIterable<never> {
    return {
      [Symbol.asyncIterator]() {
        counts.opened += 1
        return {
          next: () => new Promise(() => {}),
          return() {
            counts.returned += 1
            return fails
              ? Promise.reject(new Error('cannot be released'))
              : Promise.resolve({ done: true, value: undefined })
          },
        }
      },
    }
  }

  it.each([false, true])('has the very iterator released that was read; that fails: %j', async (fails) => {
    const counts = { opened: 0, returned: 0 }
    const service = await openService({ host: { runOperation: () => foreign(counts, fails) } })
    const stream = openStream({ url: service.url, body: { query: 'a' } })
    await until(() => counts.opened === 1, 'it is read')
    stream.leave()
    await service.idle()
    await until(() => counts.returned === 1, 'it was released')
    expect(counts).toEqual({ opened: 1, returned: 1 })
    expect(service.errors).toEqual(fails ? [expect.objectContaining({ message: 'cannot be released' })] : [])
  })

  it('is released without being read if its client has left', async () => {
    const counts = { opened: 0, returned: 0 }
    const gate = createGate()
    const service = await openService({ host: { runOperation: () => gate.opened.then(() => foreign(counts)) } })
    const stream = openStream({ url: service.url, body: { query: 'a' } })
    await service.connected(1)
    stream.leave()
    await service.idle()
    gate.open()
    await until(() => counts.returned === 1, 'it was released')
  })

  it('that came to its end is not released once more', async () => {
    let returned = 0
    const service = await openService({
      host: {
        runOperation: () => ({
          [Symbol.asyncIterator]: () => ({
            next: async () => ({ done: true, value: undefined }),
            async return() {
              returned += 1
              return { done: true, value: undefined }
            },
          }),
        }),
      },
    })
    const stream = openStream({ url: service.url, body: { query: 'a' } })
    expect(await stream.ended).toBe(':\n\nevent: complete\ndata:\n\n')
    await service.idle()
    expect(returned).toBe(0)
  })

  it('is asked for nothing more once it was released, though its client had let it wait', async () => {
    const calls: string[] = []
    const service = await openService({
      host: {
        runOperation: () => ({
          [Symbol.asyncIterator]: () => ({
            async next() {
              calls.push('next')
              return { done: false, value: { data: { a: 'x'.repeat(65_536) } } }
            },
            async return() {
              calls.push('return')
              return { done: true, value: undefined }
            },
          }),
        }),
      },
    })
    const stream = openStream({ url: service.url, body: { query: 'a' } })
    ;(await stream.response).pause()
    await until(() => service.pendingBytes() > 1_048_576, 'it is full')
    stream.leave()
    await service.idle()
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    expect(calls.filter((call) => call === 'return')).toHaveLength(1)
    expect(calls.at(-1)).toBe('return')
  })

  it('that waits for its next result when its client leaves says nothing more', async () => {
    const gate = createGate()
    let finished = 0
    const service: Service = await openService({
      host: {
        async *runOperation() {
          try {
            yield { data: { a: 1 } }
            await gate.opened
            yield { data: { a: 2 } }
          } finally {
            finished += 1
          }
        },
      } as unknown as OperationHost,
    })
    const stream = openStream({ url: service.url, body: { query: 'a' } })
    await stream.has(1)
    stream.leave()
    await service.idle()
    gate.open()
    await until(() => finished === 1, 'it came to its end')
    expect(service.errors).toEqual([])
  })

  it('that wraps a stream of the executor releases that too', async () => {
    const service: Service = await openService({
      host: {
        async runOperation(operation) {
          const { executor, schema } = service
          const stream = await schemaHost({ executor, schema, context: () => ({ tenantId: 'acme' }) }).runOperation(
            operation,
          )
          return (async function* () {
            yield* stream as AsyncIterable<object>
          })()
        },
      },
    })
    const stream = openStream({ url: service.url, body: { query: news } })
    await service.active(1)
    await service.publish('a', { text: 'x' })
    await stream.has(1)
    stream.leave()
    await service.connected(0)
    // A generator is ended between two results only.
    await service.publish('a', { text: 'y' })
    await service.idle()
    expect(service.errors).toEqual([])
  })
})
