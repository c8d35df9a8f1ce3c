import { asPushStream, createSubscriptionExecutor, fromChannel } from '@sluice/core'
import { until } from '@sluice/testkit'
import { createSchema, createYoga, type Plugin } from 'graphql-yoga'
import { describe, expect, it, onTestFinished } from 'vitest'
import { useSluice } from '../index.ts'
import { type OpenYoga, openYoga, transports } from './open-yoga.ts'

const schema = createSchema({
  typeDefs: 'type Query { ok: Boolean } type Subscription { news: News } type News { id: Int text: String }',
  resolvers: { Subscription: { news: fromChannel({ channel: 'news', share: 'tenant' }) } },
})
const query = 'subscription { news { id } }'
const resultOf = (id: number) => ({ data: { news: { id } } })

type ResultHooks = NonNullable<ReturnType<NonNullable<SubscribeHooks['onSubscribeResult']>>>
type SubscribeHooks = Exclude<Awaited<ReturnType<NonNullable<Plugin['onSubscribe']>>>, void>

/** A plugin with hooks for the first subscription alone. */
function forFirst(hooks: ResultHooks, onSubscribeError?: SubscribeHooks['onSubscribeError']): Plugin {
  let count = 0
  return {
    onSubscribe() {
      count += 1
      if (count > 1) return undefined
      return { onSubscribeResult: () => hooks, ...(onSubscribeError && { onSubscribeError }) }
    },
  }
}

interface Opened extends OpenYoga {
  readonly errors: unknown[]
  publish(id: number): Promise<unknown>
}

async function open(...plugins: Plugin[]): Promise<Opened> {
  const errors: unknown[] = []
  const opened = await openYoga({
    sluice: {
      scope: () => ({ tenantId: 'acme' }),
      eventContext: () => ({}),
      onError: (error: unknown) => errors.push(error),
    },
    schema,
    after: plugins,
  })
  const { executor } = opened.sluice
  return {
    ...opened,
    errors,
    publish: (id) => executor.publish({ tenantId: 'acme', channel: 'news', type: 'news', data: { id } }),
  }
}

const secret = 'the secret of the plugin'
const thrown = {
  'an Error': () => new Error(secret),
  'an abortion': () => new DOMException(secret, 'AbortError'), // Yoga has a hook of its own that throws it on
  text: () => secret,
}

for (const transport of transports) {
  describe(`hooks that fail, over ${transport}`, () => {
    for (const [what, make] of Object.entries(thrown)) {
      for (const isAsync of [false, true]) {
        it(`by ${what} on a result end that subscription alone, and say nothing of it (async: ${isAsync})`, async () => {
          const refuse = (): void => {
            throw make() // oxlint-disable-line typescript/only-throw-error -- plugins throw what they like
          }
          const { errors, publish, sluice, subscribe } = await open(
            forFirst({ onNext: isAsync ? () => Promise.resolve().then(refuse) : refuse }),
          )
          const refused = subscribe(transport, query)
          await until(() => sluice.executor.metrics().subscriptions.active === 1, 'the first is there')
          const [second, third] = [subscribe(transport, query), subscribe(transport, query)]
          await until(() => sluice.executor.metrics().subscriptions.active === 3, 'all are there')
          await publish(1)
          await publish(2)
          for (const subscriber of [second, third]) {
            await until(() => subscriber.results.length === 2, 'it has both')
            expect(subscriber.results).toEqual([resultOf(1), resultOf(2)])
          }
          const end = await refused.ended
          expect(JSON.stringify([end, refused.results])).not.toContain('secret')
          expect(refused.results.filter((result) => result.data != null)).toEqual([])
          expect(sluice.executor.metrics()).toMatchObject({ subscriptions: { active: 2 }, groups: { active: 1 } })
          for (const error of errors) expect(String(error)).toContain(secret)
        })
      }
    }

    it('at the end keep nobody else from hearing of it, and say nothing of it', async () => {
      const failing = (): void => {
        throw new Error(secret)
      }
      const { dispose, publish, sluice, subscribe } = await open(forFirst({ onEnd: failing }))
      const first = subscribe(transport, query)
      await until(() => sluice.executor.metrics().subscriptions.active === 1, 'the first is there')
      const others = [subscribe(transport, query), subscribe(transport, query)]
      await until(() => sluice.executor.metrics().subscriptions.active === 3, 'all are there')
      await publish(1)
      await dispose()
      for (const subscriber of others) {
        expect(await subscriber.ended).toEqual({ kind: 'complete' })
        expect(subscriber.results).toEqual([resultOf(1)])
      }
      const end = await first.ended
      expect(first.results[0]).toEqual(resultOf(1))
      expect(JSON.stringify([end, first.results])).not.toContain('secret')
      expect(sluice.executor.metrics()).toMatchObject({ subscriptions: { active: 0 }, groups: { active: 0 } })
    })

    it('when they are told of a failure say nothing of it', async () => {
      const { publish, sluice, subscribe } = await open(
        forFirst(
          {
            onNext: () => {
              throw new Error('an error')
            },
          },
          () => {
            throw new Error(secret)
          },
        ),
      )
      const [first] = [subscribe(transport, query)]
      await until(() => sluice.executor.metrics().subscriptions.active === 1, 'it is there')
      await publish(1)
      const end = await first.ended
      expect(JSON.stringify([end, first.results])).not.toContain('secret')
      expect(sluice.executor.metrics()).toMatchObject({ subscriptions: { active: 0 }, groups: { active: 0 } })
    })
  })
}

/** Tags every result of a stream. */
function tagged(result: unknown, tag: string): unknown {
  if (typeof result !== 'object' || result === null || !(Symbol.asyncIterator in result)) return result
  const stream = result as AsyncGenerator<object, void>
  // Not a generator: one that waits for a result does not hear that it is ended.
  const around = {
    [Symbol.asyncIterator]: () => around,
    async next() {
      const { done, value } = await stream.next()
      return done === true ? { done, value } : { done: false, value: { ...value, extensions: { tag } } }
    },
    return: () => stream.return(),
  }
  return around
}

const wrapping: Record<string, Plugin> = {
  onParams: {
    onParams({ paramsHandler, setParamsHandler }) {
      setParamsHandler(async (payload) => tagged(await paramsHandler(payload), 'mine') as never)
    },
  },
  onExecutionResult: {
    onExecutionResult: ({ result, setResult }) => setResult(tagged(result, 'mine') as never),
  },
  onResultProcess: {
    onResultProcess: ({ result, setResult }) => setResult(tagged(result, 'mine') as never),
  },
}

describe('a plugin that puts a stream of its own around results', () => {
  for (const [hook, plugin] of Object.entries(wrapping)) {
    for (const transport of hook === 'onResultProcess' ? (['SSE'] as const) : transports) {
      for (const where of ['before', 'behind'] as const) {
        it(`in ${hook}, ${where} Sluice, sees all of them over ${transport}`, async () => {
          const { sluice, subscribe } = await openYoga({
            sluice: { scope: () => ({ tenantId: 'acme' }), eventContext: () => ({}) },
            schema,
            [where === 'before' ? 'plugins' : 'after']: [plugin],
          })
          const { executor } = sluice
          const subscriber = subscribe(transport, query)
          await until(() => executor.metrics().subscriptions.active === 1, 'it is there')
          for (const id of [1, 2]) {
            await executor.publish({ tenantId: 'acme', channel: 'news', type: 'news', data: { id } })
          }
          expect(await subscriber.received(2)).toEqual(
            [1, 2].map((id) => ({ ...resultOf(id), extensions: { tag: 'mine' } })),
          )
          subscriber.complete()
          await until(() => executor.metrics().subscriptions.active === 0, 'it is released')
        })
      }
    }
  }
})

for (const transport of transports) {
  it(`Asynchronous hooks keep the order for slow and fast readers alike, over ${transport}`, async () => {
    let calls = 0
    const late: Plugin = {
      onSubscribe: () => ({
        onSubscribeResult: () => ({
          async onNext({ result, setResult }) {
            calls += 1
            for (let turns = calls % 3; turns > 0; turns -= 1) await new Promise((resolve) => setImmediate(resolve))
            if (calls % 2 === 0) setResult({ ...result, extensions: { even: true } })
          },
        }),
      }),
    }
    const { publish, sluice, subscribe } = await open(late)
    const subscribers = [subscribe(transport, query), subscribe(transport, query), subscribe(transport, query)]
    await until(() => sluice.executor.metrics().subscriptions.active === 3, 'all are there')
    const ids = Array.from({ length: 200 }, (_, index) => index + 1)
    for (const id of ids) {
      await publish(id)
      if (id % 50 === 0) for (const subscriber of subscribers) await subscriber.received(id)
    }
    for (const subscriber of subscribers) {
      const results = await subscriber.received(ids.length)
      expect(results.map(({ data }) => data)).toEqual(ids.map((id) => resultOf(id).data))
    }
    expect(calls).toBe(3 * ids.length)
    expect(sluice.executor.metrics().events.dropped).toBe(0)
  })
}

it('The hooks of one Yoga are none of another that shares its executor, nor are its results', async () => {
  const executor = createSubscriptionExecutor({ scope: () => ({ tenantId: 'acme' }), eventContext: () => ({}) })
  onTestFinished(() => executor.dispose())
  const seen: string[] = []
  const tagging = (tag: string): Plugin => ({
    onSubscribe: () => ({
      onSubscribeResult: () => ({
        onNext({ result, setResult }) {
          seen.push(`${tag} ${JSON.stringify(result)}`)
          setResult({ ...result, extensions: { tag } })
        },
      }),
    }),
  })
  const one = await openYoga({ sluice: { executor }, schema, after: [tagging('one')] })
  const two = await openYoga({ sluice: { executor }, schema, after: [tagging('two')] })
  const plain = await openYoga({ sluice: { executor }, schema })
  const subscribers = [one, two, plain].flatMap(({ subscribe }) => transports.map((each) => subscribe(each, query)))
  await until(() => executor.metrics().subscriptions.active === 6, 'all are there')
  await executor.publish({ tenantId: 'acme', channel: 'news', type: 'news', data: { id: 1 } })
  const results = await Promise.all(subscribers.map(async (subscriber) => (await subscriber.received(1))[0]))
  const expected = ['one', 'one', 'two', 'two', undefined, undefined].map((tag) => ({
    ...resultOf(1),
    ...(tag && { extensions: { tag } }),
  }))
  expect(results).toEqual(expected)
  const bare = JSON.stringify(resultOf(1))
  expect(seen.toSorted()).toEqual(['one', 'one', 'two', 'two'].map((tag) => `${tag} ${bare}`))
})

describe('one context object for several operations', () => {
  it('gives each its own stream', async () => {
    const executor = createSubscriptionExecutor({
      scope: ({ params }: { params: { extensions?: { tenant?: string } } }) => ({
        tenantId: String(params.extensions?.tenant),
      }),
      eventContext: () => ({}),
    })
    onTestFinished(() => executor.dispose())
    const yoga = createYoga({ schema, plugins: [useSluice({ executor }) as unknown as Plugin], logging: false })
    onTestFinished(async () => {
      await yoga.dispose()
    })
    const context = {}
    const tenants = ['acme', 'globex', 'initech']
    const results = await Promise.all(
      tenants.map(async (tenant) => {
        const request = new yoga.fetchAPI.Request('http://localhost/graphql', { method: 'POST' })
        const params = { query: 'subscription { news { text } }', extensions: { tenant } }
        return yoga.getResultForParams({ request, params }, context)
      }),
    )
    const texts: string[] = []
    const reading = results.map(async (result, index) => {
      const push = (text: string): void => void (texts[index] = `${texts[index] ?? ''}${text}`)
      const pushed = asPushStream(result)
      const sink = {
        next: ({ bytes }: { bytes: Uint8Array }) => push(String(bytes)),
        complete() {},
        error: (error: unknown) => push(String(error)),
      }
      if (pushed !== undefined) return pushed.pushTo(sink)
      for await (const each of result as AsyncIterable<unknown>) push(JSON.stringify(each))
    })
    for (const tenantId of tenants) {
      await executor.publish({ tenantId, channel: 'news', type: 'news', data: { text: `of ${tenantId}` } })
    }
    await yoga.dispose()
    await Promise.all(reading)
    expect(texts).toEqual(tenants.map((tenant) => JSON.stringify({ data: { news: { text: `of ${tenant}` } } })))
  })
})
