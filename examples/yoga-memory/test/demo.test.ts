import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startDemo, type DemoProcess } from './demo-process.ts'

describe('npm run demo', () => {
  it('with --once prints what each tenant received, and exits with 0', async () => {
    await using demo = startDemo('--once', '--port', '0')
    const { code, output } = await demo.end
    expect({ code, lines: linesOf(output) }).toEqual({
      code: 0,
      lines: [
        'Sluice demo · two tenants, one executor',
        '',
        'acme     (WebSocket)  ← orderChanged #1001 paid',
        'globex   (SSE)        ← orderChanged #2001 paid',
        "each received its own tenant's event only; 2 events, 2 executions, 2 deliveries",
        '',
        expect.stringMatching(/^board {4}http:\/\/localhost:\d+\/$/),
        '',
      ],
    })
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('stays up until %s, then exits with 0', async (signal) => {
    await using demo = startDemo('--port', '0')
    expect((await fetch(await demo.url)).status).toBe(200)
    demo.kill(signal)
    expect(await demo.end).toMatchObject({ code: 0 })
  })

  it('with --help says what there is', async () => {
    await using demo = startDemo('--help')
    expect(await demo.end).toMatchObject({ code: 0 })
    expect(demo.output()).toMatch(/--port <number>[^]*--host <name>[^]*--once/)
  })

  it.each([
    [['--prot', '4000'], /--prot/],
    [['--port', 'http'], /--port takes a number from 0 to 65535, not "http"/],
    [['--port', '65536'], /--port takes a number from 0 to 65535, not "65536"/],
    [['--host='], /--host takes a name or an address/],
    [['extra'], /extra/],
  ])('refuses %j with 2', async (args, message) => {
    await using demo = startDemo(...args)
    expect(await demo.end).toEqual({ code: 2, output: expect.stringMatching(message) })
  })

  it('says so if the port that was asked for is in use', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => {
      other.listen(0, 'localhost', resolve)
    })
    const { port } = other.address() as AddressInfo
    try {
      await using demo = startDemo('--once', '--port', String(port))
      expect(await demo.end).toEqual({
        code: 1,
        output: expect.stringContaining(`localhost:${port} is in use. Choose another port with --port`),
      })
    } finally {
      other.close()
    }
  })
})

describe('the server of the demo', () => {
  let demo: DemoProcess
  let url: string

  beforeAll(async () => {
    demo = startDemo('--port', '0')
    url = await demo.url
  })

  afterAll(() => demo[Symbol.asyncDispose]())

  it('lets the page load from nowhere but itself', async () => {
    const { headers } = await fetch(url)
    const policy = headers.get('content-security-policy')
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toMatch(/unsafe|https?:|\*/)
  })

  it('serves its own files only', async () => {
    for (const path of [
      'package.json',
      'clients/graphql-ws/../../../package.json',
      '..%2fpackage.json',
      'operations.d.ts',
    ]) {
      expect({ path, status: (await fetch(new URL(path, url))).status }).toEqual({ path, status: 404 })
    }
    expect((await fetch(url, { method: 'POST' })).status).toBe(405)
  })

  it.each(['query { board { revision } }', 'mutation { createOrder { id } }', 'subscription { orderChanged { id } }'])(
    'answers %s without a token with UNAUTHENTICATED',
    async (query) => {
      for (const authorization of ['', 'Bearer guessed']) {
        const response = await fetch(new URL('graphql', url), {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'text/event-stream, application/json', authorization },
          body: JSON.stringify({ query }),
        })
        expect(await response.text()).toContain('UNAUTHENTICATED')
      }
    },
  )
})

function linesOf(output: string): readonly string[] {
  return output.split('\n').map((line) => line.trim())
}
