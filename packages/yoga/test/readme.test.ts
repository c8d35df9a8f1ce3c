import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { createClient as createSseClient } from 'graphql-sse'
import { createClient as createWsClient } from 'graphql-ws'
import { afterEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'

const readme = new URL('../../../README.md', import.meta.url)
const packageFolder = fileURLToPath(new URL('..', import.meta.url))
let server: ChildProcess | undefined

afterEach(async () => {
  if (server === undefined || server.exitCode !== null) return
  const exited = once(server, 'exit')
  server.kill()
  await exited
})

test('the server of the README works as it stands, over SSE and WebSocket, for its own tenant only', async () => {
  const code = /```js\n(?<code>.*?)```/s.exec(await readFile(readme, 'utf8'))?.groups?.['code']
  expect(code?.split('\n').length).toBeLessThan(32)
  const port = await freePort()
  server = spawn(process.execPath, ['--conditions=@sluice/source', '--import', 'tsx', '--input-type=module', '-'], {
    cwd: packageFolder,
    env: { ...process.env, PORT: String(port) },
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  server.stdin?.end(code)
  const url = `http://127.0.0.1:${port}/graphql`
  await answers(url)

  const query = 'subscription { orderChanged { id status } }'
  const ada = createSseClient({ url, headers: { authorization: 'Bearer ada' }, retryAttempts: 0 }).iterate({ query })
  const gil = createWsClient({
    url: url.replace('http', 'ws'),
    webSocketImpl: socketOf('Bearer gil'),
    retryAttempts: 0,
  }).iterate({ query })
  const [adasFirst, gilsFirst] = [ada.next(), gil.next()]
  // A subscription is live when its server says so; a first event of one's own tenant, repeated until it comes, tells.
  await expect
    .poll(() => shipUntil(url, 'Bearer ada', adasFirst, 'a'))
    .toEqual({ data: { orderChanged: { id: 'a', status: 'shipped' } } })
  await expect
    .poll(() => shipUntil(url, 'Bearer gil', gilsFirst, 'g'))
    .toEqual({ data: { orderChanged: { id: 'g', status: 'shipped' } } })
  await Promise.all([ada.return?.(), gil.return?.()])
})

async function shipUntil(
  url: string,
  user: string,
  first: Promise<IteratorResult<unknown, unknown>>,
  id: string,
): Promise<unknown> {
  await graphql(url, user, `mutation { ship(id: "${id}") { id } }`)
  const arrived = await Promise.race([first, graphql(url, user, '{ hello }')])
  return 'value' in arrived ? arrived.value : undefined
}

async function graphql(url: string, user: string, query: string): Promise<object> {
  const headers = { 'content-type': 'application/json', authorization: user }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }) })
  return (await response.json()) as object
}

async function answers(url: string): Promise<void> {
  await expect
    .poll(
      () =>
        fetch(`${url}?query={hello}`).then(
          (response) => response.status,
          () => 0,
        ),
      { timeout: 20_000 },
    )
    .toBe(200)
}

function socketOf(authorization: string): typeof WebSocket {
  return class extends WebSocket {
    constructor(address: string, protocols: string) {
      super(address, protocols, { headers: { authorization } })
    }
  } as typeof WebSocket
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (typeof address !== 'object' || address === null) throw new Error('There is no free port.')
  return address.port
}
