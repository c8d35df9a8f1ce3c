import { constants } from 'node:buffer'
import { createSubscriptionExecutor } from '@sluice/core'
import { buildSchema } from 'graphql'
import { describe, expect, it } from 'vitest'
import { createSseEndpoint } from '../sse-endpoint.ts'
import type { SseEndpointOptions } from '../sse-endpoint-options.ts'

const executor = createSubscriptionExecutor({ scope: () => null })
const schema = buildSchema('type Query { a: Int }')
const host = { runOperation: () => ({ data: {} }) }

describe('createSseEndpoint', () => {
  it.each<[string, object]>([
    ['executor', { schema }],
    ['executor', { schema, executor: null }],
    ['executor', { schema, executor: {} }],
    ['schema', { executor }],
    ['schema', { executor, schema: undefined }],
    ['schema', { executor, schema: null }],
    ['schema', { executor, schema: 'type Query { a: Int }' }],
    ['schema', { executor, schema: {} }],
    ['context', { executor, schema, context: {} }],
    ['context', { executor, schema, context: null }],
    ['host', { executor, host: undefined }],
    ['host', { executor, host: {} }],
    ['host', { executor, host: () => ({ data: {} }) }],
    ['host', { executor, host: { runOperation: true } }],
    ['host', { executor, host: { ...host, sanitizeResult: true } }],
    ['schema', { executor, host, schema }],
    ['context', { executor, host, context: () => ({}) }],
    ['heartbeatMs', { executor, schema, heartbeatMs: 0 }],
    ['heartbeatMs', { executor, schema, heartbeatMs: '12s' }],
    ['heartbeatMs', { executor, schema, heartbeatMs: Number.POSITIVE_INFINITY }],
    ['heartbeatMs', { executor, schema, heartbeatMs: 2_147_483_648 }],
    ['maxBodyBytes', { executor, schema, maxBodyBytes: 0 }],
    ['maxBodyBytes', { executor, schema, maxBodyBytes: '1mb' }],
    ['maxBodyBytes', { executor, schema, maxBodyBytes: constants.MAX_STRING_LENGTH + 1 }],
    ['maxBodyBytes', { executor, schema, maxBodyBytes: Number.NaN }],
    ['maxBodyBytes', { executor, host, maxBodyBytes: null }],
    ['closeTimeoutMs', { executor, schema, closeTimeoutMs: -1 }],
    ['closeTimeoutMs', { executor, schema, closeTimeoutMs: Number.NaN }],
    ['csrfPrevention', { executor, schema, csrfPrevention: 'no' }],
    ['csrfPrevention', { executor, schema, csrfPrevention: null }],
    ['path', { executor, schema, path: '/graphql' }],
  ])('names the option "%s" of what is wrong', (name, options) => {
    expect(() => createSseEndpoint(options as SseEndpointOptions)).toThrow(
      expect.objectContaining({
        code: 'BAD_CONFIG',
        message: expect.stringMatching(new RegExp(`^\\[createSseEndpoint\\] the option "${name}" .+\\.$`)),
      }),
    )
  })

  it.each([undefined, null, 'options', 1])('refuses %j', (options) => {
    expect(() => createSseEndpoint(options as unknown as SseEndpointOptions)).toThrow(
      expect.objectContaining({ code: 'BAD_CONFIG', message: '[createSseEndpoint] the options have to be an object.' }),
    )
  })

  it.each<[string, Partial<SseEndpointOptions>]>([
    ['nothing else', {}],
    [
      'what is absent',
      { heartbeatMs: undefined, maxBodyBytes: undefined, closeTimeoutMs: undefined, csrfPrevention: undefined },
    ],
    ['the least', { heartbeatMs: 1, maxBodyBytes: 1, closeTimeoutMs: 0, csrfPrevention: false }],
    [
      'the most',
      { heartbeatMs: 2_147_483_647, maxBodyBytes: constants.MAX_STRING_LENGTH, closeTimeoutMs: 2_147_483_647 },
    ],
  ])('takes a schema, what gives one, or a host, and %s', async (_, others) => {
    const context = () => ({})
    for (const kind of [{ schema }, { schema: () => schema, context }, { schema, context: undefined }, { host }]) {
      const endpoint = createSseEndpoint({ executor, ...kind, ...others })
      await endpoint.dispose()
    }
  })
})
