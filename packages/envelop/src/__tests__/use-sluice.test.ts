import { envelop, type Plugin, useEngine, useExtendContext, useSchema } from '@envelop/core'
import {
  createSubscriptionExecutor,
  fromChannel,
  memoryBus,
  SluiceError,
  type SubscriptionExecutor,
} from '@sluice/core'
import * as graphql from 'graphql'
import { type ExecutionResult, GraphQLInt, GraphQLObjectType, GraphQLSchema } from 'graphql'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type SluiceContext, type SluicePlugin, useSluice } from '../index.ts'

interface Context extends SluiceContext {
  readonly tenantId?: string
}

const News = new GraphQLObjectType({ name: 'News', fields: { id: { type: GraphQLInt } } })

function schemaWith(subscription: object = fromChannel({ channel: 'news', share: 'tenant' })): GraphQLSchema {
  return new GraphQLSchema({
    query: new GraphQLObjectType({ name: 'Query', fields: { id: { type: GraphQLInt, resolve: () => 1 } } }),
    mutation: new GraphQLObjectType({
      name: 'Mutation',
      fields: {
        publish: {
          type: GraphQLInt,
          args: { id: { type: GraphQLInt } },
          resolve: async (_root, { id }: { id: number }, { sluice }: Context) => {
            await sluice.publish({ channel: 'news', type: 'news', data: { id } })
            return id
          },
        },
      },
    }),
    subscription: new GraphQLObjectType({ name: 'Subscription', fields: { news: { type: News, ...subscription } } }),
  })
}

const options = {
  scope: ({ tenantId }: Context) => (tenantId === undefined ? null : { tenantId }),
  eventContext: () => ({}),
}

interface Served {
  readonly sluice: SluicePlugin
  readonly errors: unknown[]
  /** Runs an operation as an Envelop server does. */
  run(source: string, context?: { tenantId?: string }): Promise<ExecutionResult | AsyncGenerator<ExecutionResult>>
  subscribe(source: string, context?: { tenantId?: string }): Promise<AsyncGenerator<ExecutionResult>>
}

interface ServeOptions {
  readonly schema?: GraphQLSchema
  readonly executor?: SubscriptionExecutor
  readonly before?: readonly Plugin[]
  readonly after?: readonly Plugin[]
}

/** A minimal Envelop server; what it serves is disposed of when the test is over. */
function serve({ schema = schemaWith(), executor, before = [], after = [] }: ServeOptions = {}): Served {
  const errors: unknown[] = []
  const sluice = useSluice(
    executor === undefined ? { ...options, onError: (error: unknown) => errors.push(error) } : { executor },
  )
  onTestFinished(() => sluice.dispose())
  const getEnveloped = envelop({ plugins: [useEngine(graphql), useSchema(schema), ...before, sluice, ...after] })
  const run: Served['run'] = async (source, context = { tenantId: 'acme' }) => {
    const { parse, validate, contextFactory, execute, subscribe, schema: current } = getEnveloped({ ...context })
    const document = parse(source)
    const invalid = validate(current, document)
    if (invalid.length > 0) return { errors: invalid }
    const args = { schema: current, document, contextValue: await contextFactory() }
    const isSubscription = graphql.getOperationAST(document)?.operation === graphql.OperationTypeNode.SUBSCRIPTION
    return isSubscription ? subscribe(args) : execute(args)
  }
  return {
    sluice,
    errors,
    run,
    async subscribe(source, context) {
      const result = await run(source, context)
      if (!(Symbol.asyncIterator in result)) throw new Error(`it was refused: ${JSON.stringify(result)}`)
      return result
    },
  }
}

const news = 'subscription { news { id } }'
const done = { done: true, value: undefined }

describe('an Envelop server', () => {
  it('has its subscriptions executed once per group, and its mutations publish', async () => {
    const { run, sluice, subscribe } = serve()
    const [first, second, stranger] = [
      await subscribe(news),
      await subscribe(news),
      await subscribe(news, { tenantId: 'globex' }),
    ]
    expect(await run('mutation { publish(id: 7) }')).toEqual({ data: { publish: 7 } })
    for (const stream of [first, second])
      expect(await stream.next()).toEqual({ done: false, value: { data: { news: { id: 7 } } } })
    expect(sluice.executor.metrics()).toMatchObject({ executions: 1, events: { delivered: 2 }, groups: { active: 2 } })
    await run('mutation { publish(id: 8) }', { tenantId: 'globex' })
    expect(await stranger.next()).toEqual({ done: false, value: { data: { news: { id: 8 } } } })
    for (const stream of [first, second, stranger]) expect(await stream.return(undefined)).toEqual(done)
    expect(sluice.executor.metrics()).toMatchObject({ subscriptions: { active: 0 }, groups: { active: 0 } })
  })

  it('refuses who is nobody, and needs no scope for what does not publish', async () => {
    const { run, sluice } = serve()
    expect(await run(news, {})).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] })
    expect(await run('{ id }', {})).toEqual({ data: { id: 1 } })
    expect(sluice.executor.metrics().security.rejected.scope).toBe(1)
    expect(await run('mutation { publish(id: 1) }', {})).toMatchObject({ data: { publish: null }, errors: [{}] })
  })

  it('lets other plugins extend the context that scope and publisher see', async () => {
    const { run, subscribe } = serve({
      before: [useExtendContext(() => ({ tenantId: 'from a plugin' })) as unknown as Plugin],
    })
    const stream = await subscribe(news, {})
    await run('mutation { publish(id: 1) }', {})
    expect(await stream.next()).toEqual({ done: false, value: { data: { news: { id: 1 } } } })
  })

  it('lets other plugins rewrite results, for each subscriber alone', async () => {
    const tags = ['a', 'b']
    const tagging: Plugin = {
      onSubscribe: () => {
        const tag = tags.shift()
        return {
          onSubscribeResult: () => ({
            onNext: ({ result, setResult }) => setResult({ ...result, extensions: { tag } }),
          }),
        }
      },
    }
    const { run, subscribe } = serve({ after: [tagging] })
    const streams = [await subscribe(news), await subscribe(news)]
    await run('mutation { publish(id: 1) }')
    const results = await Promise.all(streams.map((stream) => stream.next()))
    expect(results.map(({ value }) => (value as ExecutionResult).extensions)).toEqual([{ tag: 'a' }, { tag: 'b' }])
  })

  it('keeps running subscriptions on their schema when another one is set', async () => {
    let setSchema: (schema: GraphQLSchema) => void = () => {}
    const changing: Plugin = {
      onPluginInit: (init) => {
        setSchema = init.setSchema
      },
    }
    const { run, sluice, subscribe } = serve({ before: [changing] })
    const before = await subscribe(news)
    const resolved = {
      ...fromChannel({ channel: 'news', share: 'tenant' }),
      resolve: ({ id }: { id: number }) => ({ id: id * 100 }),
    }
    setSchema(schemaWith(resolved))
    const after = await subscribe(news)
    await run('mutation { publish(id: 1) }')
    expect(await before.next()).toEqual({ done: false, value: { data: { news: { id: 1 } } } })
    expect(await after.next()).toEqual({ done: false, value: { data: { news: { id: 100 } } } })
    expect(sluice.executor.metrics().executions).toBe(2)
  })
})

describe('a mistake in setting it up', () => {
  it('is told when the server is made: a shared field without eventContext', () => {
    const create = () =>
      envelop({ plugins: [useEngine(graphql), useSchema(schemaWith()), useSluice({ scope: options.scope })] })
    expect(create).toThrow(/eventContext.*news/)
  })

  it('is reported, and stops nothing, if a later schema has it', async () => {
    let setSchema: (schema: GraphQLSchema) => void = () => {}
    const errors: unknown[] = []
    const sluice = useSluice({ scope: options.scope, onError: (error) => errors.push(error) })
    onTestFinished(() => sluice.dispose())
    const changing: Plugin = {
      onPluginInit: (init) => {
        setSchema = init.setSchema
      },
    }
    envelop({
      plugins: [useEngine(graphql), useSchema(schemaWith(fromChannel({ channel: 'news' }))), changing, sluice],
    })
    await Promise.resolve()
    setSchema(schemaWith())
    expect(errors).toMatchObject([{ code: 'BAD_CONFIG' }])
  })

  it('is an error of each subscription when another engine replaced the subscribe function after ours', async () => {
    let isReleased = false
    async function* source() {
      try {
        yield { news: { id: 1 } }
      } finally {
        isReleased = true
      }
    }
    const { errors, run, sluice } = serve({
      schema: schemaWith({ subscribe: source }),
      after: [useEngine({ subscribe: graphql.subscribe })],
    })
    expect(await run(news)).toMatchObject({
      errors: [{ message: expect.stringContaining('useSluice()') as string, extensions: { code: 'BAD_CONFIG' } }],
    })
    expect(errors.map((error) => error instanceof SluiceError && error.code)).toEqual(['BAD_CONFIG'])
    expect(sluice.executor.metrics().subscriptions.total).toBe(0)
    expect(isReleased).toBe(false) // it had not even begun: a generator that was never pulled has nothing to release
  })

  it('is none when a later plugin wraps the subscribe function and calls ours', async () => {
    const wrapping: Plugin = {
      onSubscribe: ({ subscribeFn, setSubscribeFn }) =>
        setSubscribeFn(((args: graphql.ExecutionArgs) => subscribeFn(args)) as typeof subscribeFn),
    }
    const { run, subscribe } = serve({ after: [wrapping] })
    const stream = await subscribe(news)
    await run('mutation { publish(id: 1) }')
    expect((await stream.next()).value).toEqual({ data: { news: { id: 1 } } })
  })
})

describe('dispose', () => {
  it('ends the subscriptions, refuses new ones and closes the bus of an executor of its own', async () => {
    const bus = memoryBus()
    const sluice = useSluice({ ...options, bus })
    const getEnveloped = envelop({ plugins: [useEngine(graphql), useSchema(schemaWith()), sluice] })
    const open = async () => {
      const { parse, contextFactory, subscribe, schema } = getEnveloped({ tenantId: 'acme' })
      return subscribe({ schema, document: parse(news), contextValue: await contextFactory() })
    }
    const stream = (await open()) as AsyncGenerator<ExecutionResult>
    const next = stream.next()
    await Promise.all([sluice.dispose(), sluice.dispose(), sluice[Symbol.asyncDispose]()])
    expect(await next).toEqual(done)
    expect(await stream.next()).toEqual(done)
    expect(await open()).toMatchObject({ errors: [{ extensions: { code: 'DRAINING' } }] })
    expect(sluice.executor.metrics()).toMatchObject({
      subscriptions: { active: 0 },
      groups: { active: 0 },
      bus: { status: 'closed' },
    })
  })

  it('executes no subscription as if it were a query', async () => {
    const sluice = useSluice(options)
    onTestFinished(() => sluice.dispose())
    const getEnveloped = envelop({ plugins: [useEngine(graphql), useSchema(schemaWith()), sluice] })
    const { parse, contextFactory, execute, schema } = getEnveloped({ tenantId: 'acme' })
    const result = await execute({ schema, document: parse(news), contextValue: await contextFactory() })
    expect(result).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] })
  })

  it('ends its own subscriptions alone where the executor is shared', async () => {
    const executor = createSubscriptionExecutor(options)
    onTestFinished(() => executor.dispose())
    const [stopping, staying] = [serve({ executor }), serve({ executor })]
    const [ending, going] = [await stopping.subscribe(news), await staying.subscribe(news)]
    await stopping.sluice.dispose()
    expect(await ending.next()).toEqual(done)
    expect(await stopping.run(news)).toMatchObject({ errors: [{ extensions: { code: 'DRAINING' } }] })
    await staying.run('mutation { publish(id: 1) }')
    expect((await going.next()).value).toEqual({ data: { news: { id: 1 } } })
    expect(executor.metrics().subscriptions.active).toBe(1)
  })
})
