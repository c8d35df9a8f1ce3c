import { Agent, type IncomingMessage, request } from 'node:http'
import type { Socket } from 'node:net'
import { until } from '@sluice/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openSocket, postOf } from './raw-socket.ts'
import { openService } from './service.ts'

const queries = [
  'subscription { news(topic: "a") { text } }',
  'subscription { silence }',
  'subscription { numbers(to: 2) }',
  'subscription { nothing }',
  '{ hello }',
]

describe('what is over', () => {
  it('leaves nothing: 2,000 streams, left by their clients or ended by the server', async () => {
    const service = await openService()
    const kept: WeakRef<object>[] = []
    for (let round = 0; round < 20; round += 1) {
      const sockets = await Promise.all(Array.from({ length: 100 }, () => openSocket(service.port)))
      for (const [index, { write }] of sockets.entries()) write(postOf({ query: queries[index % queries.length] }))
      await service.active(40)
      for (const socket of sockets) await socket.has('\r\n\r\n')
      await service.publish('a', { text: 'x' })
      for (const { socket } of sockets) socket.destroy()
      await service.connected(0)
      for (const { request: each, response } of service.exchanges.splice(0)) {
        kept.push(new WeakRef(each), new WeakRef(response), new WeakRef(each.socket))
      }
    }
    await service.idle(20 * 40)
    const { connections, subscriptions, queued } = service.executor.metrics()
    expect(connections).toEqual({ active: 0, total: 2000 })
    expect(subscriptions).toMatchObject({
      active: 0,
      total: 1200,
      byTenant: {},
      ended: { byReason: { client: 800, complete: 400 } },
    })
    expect(queued).toEqual({ events: 0, responses: 0 })
    expect(service.errors).toEqual([])

    expect(kept).toHaveLength(6000)
    await until(() => {
      globalThis.gc?.()
      return kept.filter((each) => each.deref() !== undefined).length <= 6
    }, 'it is collected')
  })

  it('leaves nothing on a connection that goes on', async () => {
    const service = await openService()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    const headers = { 'content-type': 'application/json', accept: 'text/event-stream' }
    const sockets = new Set<Socket>()
    const kept: WeakRef<object>[] = []
    const listenerCounts: number[] = []
    for (let count = 0; count < 50; count += 1) {
      const sent = request(service.url, { method: 'POST', headers, agent })
      sent.end(JSON.stringify({ query: queries[2 + (count % 3)] }))
      const response = await new Promise<IncomingMessage>((resolve) => sent.once('response', resolve))
      await new Promise((resolve) => response.resume().once('end', resolve))
      await service.connected(0)
      for (const each of service.exchanges.splice(0)) {
        const { socket } = each.request
        sockets.add(socket)
        kept.push(new WeakRef(each.response))
        listenerCounts.push(socket.eventNames().reduce((sum, name) => sum + socket.listenerCount(name), 0))
      }
    }
    expect([sockets.size, kept.length]).toEqual([1, 50])
    expect(new Set(listenerCounts.slice(1)).size).toBe(1)
    await until(() => {
      globalThis.gc?.()
      return kept.filter((each) => each.deref() !== undefined).length <= 2
    }, 'the responses are collected')
  })
})
