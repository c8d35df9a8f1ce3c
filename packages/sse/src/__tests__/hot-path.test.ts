import type { Socket } from 'node:net'
import { countWrites, promisesMadeBy, systemCallsFor } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { openStream, type RawStream } from './raw-stream.ts'
import { openService } from './service.ts'

// What a delivery costs, counted and never timed. That it is the very same buffer for all is in sharing.test.ts.

async function open(count: number) {
  const service = await openService()
  const request = { url: service.url, body: { query: 'subscription { news(topic: "a") { text } }' } }
  const streams = Array.from({ length: count }, () => openStream(request))
  await service.active(count)
  for (const stream of streams) await stream.response
  const writes = service.exchanges.map(({ response }) => countWrites(response.socket as Socket))
  return { service, streams, writes }
}

async function hasTexts(streams: readonly RawStream[], texts: readonly string[]): Promise<void> {
  for (const stream of streams) {
    await stream.has(texts.length)
    expect(stream.results).toEqual(texts.map((text) => ({ data: { news: { text } } })))
  }
}

describe('an event that is pushed', () => {
  it('takes one system call per response and tick, for 1 event as for 8', async () => {
    const { service, streams, writes } = await open(5)
    const published: string[] = []
    const publish = async (...texts: string[]) => {
      published.push(...texts)
      await Promise.all(texts.map((text) => service.publish('a', { text })))
      await hasTexts(streams, published)
    }
    expect(await systemCallsFor((round) => publish(`alone ${round}`), writes)).toBe(1)
    const texts = Array.from({ length: 8 }, (_, n) => String(n).repeat(n % 2 === 0 ? 5000 : 1))
    expect(await systemCallsFor(() => publish(...texts), writes)).toBe(1)
    expect(service.executor.metrics().serializations).toBe(published.length)
  })

  it('makes no promise per response', async () => {
    const madeFor = async (count: number) => {
      const { service, streams } = await open(count)
      const made = await promisesMadeBy(() => service.publish('a', { text: 'x' }))
      await hasTexts(streams, ['x', 'x', 'x', 'x', 'x'])
      return made
    }
    expect(await madeFor(40)).toBe(await madeFor(2))
  })
})
