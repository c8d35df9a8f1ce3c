import { once } from 'node:events'
import { until } from '@sluice/testkit'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { takenBytes } from '../taken-bytes.ts'
import { openStream } from './raw-stream.ts'
import { openService, type Service, type ServiceOptions } from './service.ts'

const heartbeatMs = 1000
const news = 'subscription { news(topic: "a") { text } }'

const open = (options: ServiceOptions = {}): Promise<Service> => openService({ endpoint: { heartbeatMs }, ...options })
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 500; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** Resolves when the kernel takes nothing more of a client that reads nothing. */
async function stuck(service: Service): Promise<void> {
  const { socket } = service.exchange().request
  for (let before = -1; takenBytes(socket) > before; ) {
    before = takenBytes(socket)
    await turns()
  }
  expect(service.pendingBytes()).toBeGreaterThan(0)
}

describe('the heart of an endpoint', () => {
  it('beats with a comment, over and over', async () => {
    const service = await openService({ endpoint: { heartbeatMs: 5 } })
    const stream = openStream({ url: service.url, body: { query: news } })
    await until(() => stream.text.startsWith(':\n\n'.repeat(5)), 'five comments have come')
    await service.publish('a', { text: 'x' })
    await stream.has(1)
    expect(stream.results).toEqual([{ data: { news: { text: 'x' } } }])
  })

  it('stands still while nobody is there', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const service = await open()
    expect(vi.getTimerCount()).toBe(0)
    const streams = [1, 2, 3].map(() => openStream({ url: service.url, body: { query: news } }))
    await service.active(3)
    expect(vi.getTimerCount()).toBe(1)
    for (const stream of streams) stream.leave()
    await service.idle()
    expect(vi.getTimerCount()).toBe(0)
    openStream({ url: service.url, body: { query: news } })
    await service.active(1)
    expect(vi.getTimerCount()).toBe(1)
  })
})

describe('with every beat', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    return () => void vi.useRealTimers()
  })
  const beat = (): void => void vi.advanceTimersByTime(heartbeatMs)

  it('a stream gets one comment, and no stream before it has begun', async () => {
    const service = await open()
    const begun = openStream({ url: service.url, body: { query: news } })
    const starting = openStream({ url: service.url, body: { query: 'subscription { gated(topic: "a") { text } }' } })
    await service.active(1)
    await until(() => service.gates.length === 1, 'the other is being started')
    for (const count of [2, 3, 4]) {
      beat()
      await until(() => begun.text === ':\n\n'.repeat(count), 'a comment has come')
    }
    expect(service.exchanges[1]?.response.headersSent).toBe(false)
    service.gates[0]?.open()
    await until(() => starting.text === ':\n\n', 'it has begun')
    beat()
    await until(() => starting.text === ':\n\n:\n\n', 'a comment has come')
  })

  it('a client that takes nothing, although something waits, is nearer to its end', async () => {
    const service = await open()
    const stream = openStream({ url: service.url, body: { query: 'subscription { flood }' } })
    ;(await stream.response).pause()
    await stuck(service)
    const exchange = service.exchange()

    beat() // the first to see where it stands
    beat()
    const waiting = service.pendingBytes()
    await turns()
    expect([exchange.response.closed, service.executor.metrics().connections.active]).toEqual([false, 1])
    expect(waiting).toBeGreaterThan(1_000_000)

    beat()
    await service.idle(1)
    expect(exchange.request.socket.destroyed).toBe(true)
    expect(service.errors).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('nothing is added to what waits', async () => {
    const service = await open()
    const stream = openStream({ url: service.url, body: { query: 'subscription { flood }' } })
    ;(await stream.response).pause()
    await stuck(service)
    const waiting = service.pendingBytes()
    beat()
    beat()
    expect(service.pendingBytes()).toBe(waiting)
  })

  it.each([
    ['one write that is larger than all it reads', '{ big(size: 60000000) }'],
    ['a source that is pulled', 'subscription { flood }'],
  ])('a client that moves stays, however slowly it reads: %s', async (_, query) => {
    const service = await open()
    const stream = openStream({ url: service.url, body: { query } })
    const response = await stream.response
    response.pause()
    await stuck(service)
    const { request } = service.exchange()
    for (let count = 0; count < 8; count += 1) {
      beat()
      const before = takenBytes(request.socket)
      response.resume()
      await until(() => takenBytes(request.socket) > before, 'something was taken')
      response.pause()
      await turns()
      expect(service.pendingBytes()).toBeGreaterThan(0)
    }
    beat()
    await turns()
    expect(service.executor.metrics().connections.active).toBe(1)
    expect(request.socket.destroyed).toBe(false)

    // And then it stops.
    for (const _ of [1, 2, 3]) beat()
    await service.connected(0)
  })

  it('a client that has to read the end, and does not, is nearer to it as well', async () => {
    const service = await open({ endpoint: { heartbeatMs, closeTimeoutMs: 1_000_000 } })
    const stream = openStream({ url: service.url, body: { query: '{ big(size: 20000000) }' } })
    ;(await stream.response).pause()
    await stuck(service)
    expect(service.exchanges[0]?.response.writableEnded).toBe(true)
    beat()
    beat()
    expect(service.executor.metrics().connections.active).toBe(1)
    const disposed = service.endpoint.dispose()
    beat()
    await disposed
    await service.idle()
  })

  it('and whatever else happens, a client that has read everything stays', async () => {
    const service = await open()
    const stream = openStream({ url: service.url, body: { query: news } })
    await service.active(1)
    for (let count = 1; count <= 20; count += 1) {
      beat()
      await service.publish('a', { text: 'x'.repeat(100_000) })
      await stream.has(count)
    }
    expect(service.executor.metrics().connections.active).toBe(1)
    stream.leave()
    await once(service.exchange().response, 'close')
  })
})
