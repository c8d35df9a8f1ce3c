import { GraphQLError } from 'graphql'
import { describe, expect, test, vi } from 'vitest'
import {
  type Deferred,
  deferred,
  never,
  nextTurn,
  schemaOf,
  serve,
  take,
  type Viewer,
} from '../../__tests__/service.ts'
import { fromChannel } from '../../channel/from-channel.ts'
import { SluiceError } from '../../errors.ts'
import type { SubscriptionExecutorOptions } from '../../options.ts'

type Act = () => unknown
const failure = new Error('secret')
const failures: Record<string, Act> = {
  throws: () => {
    throw failure
  },
  rejects: () => Promise.reject(failure),
  hangs: () => never(),
}

/** The stage that the event's data names does what the test says; for other data everything works. */
function service(
  acts: { filter?: Act; context?: Act; resolve?: Act; execute?: Act },
  options?: SubscriptionExecutorOptions,
) {
  const when = (data: unknown, act: Act | undefined, otherwise: unknown) => (data === 'fail' && act ? act() : otherwise)
  const schema = schemaOf('changed: Json unfiltered: Json other: Json', {
    changed: fromChannel({
      channel: 'c',
      share: 'tenant',
      filter: (data) => when(data, acts.filter, true) as boolean,
      resolve: (data) => when(data, acts.resolve, data),
    }),
    unfiltered: fromChannel({ channel: 'c', share: 'user', resolve: (data) => when(data, acts.resolve, data) }),
    other: fromChannel({ channel: 'c', share: 'subscriber' }),
  })
  return serve(schema, {
    executionTimeoutMs: 10,
    eventContext: ({ scope, event }) => when(event.data, scope['userId'] === 'other' ? undefined : acts.context, {}),
    ...options,
  })
}

const other: Viewer = { tenantId: 't', userId: 'other' }
const internal = { errors: [expect.objectContaining({ extensions: { code: 'INTERNAL_SERVER_ERROR' } })], data: null }
const timedOut = { errors: [expect.objectContaining({ extensions: { code: 'EXECUTION_TIMEOUT' } })], data: null }
const ok = (field: string, value: unknown) => ({ data: { [field]: value } })

describe.each(Object.entries(failures))('a filter that %s', (how, act) => {
  test('delivers nothing, tells onError once, is counted, and concerns its group alone', async () => {
    const { subscribe, publish, executor, errors } = service({ filter: act })
    const streams = [await subscribe('subscription { changed }'), await subscribe('subscription { changed }', other)]
    const others = await subscribe('subscription { other }')
    await publish('c', 'fail')
    await publish('c', 'go')
    for (const stream of streams) expect(await take(stream)).toEqual(ok('changed', 'go'))
    expect(await take(others)).toEqual(ok('other', 'fail'))
    expect(errors).toEqual([how === 'hangs' ? expect.objectContaining({ code: 'EXECUTION_TIMEOUT' }) : failure])
    expect(executor.metrics().events).toMatchObject({ filtered: 1 })
  })
})

describe.each(Object.entries(failures))('an eventContext that %s', (how, act) => {
  test('fails in its partition alone, and tells onError once for all of its groups that did not time out', async () => {
    const { subscribe, publish, errors } = service({ context: act })
    const streams = [
      await subscribe('subscription { unfiltered }'),
      await subscribe('subscription { again: unfiltered }'),
    ]
    const others = await subscribe('subscription { other }', other)
    await publish('c', 'fail')
    for (const stream of streams) expect(await take(stream)).toEqual(how === 'hangs' ? timedOut : internal)
    expect(await take(others)).toEqual(ok('other', 'fail'))
    const badConfig = expect.objectContaining({ code: 'BAD_CONFIG', cause: failure })
    const timeout = expect.objectContaining({ code: 'EXECUTION_TIMEOUT' })
    expect(errors).toEqual(how === 'hangs' ? [timeout, timeout] : [badConfig])
    await publish('c', 'go')
    expect(await take(streams[0] as never)).toEqual(ok('unfiltered', 'go'))
  })

  test('delivers nothing where there is a filter, which might have hidden the event', async () => {
    const { subscribe, publish } = service({ context: act })
    const stream = await subscribe('subscription { changed }')
    await publish('c', 'fail')
    await publish('c', 'go')
    expect(await take(stream)).toEqual(ok('changed', 'go'))
  })
})

describe('a resolver that', () => {
  test.each([['throws'], ['rejects']])('%s is a GraphQL error as usual, and none for onError', async (how) => {
    const { subscribe, publish, errors } = service({ resolve: failures[how] as Act })
    const stream = await subscribe('subscription { changed }')
    await publish('c', 'fail')
    expect(await take(stream)).toEqual({
      data: { changed: null },
      errors: [expect.objectContaining({ path: ['changed'], message: 'secret' })],
    })
    expect(errors).toEqual([])
  })

  test('hangs is EXECUTION_TIMEOUT, and the events behind it come', async () => {
    const { subscribe, publish } = service({ resolve: never })
    const streams = [await subscribe('subscription { changed }'), await subscribe('subscription { changed }', other)]
    await publish('c', 'fail')
    await publish('c', 'go')
    for (const stream of streams) {
      expect(await take(stream)).toEqual(timedOut)
      expect(await take(stream)).toEqual(ok('changed', 'go'))
    }
  })
})

describe('the option "execute"', () => {
  test.each(Object.entries(failures))('%s: an error result that shows nothing', async (how, act) => {
    const { subscribe, publish, errors } = service({}, { execute: act as never })
    const stream = await subscribe('subscription { changed }')
    await publish('c', 'fail')
    const result = await take(stream)
    expect(result).toEqual(how === 'hangs' ? timedOut : internal)
    expect(JSON.stringify(result)).not.toContain('secret')
    expect(errors).toHaveLength(1)
  })

  test.each([[undefined], [null], ['text'], [{}], [[]], [(async function* () {})()]])(
    'that gives %o is BAD_CONFIG',
    async (given) => {
      const { subscribe, publish, errors } = service({}, { execute: () => given as never })
      const stream = await subscribe('subscription { changed }')
      await publish('c', 'fail')
      expect(await take(stream)).toEqual(internal)
      expect(errors).toEqual([
        expect.objectContaining({ code: 'BAD_CONFIG', message: expect.stringContaining('"execute"') }),
      ])
    },
  )

  test('is given the arguments of the group, the event as root value and the context of the event', async () => {
    const execute = vi.fn(() => ({ data: {} }))
    const { subscribe, publish, schema } = service({}, { execute })
    await subscribe('subscription Name($a: Json) { changed }', undefined, {
      variables: { a: 1 },
      args: { operationName: 'Name' },
    })
    await publish('c', { id: 1 })
    expect(execute).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({
        schema,
        rootValue: { id: 1 },
        contextValue: {},
        operationName: 'Name',
        variableValues: { a: 1 },
      }),
    )
  })
})

describe('after the time is up', () => {
  test('a filter that passes late executes nothing, and the event is counted once', async () => {
    const late: Deferred<boolean> = deferred()
    const execute = vi.fn(() => ({ data: { changed: 1 } }))
    const { subscribe, publish, executor } = service({ filter: () => late.promise }, { execute })
    const stream = await subscribe('subscription { changed }')
    await publish('c', 'fail')
    await publish('c', 'go')
    await take(stream)
    late.resolve(true)
    await nextTurn()
    expect(execute).toHaveBeenCalledTimes(1)
    expect(executor.metrics()).toMatchObject({ executions: 1, events: { filtered: 1 } })
  })

  test('a context that comes late executes nothing', async () => {
    const late = deferred<object>()
    const execute = vi.fn(() => ({ data: { unfiltered: 1 } }))
    const { subscribe, publish } = service({ context: () => late.promise }, { execute })
    const stream = await subscribe('subscription { unfiltered }')
    await publish('c', 'fail')
    expect(await take(stream)).toEqual(timedOut)
    late.resolve({})
    await nextTurn()
    expect(execute).not.toHaveBeenCalled()
  })

  test('a resolver that rejects late is nobody’s unhandled rejection', async () => {
    const late = deferred<unknown>()
    const { subscribe, publish } = service({ resolve: () => late.promise })
    const stream = await subscribe('subscription { changed }')
    await publish('c', 'fail')
    expect(await take(stream)).toEqual(timedOut)
    late.reject(failure)
    await nextTurn()
  })
})

describe('onError', () => {
  test.each(Object.entries(failures))('that %s is logged, and everything goes on', async (how, act) => {
    const error = vi.fn()
    const onError = vi.fn(act)
    const logger = { debug: error, info: error, warn: error, error }
    const { subscribe, publish } = service({ filter: failures['throws'] as Act }, { onError, logger })
    const stream = await subscribe('subscription { changed }')
    await publish('c', 'fail')
    await publish('c', 'go')
    expect(await take(stream)).toEqual(ok('changed', 'go'))
    await nextTurn()
    expect(onError).toHaveBeenCalledExactlyOnceWith(failure)
    expect(error.mock.calls).toEqual(how === 'hangs' ? [] : [[expect.stringContaining('onError'), failure]])
  })

  test('if it is missing, errors go to the logger; what that throws goes nowhere', async () => {
    const error = vi.fn(failures['throws'])
    const logger = { debug: error, info: error, warn: error, error }
    const { subscribe, publish } = service({ filter: failures['throws'] as Act }, { onError: undefined, logger })
    const stream = await subscribe('subscription { changed }')
    await publish('c', 'fail')
    await publish('c', 'go')
    expect(await take(stream)).toEqual(ok('changed', 'go'))
    expect(error).toHaveBeenCalledExactlyOnceWith('[sluice]', failure)
  })
})

describe('a sink that throws', () => {
  test('ends its own subscription alone, and the executor goes on', async () => {
    const { subscribe, publish, executor, errors } = service({})
    const throwing = failures['throws'] as () => never
    const broken = await subscribe('subscription { changed }')
    broken.pushTo({ next: throwing, complete: throwing, error: throwing })
    const whole = await subscribe('subscription { changed }', other)
    await publish('c', 1)
    await publish('c', 2)
    for (const n of [1, 2]) expect(await take(whole)).toEqual(ok('changed', n))
    expect(errors).toContain(failure)
    expect(executor.metrics().subscriptions.active).toBe(1)
  })

  test('when the server ends it does not keep the others from ending', async () => {
    const { subscribe, executor } = service({})
    const throwing = failures['throws'] as () => never
    const broken = await subscribe('subscription { changed }')
    broken.pushTo({ next: throwing, complete: throwing, error: throwing })
    const complete = vi.fn()
    const whole = await subscribe('subscription { changed }', other)
    whole.pushTo({ next: throwing, complete, error: throwing })
    await executor.dispose()
    expect(complete).toHaveBeenCalledTimes(1)
    expect(executor.metrics().subscriptions.active).toBe(0)
  })
})

test('a SluiceError or GraphQLError thrown by a filter hides the event as well', async () => {
  for (const thrown of [new SluiceError('FORBIDDEN', 'no'), new GraphQLError('no')]) {
    const act = () => {
      throw thrown
    }
    const { subscribe, publish, errors } = service({ filter: act })
    const stream = await subscribe('subscription { changed }')
    await publish('c', 'fail')
    await publish('c', 'go')
    expect(await take(stream)).toEqual(ok('changed', 'go'))
    expect(errors).toEqual([thrown])
  }
})
