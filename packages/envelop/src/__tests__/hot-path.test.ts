import {
  envelop,
  type Plugin,
  useEngine,
  useErrorHandler,
  useExtendContext,
  useMaskedErrors,
  useSchema,
} from '@envelop/core'
import { asPushStream, fromChannel, nextMessageFormat } from '@sluice/core'
import { promisesMadeBy } from '@sluice/testkit'
import * as graphql from 'graphql'
import { expect, it, onTestFinished } from 'vitest'
import { useSluice } from '../index.ts'

// What a delivery costs in Envelop, counted and never timed.

const schema = new graphql.GraphQLSchema({
  query: new graphql.GraphQLObjectType({ name: 'Query', fields: { id: { type: graphql.GraphQLInt } } }),
  subscription: new graphql.GraphQLObjectType({
    name: 'Subscription',
    fields: { news: { type: graphql.GraphQLInt, ...fromChannel({ channel: 'news', share: 'tenant' }) } },
  }),
})

/** Publishes the number 1 to so many subscribers, five times. */
async function deliver(count: number, plugins: readonly Plugin[]) {
  const sluice = useSluice({ scope: () => ({ tenantId: 'acme' }), eventContext: () => ({}) })
  onTestFinished(() => sluice.dispose())
  const getEnveloped = envelop({ plugins: [useEngine(graphql), useSchema(schema), ...plugins, sluice] })
  const buffers = new Set<unknown>()
  let delivered = 0
  for (let n = 0; n < count; n += 1) {
    const { parse, contextFactory, subscribe, schema } = getEnveloped({})
    const document = parse('subscription { news }')
    const stream: unknown = await subscribe({ schema, document, contextValue: await contextFactory() })
    asPushStream(stream)?.pushTo({
      next(response) {
        delivered += 1
        buffers.add(response.framed(nextMessageFormat))
      },
      complete: () => undefined,
      error: () => undefined,
    })
  }
  const { executor } = sluice
  const publish = () => executor.publish({ tenantId: 'acme', channel: 'news', type: 'news', data: 1 })
  const promises = await promisesMadeBy(publish)
  const { executions, serializations } = executor.metrics()
  return { promises, work: { executions, serializations, delivered, bufferCount: buffers.size } }
}

it('hooks on results cost a call for each subscriber, and no promise, no serialisation and no buffer', async () => {
  let seen = 0
  const looking: Plugin = {
    onSubscribe: () => ({
      onSubscribeResult: () => ({
        onNext() {
          seen += 1
        },
      }),
    }),
  }
  const plugins = [looking, useErrorHandler(() => undefined), useMaskedErrors(), useExtendContext(() => ({}))]
  const ofOne = await deliver(1, plugins)
  const ofMany = await deliver(100, plugins)
  expect(seen).toBe(5 + 500)
  expect(ofMany.work).toEqual({ executions: 5, serializations: 5, delivered: 500, bufferCount: 5 })
  expect(ofMany.promises).toBe(ofOne.promises)
})

it('an asynchronous hook costs promises, and still no serialisation and no buffer', async () => {
  const waiting: Plugin = {
    onSubscribe: () => ({ onSubscribeResult: () => ({ onNext: () => Promise.resolve() }) }),
  }
  const ofOne = await deliver(1, [waiting])
  const ofMany = await deliver(100, [waiting])
  expect(ofMany.work).toEqual({ executions: 5, serializations: 5, delivered: 500, bufferCount: 5 })
  expect(ofMany.promises).toBeGreaterThanOrEqual(ofOne.promises + 99)
})
