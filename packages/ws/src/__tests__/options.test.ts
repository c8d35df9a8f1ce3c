import { createServer } from 'node:http'
import { createSubscriptionExecutor } from '@sluice/core'
import { buildSchema } from 'graphql'
import { describe, expect, it } from 'vitest'
import { attachWebSocket } from '../attach-web-socket.ts'
import type { AttachWebSocketOptions } from '../attach-web-socket-options.ts'
import { sluiceServerOptions } from '../sluice-server-options.ts'
import type { Hooks } from './service.ts'

const schema = buildSchema('type Query { a: Int }')
const executor = createSubscriptionExecutor({ scope: () => null })
const server = createServer()

describe('sluiceServerOptions', () => {
  it.each([undefined, null, {}, 'executor'])('refuses %j as the executor', (wrong) => {
    expect(() => sluiceServerOptions(wrong as typeof executor, { schema })).toThrow(
      expect.objectContaining({ code: 'BAD_CONFIG', message: expect.stringContaining('executor') }),
    )
  })

  it.each<[string, object]>([
    ['schema', {}],
    ['schema', { schema: 'type Query { a: Int }' }],
    ['schema', { schema: {} }],
    ['onNext', { schema, onNext: 'yes' }],
    ['subscribe', { schema, subscribe: {} }],
    ['onSubscribe', { onSubscribe: 1 }],
    ['jsonMessageReplacer', { schema, jsonMessageReplacer: [] }],
    ['connectionInitWaitTimeout', { schema, connectionInitWaitTimeout: '3s' }],
  ])('names the option "%s" of %j', (name, options) => {
    expect(() => sluiceServerOptions(executor, options as Hooks)).toThrow(
      expect.objectContaining({ code: 'BAD_CONFIG', message: expect.stringContaining(`"${name}"`) }),
    )
  })

  it('refuses options that are no object', () => {
    expect(() => sluiceServerOptions(executor, undefined as unknown as Hooks)).toThrow(
      expect.objectContaining({ code: 'BAD_CONFIG' }),
    )
  })

  it('takes a schema, a function that gives one, or onSubscribe', () => {
    expect(() => sluiceServerOptions(executor, { schema })).not.toThrow()
    expect(() => sluiceServerOptions(executor, { schema: () => schema })).not.toThrow()
    expect(() => sluiceServerOptions(executor, { onSubscribe: () => [] })).not.toThrow()
  })
})

describe('attachWebSocket', () => {
  const fine = { executor, server, path: '/graphql', serverOptions: { schema } }

  it.each<[string, object]>([
    ['server', { server: undefined }],
    ['path', { path: undefined }],
    ['path', { path: 'graphql' }],
    ['path', { path: '/graphql?a=1' }],
    ['schema', { serverOptions: {} }],
    ['onNext', { serverOptions: { schema, onNext: 1 } }],
    ['host', { host: {} }],
    ['serverOptions.schema', { host: { runOperation: () => ({}) } }],
    ['maxPayloadBytes', { maxPayloadBytes: 0 }],
    ['maxPayloadBytes', { maxPayloadBytes: '1mb' }],
    ['keepAliveMs', { keepAliveMs: -1 }],
    ['closeTimeoutMs', { closeTimeoutMs: Number.NaN }],
    ['pat', { pat: '/other' }],
  ])('names the option "%s" of %j', (name, change) => {
    expect(() => attachWebSocket({ ...fine, ...change })).toThrow(
      expect.objectContaining({ code: 'BAD_CONFIG', message: expect.stringContaining(`"${name}"`) }),
    )
    expect(server.listenerCount('upgrade')).toBe(0)
  })

  it('refuses to serve a path of a server twice, until it is detached', async () => {
    const first = attachWebSocket(fine)
    expect(() => attachWebSocket(fine)).toThrow(
      expect.objectContaining({ code: 'BAD_CONFIG', message: expect.stringContaining('"/graphql"') }),
    )
    const other = attachWebSocket({ ...fine, path: '/other' })
    await first.dispose()
    await attachWebSocket(fine).dispose()
    await other.dispose()
    expect(server.listenerCount('upgrade')).toBe(0)
  })

  it('refuses what is no executor', () => {
    expect(() => attachWebSocket({ ...fine, executor: undefined } as unknown as AttachWebSocketOptions)).toThrow(
      expect.objectContaining({ code: 'BAD_CONFIG', message: expect.stringContaining('executor') }),
    )
  })
})
