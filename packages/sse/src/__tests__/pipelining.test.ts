import { until } from '@sluice/testkit'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { openSocket, postOf, type RawSocket } from './raw-socket.ts'
import { openService, type Service, type ServiceOptions } from './service.ts'

const news = (topic: string): string => `subscription { news(topic: "${topic}") { text } }`
const hello = 'event: next\ndata: {"data":{"hello":"world"}}\n\n'

async function send(queries: readonly string[], options: ServiceOptions = {}): Promise<[Service, RawSocket]> {
  const service = await openService(options)
  const socket = await openSocket(service.port)
  socket.write(queries.map((query) => postOf({ query })).join(''))
  return [service, socket]
}

describe('requests that are pipelined on one connection', () => {
  it('are answered one after the other', async () => {
    const [service, socket] = await send(['{ hello }', 'mutation { add(left: 1, right: 2) }', '{ hello }'])
    await until(() => socket.text.split('event: complete').length === 4, 'three have been answered')
    const answers = socket.text.split('HTTP/1.1 200 OK\r\n').slice(1)
    expect(answers.map((text) => /data: (\{.*\})/.exec(text)?.[1])).toEqual([
      '{"data":{"hello":"world"}}',
      '{"data":{"add":3}}',
      '{"data":{"hello":"world"}}',
    ])
    await service.idle()
  })

  it('wait behind a stream, and lose nothing by it', async () => {
    const [service, socket] = await send([news('a'), '{ hello }', news('b')])
    await service.active(2)
    await service.publish('a', { text: 'first' })
    await service.publish('b', { text: 'second' })
    await socket.has('first')
    expect(socket.text).not.toContain('world')
    expect(socket.text).not.toContain('second')
    expect(service.executor.metrics()).toMatchObject({ connections: { active: 3 }, subscriptions: { active: 2 } })

    await service.executor.drain()
    await until(() => socket.text.split('event: complete').length === 4, 'three have been answered')
    expect(socket.text.indexOf('first')).toBeLessThan(socket.text.indexOf('world'))
    expect(socket.text.indexOf('world')).toBeLessThan(socket.text.indexOf('second'))
    expect(socket.text).toContain(hello)
    await service.idle()
    expect(service.errors).toEqual([])
  })

  it('are released, every one, when their client leaves, with one listener for all', async () => {
    const warned = vi.fn<(warning: Error) => void>()
    process.on('warning', warned)
    onTestFinished(() => void process.off('warning', warned))
    const [service, socket] = await send(Array.from({ length: 20 }, (_, index) => news(String(index % 3))))
    await service.active(20)
    expect(service.executor.metrics()).toMatchObject({ connections: { active: 20 }, groups: { active: 3 } })
    socket.socket.destroy()
    await service.idle()
    expect(service.executor.metrics().subscriptions.ended.byReason).toEqual({ client: 20 })
    expect(warned).not.toHaveBeenCalled()
    expect(service.errors).toEqual([])
  })

  it('are released when their client leaves while they are being started', async () => {
    const gated = 'subscription { gated(topic: "a") { text } }'
    const [service, socket] = await send([news('a'), gated, gated])
    await until(() => service.gates.length === 2, 'two are being started')
    socket.socket.destroy()
    await service.connected(0)
    for (const gate of service.gates) gate.open()
    await until(() => service.executor.metrics().subscriptions.total === 3, 'they were started')
    await service.idle()
  })

  it('are refused one by one', async () => {
    const [service, socket] = await send([news('a'), ''])
    await service.active(1)
    await service.executor.drain()
    await until(() => socket.text.split('event: complete').length === 3, 'both have been answered')
    const [, first, second] = socket.text.split('HTTP/1.1 ')
    expect(first).toMatch(/^200 /)
    expect(second).toContain('Syntax Error')
  })

  it('are not cut while they wait, however long it takes: their turn has not come', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const [service, socket] = await send([news('a'), '{ hello }', news('b'), 'subscription { flood }'])
    await service.active(3)
    await service.publish('b', { text: 'second' })
    await until(() => service.pulled.count > 1, 'it is pulled')
    await socket.has(':\n\n')
    for (let count = 0; count < 10; count += 1) {
      const before = socket.text.length
      vi.advanceTimersByTime(12_000)
      await until(() => socket.text.length > before, 'the first got a comment')
    }
    expect(service.executor.metrics()).toMatchObject({ connections: { active: 4 }, subscriptions: { active: 3 } })
    const { count } = service.pulled
    expect(count).toBeLessThan(20) // it is full, as the overflow limits say

    await service.executor.drain()
    await until(() => socket.text.split('event: complete').length === 5, 'all have been answered')
    expect(socket.text).toContain(hello)
    expect(socket.text).toContain('second')
    expect(socket.text.split('"flood"')).toHaveLength(count + 1)
    await service.idle(1)
  })

  it('end with SLOW_CONSUMER where too much waits, which is told when their turn comes', async () => {
    const [service, socket] = await send([news('a'), news('b')], {
      executor: { overflow: { maxPendingBytes: 10_000 } },
    })
    await service.active(2)
    for (let count = 0; count < 5; count += 1) await service.publish('b', { text: 'x'.repeat(5000) })
    await service.active(1)
    expect(service.executor.metrics().subscriptions.ended.byReason).toEqual({ SLOW_CONSUMER: 1 })
    await service.executor.drain()
    await until(() => socket.text.split('event: complete').length === 3, 'both have been answered')
    expect(socket.text).toContain('SLOW_CONSUMER')
    await service.idle()
  })

  it('are cut when the server takes leave and their turn does not come', async () => {
    const service = await openService({
      endpoint: { closeTimeoutMs: 20 },
      serve(request, response, { handler }) {
        // Not every response of a connection is one of the endpoint's.
        if (request.url === '/other') response.write('…')
        else handler(request, response)
      },
    })
    const socket = await openSocket(service.port)
    socket.write('GET /other HTTP/1.1\r\nhost: localhost\r\n\r\n')
    socket.write(postOf({ query: news('a') }) + postOf({ query: '{ hello }' }))
    await service.active(1)
    await service.connected(2)
    await service.endpoint.dispose()
    await socket.closed
    await service.idle()
  })
})
