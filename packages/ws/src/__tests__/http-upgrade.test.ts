import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { onUpgradeOf } from '../http-upgrade.ts'
import { until } from './until.ts'

interface Upgradable extends AsyncDisposable {
  readonly server: Server
  /** A client that asked for the upgrade of a path. */
  upgrade(path: string): Socket
  /** What is answered to it until the server ends the connection. */
  answer(path: string): Promise<string>
}

async function openServer(): Promise<Upgradable> {
  const server = createServer((_, response) => response.end('plain HTTP'))
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const upgrade = (path: string) => {
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
    client.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`)
    return client
  }
  return {
    server,
    upgrade,
    async answer(path) {
      const client = upgrade(path)
      let answer = ''
      client.on('data', (data) => {
        answer += String(data)
      })
      await once(client, 'close')
      return answer
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const answering = (text: string) => (_: unknown, socket: Duplex) => void socket.end(text)

describe('the paths of one server', () => {
  it('get their own upgrades each; what none of them is gets 404, and its connection is closed', async () => {
    await using opened = await openServer()
    onUpgradeOf(opened.server, '/graphql', answering('graphql'))
    onUpgradeOf(opened.server, '/other', answering('other'))

    expect(await opened.answer('/graphql?token=1')).toBe('graphql')
    expect(await opened.answer('/other')).toBe('other')
    expect(await opened.answer('/nope')).toMatch(/^HTTP\/1.1 404/)
  })

  it('are one listener, which goes with the last of them', async () => {
    await using opened = await openServer()
    const detachFirst = onUpgradeOf(opened.server, '/graphql', answering('graphql'))
    const detachSecond = onUpgradeOf(opened.server, '/other', answering('other'))
    expect(opened.server.listenerCount('upgrade')).toBe(1)

    detachFirst()
    expect(await opened.answer('/graphql')).toMatch(/^HTTP\/1.1 404/)
    expect(await opened.answer('/other')).toBe('other')

    detachSecond()
    expect(opened.server.listenerCount('upgrade')).toBe(0)
    onUpgradeOf(opened.server, '/graphql', answering('again'))
    expect(await opened.answer('/graphql')).toBe('again')
  })

  it('are served once each; who detached twice does not detach the next', async () => {
    await using opened = await openServer()
    const detach = onUpgradeOf(opened.server, '/graphql', answering('first'))
    expect(() => onUpgradeOf(opened.server, '/graphql', answering('second'))).toThrow(
      expect.objectContaining({ code: 'BAD_CONFIG', message: expect.stringContaining('/graphql') }),
    )
    expect(await opened.answer('/graphql')).toBe('first')

    detach()
    onUpgradeOf(opened.server, '/graphql', answering('second'))
    detach()
    expect(await opened.answer('/graphql')).toBe('second')
  })
})

describe('an upgrade of a path that nobody serves', () => {
  it('is left to other listeners, which may answer it late', async () => {
    await using opened = await openServer()
    onUpgradeOf(opened.server, '/graphql', answering('graphql'))
    opened.server.on('upgrade', (request, socket) => {
      if (request.url === '/late') setImmediate(() => socket.end('late'))
    })

    expect(await opened.answer('/late')).toBe('late')
  })

  it('does not end the process when its client resets the connection, though nobody took it', async () => {
    const uncaught: unknown[] = []
    const onUncaught = (error: unknown) => void uncaught.push(error)
    process.on('uncaughtException', onUncaught)
    try {
      await using opened = await openServer()
      onUpgradeOf(opened.server, '/graphql', answering('graphql'))
      onUpgradeOf(opened.server, '/other', answering('other'))
      const ignored: Duplex[] = []
      opened.server.on('upgrade', (request, socket) => {
        if (request.url === '/nope') ignored.push(socket)
      })
      const client = opened.upgrade('/nope')
      await until(() => ignored.length === 1)

      client.resetAndDestroy()
      await until(() => ignored[0]?.destroyed === true)

      expect(ignored[0]?.errored).toMatchObject({ code: 'ECONNRESET' })
      expect(uncaught).toEqual([])
      expect(await opened.answer('/graphql')).toBe('graphql')
    } finally {
      process.off('uncaughtException', onUncaught)
    }
  })
})
