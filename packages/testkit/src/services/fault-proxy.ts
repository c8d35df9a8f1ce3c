import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Seen from the client. */
export type Direction = 'toServer' | 'toClient'

/**
 * Looks at what goes through: returns what goes on in its place, in this order, which is nothing, itself, itself twice, or
 * something that was held back.
 */
export type Intercept = (chunk: Buffer, direction: Direction) => readonly Buffer[]

/** A TCP proxy on the loopback interface that breaks what goes through it. */
export interface FaultProxy {
  readonly port: number
  readonly connectionCount: number
  /** From now on; `undefined`: everything goes through. Also for connections that are made later. */
  intercept: Intercept | undefined
  /** Has one direction, or both, go nowhere: no data, no end, no error, as behind a firewall that forgot the connection. */
  swallow(direction: Direction | 'both' | 'nothing'): void
  /** Connections that are made from now on go to another port; those that are there stay. */
  retarget(port: number): void
  /** Breaks all connections with a reset. */
  cut(): void
  close(): Promise<void>
}

/** Starts a proxy in front of a port of the loopback interface. */
export async function startFaultProxy(targetPort: number): Promise<FaultProxy> {
  const sockets = new Set<Socket>()
  let target = targetPort
  let swallowed: Direction | 'both' | 'nothing' = 'nothing'
  let connectionCount = 0

  const server = createServer((client) => {
    const server = connect(target, '127.0.0.1')
    connectionCount += 1
    pass(client, server, 'toServer')
    pass(server, client, 'toClient')
    client.once('close', () => {
      connectionCount -= 1
    })
  })

  function pass(from: Socket, to: Socket, direction: Direction): void {
    const isSwallowed = (): boolean => swallowed === 'both' || swallowed === direction
    sockets.add(from)
    from.setNoDelay(true)
    from.on('data', (chunk: Buffer) => {
      if (isSwallowed()) return
      for (const part of proxy.intercept?.(chunk, direction) ?? [chunk]) to.write(part)
    })
    from.on('error', () => undefined) // told by 'close'
    from.once('close', () => {
      sockets.delete(from)
      // The end of a connection is something that goes through too. Without it the other side is left half-open.
      if (!isSwallowed()) to.destroy()
    })
  }

  const proxy: FaultProxy = {
    port: 0,
    get connectionCount() {
      return connectionCount
    },
    intercept: undefined,
    swallow(direction) {
      swallowed = direction
    },
    retarget(port) {
      target = port
    },
    cut() {
      for (const socket of sockets) socket.resetAndDestroy()
    },
    async close() {
      swallowed = 'nothing'
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return Object.assign(proxy, { port })
}
