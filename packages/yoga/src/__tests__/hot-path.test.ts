import type { Socket } from 'node:net'
import { fromChannel } from '@sluice/core'
import { countWrites, promisesMadeBy, type Subscriber, systemCallsFor, until, type Writes } from '@sluice/testkit'
import { createSchema, type Plugin } from 'graphql-yoga'
import { describe, expect, it } from 'vitest'
import { openYoga, transports } from './open-yoga.ts'

// What a delivery costs in Yoga with its default plugins, counted and never timed.

const schema = createSchema({
  typeDefs: 'type Query { ok: Boolean } type Subscription { news: Int }',
  resolvers: { Subscription: { news: fromChannel({ channel: 'news', share: 'tenant' }) } },
})

interface Opened {
  readonly subscribers: readonly Subscriber[]
  /** What is written to each connection from now on. */
  readonly writes: readonly Writes[]
  serializationCount(): number
  publish(news: number): Promise<unknown>
}

type Transport = (typeof transports)[number]

/** So many subscribers, who have got the result 0. */
async function open(transport: Transport, count: number, plugins: readonly Plugin[] = []): Promise<Opened> {
  const options = { scope: () => ({ tenantId: 'acme' }), eventContext: () => ({}) }
  const { server, sluice, subscribe } = await openYoga({ sluice: options, schema, plugins })
  const { executor } = sluice
  const sockets: Socket[] = []
  server.on('connection', (socket: Socket) => sockets.push(socket))
  const publish = (data: number) => executor.publish({ tenantId: 'acme', channel: 'news', type: 'news', data })
  const subscribers = Array.from({ length: count }, () => subscribe(transport, 'subscription { news }'))
  await until(() => executor.metrics().subscriptions.active === count, 'all have subscribed')
  await publish(0)
  await hasNews(subscribers, [0])
  const writes = sockets.map(countWrites)
  return { publish, serializationCount: () => executor.metrics().serializations, subscribers, writes }
}

async function hasNews(subscribers: readonly Subscriber[], news: readonly number[]): Promise<void> {
  for (const subscriber of subscribers) {
    expect(await subscriber.received(news.length)).toEqual(news.map((id) => ({ data: { news: id } })))
  }
}

async function promisesFor(transport: Transport, count: number, plugins?: readonly Plugin[]): Promise<number> {
  const { publish, serializationCount, subscribers } = await open(transport, count, plugins)
  const made = await promisesMadeBy(() => publish(1))
  await hasNews(subscribers, [0, 1, 1, 1, 1, 1])
  expect(serializationCount()).toBe(6)
  return made
}

const looking: Plugin = { onSubscribe: () => ({ onSubscribeResult: () => ({ onNext: () => undefined }) }) }
/** It may want to see the results that Yoga is given, so they are pulled. */
const inBetween: Plugin = {
  onParams({ paramsHandler, setParamsHandler }) {
    setParamsHandler((payload) => paramsHandler(payload))
  },
}

describe.each(transports)('over %s', (transport) => {
  it('one system call per connection writes the events of a tick, be it 1 or 8', async () => {
    const { publish, serializationCount, subscribers, writes } = await open(transport, 5)
    const published = [0]
    const publishAll = async (...news: number[]) => {
      published.push(...news)
      await Promise.all(news.map(publish))
      await hasNews(subscribers, published)
    }
    expect(await systemCallsFor((round) => publishAll(round), writes)).toBe(1)
    expect(await systemCallsFor(() => publishAll(1, 2, 3, 4, 5, 6, 7, 8), writes)).toBe(1)
    expect(serializationCount()).toBe(published.length)
  })

  it('no promise is made for each subscriber, also where a plugin looks at results', async () => {
    const ofTwo = await promisesFor(transport, 2)
    expect(await promisesFor(transport, 30)).toBe(ofTwo)
    expect(await promisesFor(transport, 30, [looking])).toBe(ofTwo)
  })

  it('promises are made for each where a plugin is in between, and the bytes are still shared', async () => {
    const ofTwo = await promisesFor(transport, 2, [inBetween])
    expect(await promisesFor(transport, 30, [inBetween])).toBeGreaterThanOrEqual(ofTwo + 28)
  })
})
