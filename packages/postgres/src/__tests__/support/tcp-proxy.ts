import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A wire that can be broken: it stands between a client and a server. */
export interface TcpProxy {
  readonly port: number
  /** How many connections go through it now. */
  readonly connectionCount: number
  /** From now on nothing that the server says arrives, on these connections and on new ones. Nobody is told. */
  swallowFromServer(): void
  /** From now on nothing that the clients say arrives. */
  swallowFromClients(): void
  /** New connections work again; what was swallowed is lost, so the old ones stay as they are. */
  heal(): void
  /** Cuts all connections. */
  cut(): void
  /** Resolves once something was swallowed. */
  swallowed(): Promise<void>
  close(): Promise<void>
}

export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const pairs = new Set<{ client: Socket; server: Socket; isServerMuted: boolean; areClientsMuted: boolean }>()
  const mode = { fromServer: false, fromClients: false }
  let onSwallowed: () => void = () => {}
  const listener = createServer((client) => {
    const server = connect(target, '127.0.0.1')
    const pair = { client, server, isServerMuted: false, areClientsMuted: false }
    pairs.add(pair)
    client.on('data', (data) => {
      if (mode.fromClients) pair.areClientsMuted = true
      if (pair.areClientsMuted) onSwallowed()
      else server.write(data)
    })
    server.on('data', (data) => {
      if (mode.fromServer) pair.isServerMuted = true
      if (pair.isServerMuted) onSwallowed()
      else client.write(data)
    })
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.on('error', () => {})
      from.on('close', () => {
        pairs.delete(pair)
        to.destroy()
      })
    }
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return {
    port: (listener.address() as AddressInfo).port,
    get connectionCount() {
      return pairs.size
    },
    swallowFromServer() {
      mode.fromServer = true
    },
    swallowFromClients() {
      mode.fromClients = true
    },
    heal() {
      mode.fromServer = false
      mode.fromClients = false
    },
    cut() {
      for (const { client } of pairs) client.resetAndDestroy()
    },
    swallowed: () =>
      new Promise((resolve) => {
        onSwallowed = resolve
      }),
    async close() {
      for (const { client, server } of pairs) {
        client.destroy()
        server.destroy()
      }
      listener.close()
      await once(listener, 'close')
    },
  }
}
