import { describe, expect, it } from 'vitest'
import { rawClient } from './raw-client.ts'
import { openService } from './service.ts'
import { gate, until } from './until.ts'

const NEWS = 'subscription ($topic: String!) { news(topic: $topic) { text } }'
const GATED = 'subscription ($topic: String!) { gated(topic: $topic) { text } }'

function subscribe(id: string, query: string, topic = 'a'): object {
  return { id, type: 'subscribe', payload: { query, variables: { topic } } }
}

function complete(id: string): object {
  return { id, type: 'complete' }
}

describe('an id that is used again', () => {
  it('belongs to the second operation when the first one starts later', async () => {
    await using service = await openService()
    const client = await rawClient(service.url)
    client.send(subscribe('1', GATED, 'first'))
    await until(() => service.gates.length === 1)
    client.send(complete('1'), subscribe('1', GATED, 'second'))
    await until(() => service.gates.length === 2)

    service.gates[1]?.open()
    await until(() => service.activeCount() === 1)
    service.gates[0]?.open()
    await until(() => service.executor.metrics().subscriptions.total === 2)
    await until(() => service.activeCount() === 1)

    await service.publish('first', { text: 'first' })
    await service.publish('second', { text: 'second' })
    await client.has(1)
    expect(client.messages).toMatchObject([{ id: '1', type: 'next', payload: { data: { gated: { text: 'second' } } } }])

    client.send(complete('1'))
    await until(() => service.activeCount() === 0)
    expect(client.messages).toHaveLength(1)
  })

  it('belongs to the second operation when the first one starts earlier', async () => {
    await using service = await openService()
    const client = await rawClient(service.url)
    client.send(subscribe('1', GATED, 'first'))
    await until(() => service.gates.length === 1)
    client.send(complete('1'), subscribe('1', GATED, 'second'))
    await until(() => service.gates.length === 2)

    service.gates[0]?.open()
    await until(() => service.executor.metrics().subscriptions.total === 1)
    await until(() => service.activeCount() === 0)
    service.gates[1]?.open()
    await until(() => service.activeCount() === 1)

    await service.publish('second', { text: 'second' })
    await client.has(1)
    client.send(complete('1'))
    await until(() => service.activeCount() === 0)
    expect(client.messages).toMatchObject([{ id: '1', type: 'next', payload: { data: { gated: { text: 'second' } } } }])
  })

  it('belongs to the second operation when the first one ran already', async () => {
    await using service = await openService()
    const client = await rawClient(service.url)
    client.subscribe('1', NEWS, { topic: 'first' })
    await until(() => service.activeCount() === 1)

    client.send(complete('1'), subscribe('1', NEWS, 'second'))
    await until(() => service.executor.metrics().subscriptions.total === 2)
    await service.publish('first', { text: 'first' })
    await service.publish('second', { text: 'second' })

    await client.has(1)
    expect(client.messages).toMatchObject([{ id: '1', type: 'next', payload: { data: { news: { text: 'second' } } } }])
    expect(service.activeCount()).toBe(1)
    client.send(complete('1'))
    await until(() => service.activeCount() === 0)
  })

  it('hears nothing of the errors of the first operation', async () => {
    await using service = await openService()
    const client = await rawClient(service.url)
    client.send(
      subscribe('1', '{ nothing }'),
      complete('1'),
      subscribe('1', '{ broken }'),
      complete('1'),
      subscribe('1', NEWS),
    )
    await until(() => service.activeCount() === 1)

    await service.publish('a', { text: 'second' })
    await client.has(1)

    expect(client.messages).toMatchObject([{ id: '1', type: 'next', payload: { data: { news: { text: 'second' } } } }])
  })

  it('gets no result of a query that was completed before', async () => {
    await using service = await openService()
    const client = await rawClient(service.url)
    client.subscribe('1', '{ slow }')
    await until(() => service.gates.length === 1)
    client.send(complete('1'), subscribe('1', NEWS))
    await until(() => service.activeCount() === 1)

    service.gates[0]?.open()
    client.send({ id: '2', type: 'subscribe', payload: { query: '{ hello }' } })
    await client.has(2)
    await service.publish('a', { text: 'second' })
    await client.has(3)

    expect(client.messages).toMatchObject([
      { id: '2', type: 'next' },
      { id: '2', type: 'complete' },
      { id: '1', type: 'next', payload: { data: { news: { text: 'second' } } } },
    ])
  })

  it('is free as soon as the client has heard complete', async () => {
    const completing = gate()
    let completions = 0
    await using service = await openService({
      hooks: {
        onComplete: async () => {
          completions += 1
          if (completions === 1) await completing.opened
        },
      },
    })
    const client = await rawClient(service.url)
    // The first one comes to its end by itself, and while the hook takes its time the client gives it up.
    client.send({ id: '1', type: 'subscribe', payload: { query: '{ hello }' } })
    await until(() => completions === 1)
    client.send(complete('1'), subscribe('1', NEWS))
    await until(() => service.activeCount() === 1)
    completing.open()
    await service.publish('a', { text: 'second' })
    await client.has(2)
    client.send(complete('1'))
    await until(() => service.activeCount() === 0)

    expect(client.messages).toMatchObject([
      { id: '1', type: 'next', payload: { data: { hello: 'world' } } },
      { id: '1', type: 'next', payload: { data: { news: { text: 'second' } } } },
    ])
    expect(completions).toBe(2)
  })

  it('is refused while its operation runs', async () => {
    await using service = await openService()
    const client = await rawClient(service.url)
    client.send(subscribe('1', NEWS), subscribe('1', NEWS))

    expect(await client.closed).toMatchObject({ code: 4409 })
    await until(() => service.activeCount() === 0)
  })
})

describe('an operation that is completed while it starts', () => {
  it('is released as soon as it has started', async () => {
    await using service = await openService()
    const client = await rawClient(service.url)
    client.subscribe('1', GATED, { topic: 'a' })
    await until(() => service.gates.length === 1)
    client.send(complete('1'), { type: 'ping' })
    await client.has(1)

    service.gates[0]?.open()
    await until(() => service.executor.metrics().subscriptions.total === 1)
    await until(() => service.activeCount() === 0)

    client.send({ type: 'ping' })
    await client.has(2)
    expect(client.messages).toEqual([{ type: 'pong' }, { type: 'pong' }])
  })

  it('is released when its socket closes meanwhile', async () => {
    await using service = await openService()
    const client = await rawClient(service.url)
    client.send(subscribe('1', GATED), subscribe('2', GATED), subscribe('3', NEWS))
    await until(() => service.gates.length === 2 && service.activeCount() === 1)
    client.send(complete('1'), subscribe('1', GATED))
    await until(() => service.gates.length === 3)

    client.socket.terminate()
    await until(() => service.activeCount() === 0)
    for (const { open } of service.gates) open()
    await until(() => service.executor.metrics().subscriptions.total === 4)
    await until(() => service.activeCount() === 0)

    expect(service.executor.metrics().connections).toEqual({ active: 0, total: 1 })
    expect(service.errors).toEqual([])
  })

  it('is not subscribed at all if it is completed while its context is made', async () => {
    const making = gate()
    let contexts = 0
    await using service = await openService({
      hooks: {
        context: async () => {
          contexts += 1
          await making.opened
          return { tenantId: 'acme' }
        },
      },
    })
    const client = await rawClient(service.url)
    client.send(subscribe('1', NEWS), subscribe('2', NEWS))
    await until(() => contexts === 2)
    client.send(complete('1'), { type: 'ping' })
    await client.has(1)
    making.open()
    await until(() => service.activeCount() === 1)

    expect(service.executor.metrics().subscriptions.total).toBe(1)
  })

  it('does not pile up: a client who goes on like that is refused', async () => {
    await using service = await openService()
    const client = await rawClient(service.url)
    for (let round = 1; round <= 100; round += 1) {
      client.subscribe('1', GATED, { topic: 'a' })
      await until(() => service.gates.length === round)
      client.send(complete('1'))
    }

    client.subscribe('2', GATED, { topic: 'a' })
    await client.has(1)
    expect(client.messages).toMatchObject([
      { id: '2', type: 'error', payload: [{ extensions: { code: 'LIMIT_EXCEEDED' } }] },
    ])
    expect(service.gates).toHaveLength(100)

    for (const { open } of service.gates) open()
    await until(() => service.executor.metrics().subscriptions.total === 100)
    await until(() => service.activeCount() === 0)
    client.subscribe('2', NEWS, { topic: 'a' })
    await until(() => service.activeCount() === 1)
  })

  it('costs nothing if it is completed in the same breath', async () => {
    await using service = await openService()
    const client = await rawClient(service.url)
    for (let round = 1; round <= 50; round += 1) {
      client.send(
        ...Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? subscribe('1', GATED) : complete('1'))),
        { type: 'ping' },
      )
      await client.has(round)
    }
    client.subscribe('2', NEWS, { topic: 'a' })
    await until(() => service.activeCount() === 1)

    expect(client.messages.every(({ type }) => type === 'pong')).toBe(true)
    expect(service.gates.length).toBeLessThan(50)
  })
})
