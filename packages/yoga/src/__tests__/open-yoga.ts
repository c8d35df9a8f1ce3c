import { createServer, type Server } from 'node:http'
import {
  closeServer,
  listen,
  type Subscriber,
  subscribeOverSse,
  type WebSocketClient,
  webSocketClient,
} from '@sluice/testkit'
import { createYoga, type Plugin, type YogaServerOptions } from 'graphql-yoga'
import { onTestFinished } from 'vitest'
import { type AttachWebSocketOptions, type SluiceYogaPlugin, useSluice, type UseSluiceOptions } from '../index.ts'

// biome-ignore lint/complexity/noBannedTypes: Yoga's own way to say that a context adds nothing
type YogaOptions = YogaServerOptions<{}, {}>

export interface OpenYogaOptions {
  /** The executor's options, or an executor. */
  readonly sluice: UseSluiceOptions | SluiceYogaPlugin
  readonly schema: NonNullable<YogaOptions['schema']>
  /** Plugins before ours, and after it. */
  readonly plugins?: readonly Plugin[]
  readonly after?: readonly Plugin[]
  readonly yoga?: YogaOptions
  readonly webSocket?: AttachWebSocketOptions
  readonly headers?: Readonly<Record<string, string>>
}

/** A Yoga server with the plugin, and clients of it. Everything is closed when the test is over. */
export interface OpenYoga {
  readonly sluice: SluiceYogaPlugin
  readonly server: Server
  /** `127.0.0.1:port/path` */
  readonly address: string
  /** What Yoga logged as an error. */
  readonly logged: unknown[]
  connect(connectionParams?: Readonly<Record<string, unknown>>): WebSocketClient
  subscribe(transport: 'WebSocket' | 'SSE', query: string): Subscriber
  dispose(): Promise<void>
}

export const transports = ['WebSocket', 'SSE'] as const

export async function openYoga({
  sluice: given,
  schema,
  plugins = [],
  after = [],
  yoga: options,
  webSocket,
  headers = {},
}: OpenYogaOptions): Promise<OpenYoga> {
  const sluice = 'attachWebSocket' in given ? given : useSluice(given)
  const logged: unknown[] = []
  const quiet = (): void => {}
  const yoga = createYoga({
    schema,
    logging: { debug: quiet, info: quiet, warn: quiet, error: (error: unknown) => logged.push(error) },
    ...options,
    plugins: [...plugins, sluice, ...after],
  })
  const server = createServer((request, response) => void yoga(request, response))
  sluice.attachWebSocket(server, webSocket)
  const address = `${await listen(server)}${yoga.graphqlEndpoint}`
  const clients: WebSocketClient[] = []
  const subscribers: Subscriber[] = []
  const connect = (connectionParams?: Readonly<Record<string, unknown>>): WebSocketClient => {
    const client = webSocketClient({ url: `ws://${address}`, headers, connectionParams })
    clients.push(client)
    return client
  }
  const dispose = async (): Promise<void> => {
    await yoga.dispose()
  }
  onTestFinished(async () => {
    for (const subscriber of subscribers) subscriber.complete()
    await Promise.all(clients.map((client) => client.dispose()))
    await dispose()
    await closeServer(server)
  })
  return {
    sluice,
    server,
    address,
    logged,
    connect,
    subscribe(transport, query) {
      const subscriber =
        transport === 'SSE'
          ? subscribeOverSse({ url: `http://${address}`, headers }, { query })
          : connect().subscribe({ query })
      subscribers.push(subscriber)
      return subscriber
    },
    dispose,
  }
}
