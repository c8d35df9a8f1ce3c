import { envelop, type Plugin, useEngine, useEnvelop, useSchema } from '@envelop/core'
import { asPushStream, fromChannel } from '@sluice/core'
import * as fc from 'fast-check'
import * as graphql from 'graphql'
import { type ExecutionResult, GraphQLInt, GraphQLObjectType, GraphQLSchema } from 'graphql'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type SluicePlugin, useSluice } from '../index.ts'

const News = new GraphQLObjectType({ name: 'News', fields: { id: { type: GraphQLInt } } })

function schemaWith(subscription: object): GraphQLSchema {
  return new GraphQLSchema({
    query: new GraphQLObjectType({ name: 'Query', fields: { id: { type: GraphQLInt, resolve: () => 1 } } }),
    subscription: new GraphQLObjectType({ name: 'Subscription', fields: { news: { type: News, ...subscription } } }),
  })
}

const channelSchema = schemaWith(fromChannel({ channel: 'news', share: 'tenant' }))
const document = graphql.parse('subscription { news { id } }')
const idsOf = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)

interface Context {
  readonly subscriber: string
}

type Stream = AsyncGenerator<ExecutionResult>
type Subscribed = Stream | ExecutionResult

/** What happened for one subscriber, in order: calls of hooks, and what was read. */
type Log = string[]

async function subscribeWith(getEnveloped: ReturnType<typeof envelop>, context: Context): Promise<Subscribed> {
  const { subscribe, contextFactory, schema } = getEnveloped({ ...context })
  return (await subscribe({ schema, document, contextValue: await contextFactory() })) as Subscribed
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : JSON.stringify(error)
}

/** Reads a stream as transports do that pull, and leaves after so many results. */
async function pull(subscribed: Subscribed, log: Log, leaveAfter: number): Promise<void> {
  if (!(Symbol.asyncIterator in subscribed)) return void log.push(`refused: ${JSON.stringify(subscribed)}`)
  let count = 0
  try {
    for await (const result of subscribed) {
      log.push(`result: ${JSON.stringify(result)}`)
      count += 1
      if (count === leaveAfter) break
    }
    log.push('end')
  } catch (error) {
    log.push(`failure: ${textOf(error)}`)
  }
}

/** Reads it as transports do that are pushed to; every so many results it takes no more for a while. */
function push(subscribed: Subscribed, log: Log, leaveAfter: number, pauseEvery: number): Promise<void> {
  const stream = asPushStream(subscribed)
  if (stream === undefined) return pull(subscribed, log, leaveAfter)
  let count = 0
  return new Promise((resolve) => {
    const sink = {
      next(response: { readonly bytes: Uint8Array }) {
        log.push(`result: ${String(response.bytes)}`)
        count += 1
        if (count === leaveAfter) {
          stream.return(undefined).then(
            () => sink.complete(),
            (error: unknown) => sink.error(error),
          )
        } else if (count % pauseEvery === 0) {
          stream.pause()
          setImmediate(() => stream.pushTo(sink))
        }
      },
      complete() {
        log.push('end')
        resolve()
      },
      error(error: unknown) {
        log.push(`failure: ${textOf(error)}`)
        resolve()
      },
    }
    stream.pushTo(sink)
  })
}

const onNextKinds = ['none', 'see', 'replace', 'writeInto', 'replaceData', 'throwAt'] as const
const onErrorKinds = ['none', 'see', 'replace', 'throw'] as const

interface PluginPlan {
  readonly isAsyncSubscribe: boolean
  readonly wraps: boolean
  readonly onNext: (typeof onNextKinds)[number]
  readonly isAsyncNext: boolean
  readonly at: number
  readonly onEnd: 'none' | 'see' | 'throw'
  readonly onError: (typeof onErrorKinds)[number]
}

const pluginPlan: fc.Arbitrary<PluginPlan> = fc.record({
  isAsyncSubscribe: fc.boolean(),
  wraps: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  onNext: fc.constantFrom(...onNextKinds),
  isAsyncNext: fc.boolean(),
  at: fc.integer({ min: 1, max: 8 }),
  onEnd: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom('none' as const, 'see' as const) },
    { weight: 1, arbitrary: fc.constant('throw' as const) },
  ),
  onError: fc.constantFrom(...onErrorKinds),
})

/** A plugin after the plan, which writes what it is told into the log of the subscriber. */
function planned(name: string, plan: PluginPlan, logOf: (subscriber: string) => Log): Plugin {
  const { isAsyncSubscribe, wraps, onNext, isAsyncNext, at, onEnd, onError } = plan
  const hooks = (args: object): object => {
    const { subscriber } = (args as { contextValue: Context }).contextValue
    const log = logOf(subscriber)
    let count = 0
    const see = (event: { args: object; result: ExecutionResult; setResult(result: ExecutionResult): void }) => {
      count += 1
      log.push(`${name} onNext ${JSON.stringify(event.result)} ${String(event.args === args)}`)
      const extensions = { ...event.result.extensions, [name]: count }
      if (onNext === 'replace') event.setResult({ ...event.result, extensions })
      if (onNext === 'writeInto') Object.assign(event.result, { extensions })
      if (onNext === 'replaceData') event.setResult({ data: { replaced: count } })
      if (onNext === 'throwAt' && count === at) throw new Error(`${name} refuses`)
    }
    return {
      ...(onError !== 'none' && {
        onSubscribeError({ error, setError }: { error: unknown; setError(error: unknown): void }) {
          log.push(`${name} onSubscribeError ${textOf(error)}`)
          if (onError === 'replace') setError(new Error(`${name} says: ${textOf(error)}`))
          if (onError === 'throw') throw new Error(`${name} throws: ${textOf(error)}`)
        },
      }),
      onSubscribeResult({ result, setResult }: { result: Subscribed; setResult(result: Subscribed): void }) {
        log.push(`${name} onSubscribeResult`)
        if (wraps && Symbol.asyncIterator in result) setResult(wrapped(name, result))
        return {
          ...(onNext !== 'none' && {
            onNext: isAsyncNext
              ? async (event: never) => {
                  await Promise.resolve()
                  see(event)
                }
              : see,
          }),
          ...(onEnd !== 'none' && {
            onEnd() {
              log.push(`${name} onEnd`)
              if (onEnd === 'throw') throw new Error(`${name} fails at the end`)
            },
          }),
        }
      },
    }
  }
  return {
    onSubscribe: ({ args }: { args: object }) => (isAsyncSubscribe ? Promise.resolve(hooks(args)) : hooks(args)),
  }
}

async function* wrapped(name: string, stream: Stream): Stream {
  for await (const result of stream) yield { ...result, extensions: { ...result.extensions, wrapped: name } }
}

interface Plan {
  readonly before: readonly PluginPlan[]
  readonly after: readonly PluginPlan[]
  readonly eventCount: number
  readonly leaveAfter: number
  readonly pauseEvery: number
}

const plan: fc.Arbitrary<Plan> = fc.record({
  before: fc.array(pluginPlan, { maxLength: 3 }),
  after: fc.array(pluginPlan, { maxLength: 3 }),
  eventCount: fc.integer({ min: 0, max: 6 }),
  leaveAfter: fc.integer({ min: 1, max: 9 }),
  pauseEvery: fc.integer({ min: 1, max: 4 }),
})

const subscribers = ['ada', 'bob']

class Logs {
  readonly #bySubscriber = new Map(subscribers.map((subscriber): [string, Log] => [subscriber, []]))
  readonly of = (subscriber: string): Log => this.#bySubscriber.get(subscriber) as Log
  get all(): object {
    return Object.fromEntries(this.#bySubscriber)
  }
}

function pluginsOf({ before, after }: Plan, logs: Logs, ...between: Plugin[]): Plugin[] {
  return [
    ...before.map((each, index) => planned(`before${index}`, each, logs.of)),
    ...between,
    ...after.map((each, index) => planned(`after${index}`, each, logs.of)),
  ]
}

/** As Envelop does it, with graphql-js. */
async function byEnvelop(asked: Plan): Promise<object> {
  const logs = new Logs()
  async function* source(): AsyncGenerator<object> {
    for (const id of idsOf(asked.eventCount)) yield { id }
  }
  const schema = schemaWith({ subscribe: source, resolve: (event: object) => event })
  const getEnveloped = envelop({ plugins: [useEngine(graphql), useSchema(schema), ...pluginsOf(asked, logs)] })
  for (const subscriber of subscribers) {
    const log = logs.of(subscriber)
    await pull(await subscribeWith(getEnveloped, { subscriber }), log, asked.leaveAfter)
  }
  return logs.all
}

/** Its type has a context with a publisher in it, which the other plugins here do not know of. */
type AnySluice = Plugin & Pick<SluicePlugin, 'executor' | 'dispose' | typeof Symbol.asyncDispose>

function sluiceFor(errors: unknown[] = []): AnySluice {
  return useSluice({
    scope: () => ({ tenantId: 'acme' }),
    eventContext: () => ({}),
    onError: (error: unknown) => errors.push(error),
  }) as unknown as AnySluice
}

async function bySluice(asked: Plan, how: 'pull' | 'push'): Promise<object> {
  const logs = new Logs()
  const errors: unknown[] = []
  await using sluice = sluiceFor(errors)
  const plugins = pluginsOf(asked, logs, sluice)
  const getEnveloped = envelop({ plugins: [useEngine(graphql), useSchema(channelSchema), ...plugins] })
  const streams: Subscribed[] = []
  for (const subscriber of subscribers) streams.push(await subscribeWith(getEnveloped, { subscriber }))
  const reading = streams.map((stream, index) => {
    const log = logs.of(subscribers[index] as string)
    return how === 'pull' ? pull(stream, log, asked.leaveAfter) : push(stream, log, asked.leaveAfter, asked.pauseEvery)
  })
  for (const id of idsOf(asked.eventCount)) {
    await sluice.executor.publish({ tenantId: 'acme', channel: 'news', type: 'news', data: { id } })
  }
  await sluice.dispose()
  await Promise.all(reading)
  expect(errors).toEqual([])
  expect(sluice.executor.metrics()).toMatchObject({ subscriptions: { active: 0 }, groups: { active: 0 } })
  return logs.all
}

describe('the hooks of any plugins', () => {
  for (const how of ['pull', 'push'] as const) {
    it(`are called as Envelop calls them, and results are as they leave them (${how})`, async () => {
      await fc.assert(
        fc.asyncProperty(plan, async (asked) => {
          expect(await bySluice(asked, how)).toEqual(await byEnvelop(asked))
        }),
        { numRuns: 150 },
      )
    })
  }
})

/** Sees every result, and says in which order. */
function seeing(name: string, seen: string[]): Plugin {
  return {
    onSubscribe: () => ({
      onSubscribeResult: () => ({
        onNext: ({ result }) => void seen.push(`${name} ${JSON.stringify(result)}`),
        onEnd: () => void seen.push(`${name} end`),
      }),
    }),
  }
}

async function readOne(getEnveloped: ReturnType<typeof envelop>, sluice: AnySluice): Promise<Log> {
  const log: Log = []
  const subscribed = await subscribeWith(getEnveloped, { subscriber: 'ada' })
  const reading = pull(subscribed, log, 1)
  await sluice.executor.publish({ tenantId: 'acme', channel: 'news', type: 'news', data: { id: 1 } })
  await reading
  return log
}

const first = '{"data":{"news":{"id":1}}}'

describe('the hooks of a plugin', () => {
  it.each([[[]], [['inner']]])(
    'are called that stands behind a nested Envelop in which Sluice is, with %j',
    async (inner) => {
      const sluice = sluiceFor()
      onTestFinished(() => sluice.dispose())
      const seen: string[] = []
      const base = envelop({
        plugins: [useEngine(graphql), useSchema(channelSchema), sluice, ...inner.map((name) => seeing(name, seen))],
      })
      const outer = envelop({ plugins: [useEnvelop(base), seeing('outer', seen)] })
      expect(await readOne(outer, sluice)).toEqual([`result: ${first}`, 'end'])
      const all = [...inner, 'outer']
      expect(seen).toEqual([...all.map((name) => `${name} ${first}`), ...all.map((name) => `${name} end`)])
      seen.length = 0
      expect(await readOne(base, sluice)).toEqual([`result: ${first}`, 'end'])
      expect(seen).toEqual([...inner.map((name) => `${name} ${first}`), ...inner.map((name) => `${name} end`)])
    },
  )

  it('are called that another plugin adds, wherever it puts it', async () => {
    const sluice = sluiceFor()
    onTestFinished(() => sluice.dispose())
    const seen: string[] = []
    const adding = (name: string): Plugin => ({
      onPluginInit({ addPlugin, plugins }) {
        addPlugin(seeing(`${name} added`, seen))
        plugins.push(seeing(`${name} pushed`, seen))
      },
    })
    const getEnveloped = envelop({
      plugins: [useEngine(graphql), useSchema(channelSchema), adding('before'), sluice, adding('after')],
    })
    expect(await readOne(getEnveloped, sluice)).toEqual([`result: ${first}`, 'end'])
    const names = ['before added', 'after added', 'before pushed', 'after pushed']
    expect(seen.filter((each) => !each.endsWith('end'))).toEqual(names.map((name) => `${name} ${first}`))
    expect(seen.filter((each) => each.endsWith('end')).toSorted()).toEqual(
      names.map((name) => `${name} end`).toSorted(),
    )
  })

  it('are its own once more for each Envelop that has it, and know their plugin', async () => {
    const sluice = sluiceFor()
    onTestFinished(() => sluice.dispose())
    class Counting {
      #count = 0
      #hasSchema = false
      onSchemaChange(): void {
        this.#hasSchema = true
      }
      readonly onSubscribe = () => ({
        onSubscribeResult: () => ({
          onNext: () => {
            this.#count += 1
          },
        }),
      })
      get state(): [boolean, number] {
        return [this.#hasSchema, this.#count]
      }
    }
    const counting = new Counting()
    const plugins = [useEngine(graphql), useSchema(channelSchema), sluice, counting as Plugin]
    const [one, two] = [envelop({ plugins }), envelop({ plugins })]
    await readOne(one, sluice)
    expect(counting.state).toEqual([true, 1])
    await readOne(two, sluice)
    expect(counting.state).toEqual([true, 2])
  })

  it('are called by Envelop for a stream that another plugin gives in place of ours', async () => {
    const sluice = sluiceFor()
    onTestFinished(() => sluice.dispose())
    const seen: string[] = []
    const failing: Plugin = {
      onSubscribe: () => ({ onSubscribeError: ({ error }) => void seen.push(`told ${textOf(error)}`) }),
    }
    async function* own(): Stream {
      yield { data: { own: 1 } }
      throw new Error('own failure')
    }
    const stopping: Plugin = {
      onSubscribe: ({ setResultAndStopExecution }) => setResultAndStopExecution(own() as never),
    }
    const getEnveloped = envelop({
      plugins: [
        useEngine(graphql),
        useSchema(channelSchema),
        seeing('first', seen),
        failing,
        stopping,
        sluice,
        seeing('late', seen),
      ],
    })
    const log: Log = []
    await pull(await subscribeWith(getEnveloped, { subscriber: 'ada' }), log, 9)
    expect(log).toEqual(['result: {"data":{"own":1}}', 'failure: own failure'])
    expect(seen).toEqual(['first {"data":{"own":1}}', 'told own failure'])
  })

  it('do not help a second Sluice on one server: it is refused, and nothing is left', async () => {
    const errors: unknown[] = []
    const [one, two] = [sluiceFor(errors), sluiceFor(errors)]
    onTestFinished(async () => void (await Promise.all([one.dispose(), two.dispose()])))
    const seen: string[] = []
    const getEnveloped = envelop({
      plugins: [useEngine(graphql), useSchema(channelSchema), one, two, seeing('any', seen)],
    })
    const subscribed = await subscribeWith(getEnveloped, { subscriber: 'ada' })
    expect(subscribed).toMatchObject({ errors: [{ extensions: { code: 'BAD_CONFIG' } }] })
    for (const { executor } of [one, two]) expect(executor.metrics().subscriptions.active).toBe(0)
    expect([seen, errors.length]).toEqual([[], 1])
  })
})
