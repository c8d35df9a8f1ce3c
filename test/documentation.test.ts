import { readFile } from 'node:fs/promises'
import { createClient } from 'graphql-ws'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { compileScripts } from './compile-scripts.ts'
import { curlsIn, scriptsIn } from './markdown.ts'
import { type EventStreamReader, readEventStream, send } from './run-curl.ts'
import { startScript } from './run-script.ts'

const pages = [
  'README.md',
  'docs/hosts/yoga.md',
  'docs/hosts/apollo.md',
  'docs/hosts/envelop.md',
  'docs/hosts/graphql-ws.md',
]

/** Pages without a server of their own to run. */
const otherPages = ['docs/buses/postgres.md', 'docs/buses/redis.md', 'packages/jit/README.md']

const textOf = (page: string): Promise<string> => readFile(new URL(`../${page}`, import.meta.url), 'utf8')

describe('the documentation', () => {
  it('has scripts that compile', async () => {
    const scripts: Record<string, string> = {}
    for (const page of [...pages, ...otherPages]) {
      const text = await textOf(page)
      const name = page.replaceAll(/\W/g, '-')
      for (const language of ['js', 'ts'] as const) {
        for (const [index, script] of scriptsIn(text, language).entries())
          scripts[`${name}-${index}.${language === 'js' ? 'mjs' : 'ts'}`] = script
      }
    }
    expect(Object.keys(scripts).length).toBeGreaterThan(pages.length)
    expect(await compileScripts(scripts)).toEqual([])
  })

  for (const page of pages) {
    it(`of ${page} works when it is pasted: both transports, its own tenant only, and a stop that takes leave`, async () => {
      const text = await textOf(page)
      const [server] = scriptsIn(text, 'js')
      const [subscribe, ship, metrics] = curlsIn(text)
      if (server === undefined || subscribe === undefined || ship === undefined) throw new Error('a block is missing')
      await using script = await startScript(server)
      const { url } = script

      const ada = await readEventStream(url, subscribe)
      const gil = await readEventStream(url, withUser(subscribe, 'Bearer gil'))
      const socket = createClient({
        url: `${url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        retryAttempts: 0,
        connectionParams: { authorization: 'Bearer ada' },
      })
      const overSocket: unknown[] = []
      const socketEnd = new Promise((resolve) => {
        const query = 'subscription { orderChanged { id status } }'
        socket.subscribe(
          { query },
          { next: (result) => overSocket.push(result), error: resolve, complete: () => resolve('complete') },
        )
      })

      // Nothing tells over a socket that a subscription has begun but its first event: ship until it is there.
      while (overSocket.length === 0) await send(url, ship)
      const shipped = { data: { orderChanged: { id: '7', status: 'shipped' } } }
      expect(await ada.next()).toEqual(shipped)
      expect(overSocket[0]).toEqual(shipped)
      await send(url, { ...withUser(ship, 'Bearer gil'), body: ship.body.replace('7', '8') })
      // The first thing that the other tenant gets is its own.
      expect(await gil.next()).toEqual({ data: { orderChanged: { id: '8', status: 'shipped' } } })
      if (metrics !== undefined) expect(await send(url, metrics)).toMatch(/^graphql_subscriptions_active.* 3$/m)

      if (page === 'README.md') return // it is short, and says nothing of stopping
      script.kill('SIGTERM')
      await Promise.all([ada, gil].map((stream: EventStreamReader) => stream.completed))
      expect(await socketEnd).toBe('complete')
      // Apollo Server sends itself the signal again when it has stopped.
      expect([0, 'SIGTERM']).toContain(await script.exit)
    })
  }
})

function withUser<T extends { readonly headers: Readonly<Record<string, string>> }>(curl: T, authorization: string): T {
  return { ...curl, headers: { ...curl.headers, authorization } }
}
