import { createServer } from 'node:http'
import { createSubscriptionExecutor } from '@sluice/core'
import { buildSchema } from 'graphql'
import type { Extra } from 'graphql-ws/use/ws'
import { useServer } from 'graphql-ws/use/ws'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { attachWebSocket } from '../attach-web-socket.ts'
import { sluiceServerOptions } from '../sluice-server-options.ts'

const schema = buildSchema('type Query { a: Int }')
const executor = createSubscriptionExecutor({ scope: () => null })

describe('the types', () => {
  it('fit into useServer, with and without types of the application', async () => {
    const server = new WebSocketServer({ noServer: true })
    useServer(
      sluiceServerOptions(executor, {
        schema,
        context: ({ extra, connectionParams }) => {
          expectTypeOf(extra).toExtend<Extra>()
          expectTypeOf(connectionParams).toEqualTypeOf<Readonly<Record<string, unknown>> | undefined>()
          return { authorization: extra.request.headers.authorization }
        },
      }),
      server,
    )
    useServer<{ token: string }, { user: string }>(
      sluiceServerOptions<{ token: string }, Extra & Partial<{ user: string }>>(executor, {
        schema,
        onConnect: (ctx) => {
          expectTypeOf(ctx.extra.user).toEqualTypeOf<string | undefined>()
          return ctx.connectionParams?.token === 'secret'
        },
      }),
      server,
    )
    expect(server.listenerCount('connection')).toBe(2)
    server.close()
  })

  it('are those of graphql-ws in attachWebSocket', async () => {
    await using attached = attachWebSocket({
      executor,
      server: createServer(),
      path: '/graphql',
      serverOptions: { schema, onConnect: ({ extra }) => extra.request.url !== undefined },
    })
    expect(attached).toHaveProperty('dispose')
  })
})
