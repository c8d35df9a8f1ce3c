import { fromChannel } from '@sluice/core'
import { until } from '@sluice/testkit'
import { GraphQLScalarType } from 'graphql'
import { createSchema, type Plugin } from 'graphql-yoga'
import { describe, expect, it } from 'vitest'
import { openYoga } from './open-yoga.ts'
import { postRaw } from './raw-request.ts'

const schema = createSchema({
  typeDefs: 'scalar Big type Query { ok: Boolean } type Subscription { news: News } type News { id: Big }',
  resolvers: {
    Big: new GraphQLScalarType({ name: 'Big', serialize: (value) => (value === 'big' ? 10n : value) }),
    Subscription: { news: fromChannel({ channel: 'news' }) },
  },
})
const internalError =
  'event: next\ndata: {"errors":[{"message":"The event could not be executed.","extensions":{"code":"INTERNAL_SERVER_ERROR"}}],"data":null}\n\n'
const complete = 'event: complete\ndata:\n\n'

async function openStream(after: Plugin[] = []) {
  const errors: unknown[] = []
  const sluice = { scope: () => ({ tenantId: 'acme' }), onError: (error: unknown) => errors.push(error) }
  const yoga = await openYoga({ sluice, schema, after })
  const { executor } = yoga.sluice
  const stream = postRaw(yoga.address, { query: 'subscription { news { id } }' })
  const { subscriptions } = executor.metrics()
  await until(() => executor.metrics().subscriptions.active === subscriptions.active + 1, 'it runs')
  await stream.response
  return {
    errors,
    stream,
    dispose: yoga.dispose,
    publish: (id: unknown) => executor.publish({ tenantId: 'acme', channel: 'news', type: 'news', data: { id } }),
    released: () => until(() => executor.metrics().subscriptions.active === 0, 'it is released'),
  }
}

/** A plugin that puts a stream of its own around what it is given. */
const around = (change: (inner: AsyncIterator<unknown>) => Partial<AsyncIterator<unknown>>): Plugin => ({
  onExecutionResult({ result, setResult }) {
    if (result === undefined || !(Symbol.asyncIterator in result)) return
    const inner = result[Symbol.asyncIterator]() as AsyncIterator<unknown>
    const stream = { next: () => inner.next(), return: () => inner.return?.(), ...change(inner) }
    setResult({ [Symbol.asyncIterator]: () => stream } as never)
  },
})

describe('an SSE response', () => {
  it('tells of a result that JSON cannot hold, and goes on with the next', async () => {
    const { publish, stream, errors, dispose } = await openStream()
    await publish(1)
    await publish('big')
    await publish(2)
    const next = (id: number) => `event: next\ndata: {"data":{"news":{"id":${id}}}}\n\n`
    const expected = `:\n\n${next(1)}${internalError}${next(2)}`
    await until(() => stream.body.length >= expected.length, 'three events were read')
    expect(stream.body).toBe(expected)
    expect(errors).toEqual([expect.any(TypeError)])
    await dispose()
    expect(await stream.text).toBe(expected + complete)
  })

  it('tells that its stream failed, without saying why, and ends with complete', async () => {
    const failure = new Error('password=hunter2')
    const { publish, stream, errors, released } = await openStream([
      around((inner) => ({ next: () => inner.next().then(() => Promise.reject(failure)) })),
    ])
    await publish(1)
    expect(await stream.text).toBe(`:\n\n${internalError}${complete}`)
    expect((await stream.response).complete).toBe(true)
    expect(errors).toEqual([failure])
    await released()
  })

  const failure = new Error('broken plugin')
  const returns = {
    throws: () => {
      throw failure
    },
    rejects: () => Promise.reject(failure),
  }
  for (const [how, broken] of Object.entries(returns)) {
    it(`is released when its client leaves and what a plugin made of its stream ${how}`, async () => {
      const { stream, errors, released } = await openStream([around(() => ({ return: broken }))])
      await until(() => stream.body !== '', 'it is read')
      stream.sent.destroy()
      await released()
      await until(() => errors.length > 0, 'the failure is reported')
      expect(errors).toEqual([failure])
    })
  }
})
