import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import { createSubscriptionExecutor, type OperationHost } from '@sluice/core'
import type { RequestHandler } from 'express'
import { buildSchema } from 'graphql'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { createSseEndpoint, type SseEndpointOptions } from '../index.ts'

const executor = createSubscriptionExecutor({ scope: () => null })
const schema = buildSchema('type Query { a: Int }')

describe('the types', () => {
  it('of the handler fit every server of Node, and Express', async () => {
    await using endpoint = createSseEndpoint({ executor, schema })
    const { handler } = endpoint
    const servers = [createServer(handler), createHttpsServer(handler), createHttp2Server(handler)]
    expect(servers.map((server) => server.listeners('request'))).toEqual(servers.map(() => [handler]))
    expectTypeOf(handler).toExtend<RequestHandler>()
    expectTypeOf(handler).returns.toBeVoid()
  })

  it('of the options are a schema or a host, and not both', () => {
    const host: OperationHost = { runOperation: () => ({ data: {} }) }
    expectTypeOf({ executor, schema }).toExtend<SseEndpointOptions>()
    expectTypeOf({ executor, host }).toExtend<SseEndpointOptions>()
    expectTypeOf({ executor }).not.toExtend<SseEndpointOptions>()
    expectTypeOf({ executor, schema, heartbeatMs: '1' }).not.toExtend<SseEndpointOptions>()
  })

  it('of a context are given the request', async () => {
    await using endpoint = createSseEndpoint({
      executor,
      schema,
      context({ req, transport, params, isReadOnly }) {
        expectTypeOf(req.headers.authorization).toEqualTypeOf<string | undefined>()
        expectTypeOf(transport).toEqualTypeOf<'ws' | 'sse'>()
        expectTypeOf(params.query).toBeString()
        expectTypeOf(isReadOnly).toBeBoolean()
        return {}
      },
    })
    expect(endpoint).toHaveProperty('handler')
  })
})
