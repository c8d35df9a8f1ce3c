import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { redisBus } from '@sluice/redis'
import { useSluice } from '@sluice/yoga'
import { createYoga } from 'graphql-yoga'
import { personOf } from './people.ts'
import { createChatSchema } from './schema.ts'

export interface ChatServerOptions {
  readonly redisUrl: string
  /** The name of this instance. */
  readonly instance: string
  /** @default 0: any free port */
  readonly port?: number
}

export interface ChatServer {
  readonly url: string
  /** Completes the subscriptions, closes the bus, and resolves when the server is down. */
  close(): Promise<void>
}

/** What Yoga and Sluice hand to the context: connection parameters over WebSocket only. */
interface Incoming {
  readonly request: Request
  readonly connectionParams?: Readonly<Record<string, unknown>> | undefined
}

/** Starts one instance. Redis need not be there yet. Rejects if the port is taken. */
export async function startChatServer({ redisUrl, instance, port = 0 }: ChatServerOptions): Promise<ChatServer> {
  const personIn = ({ request, connectionParams }: Incoming) =>
    personOf(connectionParams?.['authorization'] ?? request.headers.get('authorization'))
  const sluice = useSluice({
    // A mutation waits so long for Redis: a restart takes less.
    bus: redisBus({ url: redisUrl, consumerGroup: 'chat', publishTimeoutMs: 10_000 }),
    scope: (incoming: Incoming) => personIn(incoming),
    eventContext: ({ scope }) => ({ tenantId: scope.tenantId }),
  })
  const yoga = createYoga({
    schema: createChatSchema(instance),
    context: (incoming: Incoming) => ({ person: personIn(incoming) }),
    plugins: [sluice],
    logging: false,
  })
  const server = createServer((request, response) => void yoga(request, response))
  sluice.attachWebSocket(server)
  server.listen(port, 'localhost')
  await once(server, 'listening')
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/graphql`,
    async close() {
      const closed = once(server, 'close')
      server.close()
      await yoga.dispose()
      server.closeAllConnections()
      await closed
    },
  }
}
