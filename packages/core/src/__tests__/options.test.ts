import { describe, expect, test } from 'vitest'
import { memoryBus } from '../bus/memory-bus.ts'
import { fromChannel } from '../channel/from-channel.ts'
import { createSubscriptionExecutor } from '../executor.ts'
import type { SubscriptionExecutorOptions } from '../options.ts'
import { schemaOf } from './service.ts'

const schema = schemaOf('changed: Json', { changed: fromChannel({ channel: 'c' }) })
const { drain: _, ...busWithoutDrain } = memoryBus()

function expectBadConfig(act: () => unknown, who: string, option: string | undefined): void {
  let thrown: unknown
  try {
    act()
  } catch (error) {
    thrown = error
  }
  const named = option === undefined ? `[${who}] the options` : `[${who}] the option "${option}"`
  expect(thrown).toMatchObject({ name: 'SluiceError', code: 'BAD_CONFIG', message: expect.stringContaining(named) })
  expect(String(thrown)).not.toContain('hunter2')
}

describe('createSubscriptionExecutor', () => {
  const wrong: [string | undefined, unknown][] = [
    [undefined, null],
    [undefined, 7],
    [undefined, 'hunter2'],
    ['schema', { schema: {} }],
    ['schema', { schema: 'hunter2' }],
    ['schema', { schema: null }],
    ['bus', { bus: {} }],
    ['bus', { bus: 'redis://:hunter2@localhost' }],
    ['bus', { bus: memoryBus }],
    ['bus', { bus: busWithoutDrain }],
    ['scope', { scope: { tenantId: 'hunter2' } }],
    ['scope', { scope: null }],
    ['eventContext', { eventContext: {} }],
    ['execute', { execute: 'hunter2' }],
    ['overflow', { overflow: 'disconnect' }],
    ['overflow.policy', { overflow: { policy: 'wait' } }],
    ['overflow.maxPendingCount', { overflow: { maxPendingCount: 0 } }],
    ['overflow.maxPendingCount', { overflow: { maxPendingCount: 1.5 } }],
    ['overflow.maxPendingBytes', { overflow: { maxPendingBytes: '1mb' } }],
    ['overflow.maxCount', { overflow: { maxCount: 1 } }],
    ['maxPendingEvents', { maxPendingEvents: 0 }],
    ['maxPendingEvents', { maxPendingEvents: '256' }],
    ['maxPendingEvents', { maxPendingEvents: Number.POSITIVE_INFINITY }],
    ['maxConcurrentExecutions', { maxConcurrentExecutions: -1 }],
    ['maxConcurrentExecutions', { maxConcurrentExecutions: Number.NaN }],
    ['executionTimeoutMs', { executionTimeoutMs: 0 }],
    ['executionTimeoutMs', { executionTimeoutMs: 2 ** 31 }],
    ['subscribeTimeoutMs', { subscribeTimeoutMs: '10s' }],
    ['subscribeTimeoutMs', { subscribeTimeoutMs: Number.POSITIVE_INFINITY }],
    ['onSchemaChange', { onSchemaChange: 'restart' }],
    ['onGap', { onGap: 'ignore' }],
    ['onError', { onError: 'hunter2' }],
    ['logger', { logger: {} }],
    ['logger', { logger: { error: () => undefined } }],
    ['eventcontext', { eventcontext: () => ({}) }],
    ['__proto__x', { ['__proto__x']: 1 }],
  ]
  test.each(wrong)('refuses %s of a wrong type with BAD_CONFIG: %o', (option, options) => {
    expectBadConfig(() => createSubscriptionExecutor(options as object), 'createSubscriptionExecutor', option)
  })

  test('takes nothing, undefined for everything, and everything that is right', async () => {
    const names = [
      'schema',
      'bus',
      'scope',
      'eventContext',
      'execute',
      'overflow',
      'maxPendingEvents',
      'onError',
      'logger',
    ]
    const all = [
      undefined,
      {},
      Object.fromEntries(names.map((name) => [name, undefined])),
      { overflow: { policy: undefined, maxPendingCount: undefined } },
      {
        schema,
        bus: memoryBus(),
        scope: () => null,
        eventContext: () => ({}),
        execute: () => ({}),
        overflow: { policy: 'dropOldest' as const, maxPendingCount: 1, maxPendingBytes: 1 },
        maxPendingEvents: 1,
        maxConcurrentExecutions: 1,
        executionTimeoutMs: 1,
        subscribeTimeoutMs: 2_147_483_647,
        onSchemaChange: 'end' as const,
        onGap: 'end' as const,
        onError: () => undefined,
        logger: console,
      },
    ]
    for (const options of all) await createSubscriptionExecutor(options as SubscriptionExecutorOptions).dispose()
  })

  test('has the documented defaults', () => {
    const { overflow } = createSubscriptionExecutor()
    expect(overflow).toEqual({ maxPendingCount: 1024, maxPendingBytes: 1_048_576, policy: 'disconnect' })
  })
})

describe('fromChannel', () => {
  const channel = 'c'
  const wrong: [string | undefined, unknown][] = [
    [undefined, undefined],
    [undefined, null],
    [undefined, 'orders'],
    ['channel', {}],
    ['channel', { channel: undefined }],
    ['channel', { channel: '' }],
    ['channel', { channel: 'x'.repeat(257) }],
    ['channel', { channel: 7 }],
    ['channel', { channel: [] }],
    ['channel', { channel: null }],
    ['types', { channel, types: 'created' }],
    ['types', { channel, types: [] }],
    ['types.0', { channel, types: [''] }],
    ['types.1', { channel, types: ['a', 7] }],
    ['share', { channel, share: 'everybody' }],
    ['share', { channel, share: true }],
    ['match', { channel, match: 'status' }],
    ['match', { channel, match: 7 }],
    ['filter', { channel, filter: true }],
    ['tenancy', { channel, tenancy: 'global' }],
    ['onGap', { channel, onGap: 'ignore' }],
    ['resolve', { channel, resolve: {} }],
    ['chanel', { channel, chanel: 'd' }],
  ]
  test.each(wrong)('refuses %s of a wrong type with BAD_CONFIG: %o', (option, options) => {
    expectBadConfig(() => fromChannel(options as never), 'fromChannel', option)
  })

  test('refuses a static match with a value that cannot be compared, naming its path', () => {
    for (const value of [{}, { in: [1] }, [[1]], [{}], () => 1, Symbol('x')]) {
      const act = () => fromChannel({ channel, match: { 'a.b': value as never } })
      expect(act).toThrow(expect.objectContaining({ code: 'BAD_CONFIG', message: expect.stringContaining('"a.b"') }))
    }
  })

  test('says of an option that is missing that it is missing', () => {
    expect(() => fromChannel({} as never)).toThrow('the option "channel": is missing')
  })
})
