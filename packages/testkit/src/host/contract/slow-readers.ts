import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { HostFactory, RunningHost } from '../host-factory.ts'
import { until } from '../until.ts'
import { headersOf, openHost, type Transport } from './fixture.ts'

const acme = { tenantId: 'acme' }
const items = 'subscription { ofTenant(channel: "items") { id text } }'
const text = 'x'.repeat(256 * 1024)

/** A reader who does not read costs only itself. */
export function slowReadersContract(factory: HostFactory): void {
  describe('a slow reader', () => {
    it('on a WebSocket is closed with 4429, and the others go on', async () => {
      const fixture = await openHost(factory)
      const slow = fixture.connect(acme)
      const stuck = slow.subscribe({ query: items })
      await fixture.active(1)
      const socket = await slow.opened
      socket.pause()
      const count = await publishUntilSlow('WebSocket', fixture)
      socket.resume()
      expect((await slow.closed).code).toBe(4429)
      await stuck.ended
      expect(stuck.results.length).toBeLessThan(count)
      expect(fixture.host.executor.metrics().errors.byCode.SLOW_CONSUMER).toBeGreaterThanOrEqual(1)
      await until(() => fixture.host.executor.metrics().connections.active === 1, 'the slow socket is closed')
    })

    if (factory.features.sse) slowReaderOfSse(factory)
  })
}

/** Publishes, at the pace of one who reads, until the one who does not has been ended. */
async function publishUntilSlow(
  transport: Transport,
  { active, host, publish, subscribe }: Awaited<ReturnType<typeof openHost>>,
): Promise<number> {
  const fast = subscribe(transport, acme, items)
  await active(2)
  let count = 0
  while (host.executor.metrics().subscriptions.active === 2) {
    await publish({ id: String(count), text })
    count += 1
    await fast.received(count)
    if (count > 400) throw new Error('100 MB were published, and the slow reader is still there')
  }
  await publish({ id: 'after', text: '' })
  expect((await fast.received(count + 1)).at(-1)).toEqual({ data: { ofTenant: { id: 'after', text: '' } } })
  expect(fast.results).toHaveLength(count + 1)
  return count
}

/** An SSE response of which nothing is read. */
async function pausedStream({ sseUrl }: RunningHost): Promise<IncomingMessage> {
  const headers = { ...headersOf(acme), accept: 'text/event-stream', 'content-type': 'application/json' }
  const sent = request(sseUrl ?? '', { method: 'POST', headers, agent: false })
  onTestFinished(() => void sent.destroy())
  sent.on('error', () => {})
  sent.end(JSON.stringify({ query: items }))
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  response.pause()
  return response
}

function slowReaderOfSse(factory: HostFactory): void {
  it('of SSE is ended, and the others go on', async () => {
    const fixture = await openHost(factory)
    const response = await pausedStream(fixture.host)
    await fixture.active(1)
    const count = await publishUntilSlow('SSE', fixture)
    // When it reads again, it gets what was on its way, what happened, and the end.
    let body = ''
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => {
      body += chunk
    })
    response.resume()
    await once(response, 'end')
    const events = body.split('\n\n').filter((event) => event.startsWith('event: '))
    expect(events.at(-1)).toMatch(/^event: complete\n/)
    const last = JSON.parse(events.at(-2)?.replace('event: next\ndata: ', '') ?? '') as {
      errors?: { extensions?: { code?: string } }[]
    }
    expect(last.errors?.[0]?.extensions?.code).toBe('SLOW_CONSUMER')
    expect(events.length - 2).toBeLessThan(count)
  })
}
