import { Buffer } from 'node:buffer'
import type { Server } from 'node:http'
import type { EventInput, Scope, SubscriptionExecutorOptions } from '@sluice/core'
import type { SubscribePayload } from 'graphql-ws'
import { expect, onTestFinished } from 'vitest'
import type { HostFactory, HostIdentity, HostSetup, RunningHost } from '../host-factory.ts'
import { requestParamsOf, subscribeOverSse } from '../sse-client.ts'
import type { Subscriber } from '../subscriber.ts'
import { until } from '../until.ts'
import { type WebSocketClient, type WebSocketClientOptions, webSocketClient } from '../ws-client.ts'
import { itemContext, itemSchema } from './item-schema.ts'

/** How a subscription reaches the host. */
export type Transport = 'WebSocket' | 'SSE'

/** The transports that the host has. */
export function transportsOf({ features }: HostFactory): readonly Transport[] {
  return features.sse ? ['WebSocket', 'SSE'] : ['WebSocket']
}

export interface FixtureOptions extends Partial<Omit<HostSetup, 'executorOptions'>> {
  readonly executorOptions?: SubscriptionExecutorOptions
}

/** Who a client is: a scope that its token proves, or nobody. */
export type Who = Scope | undefined

/** A running host, with the clients of one test. Everything is closed, and counted, when the test is over. */
export interface Fixture {
  readonly host: RunningHost
  /** What the executor's `onError` heard. */
  readonly errors: unknown[]
  /** What the host logged. */
  readonly logged: unknown[]
  /** A client on a socket of its own. */
  connect(who: Who, options?: Partial<WebSocketClientOptions>): WebSocketClient
  /** A subscription of a client of its own, on a connection of its own. */
  subscribe(transport: Transport, who: Who, payload: SubscribePayload | string): Subscriber
  /** Publishes an item on a channel of tenant `acme`, unless the event says otherwise. */
  publish(data: unknown, event?: Partial<EventInput>): Promise<void>
  /** Resolves when exactly so many subscriptions run. */
  active(count: number): Promise<void>
  /** Resolves when the executor holds nothing. */
  released(): Promise<void>
  /** Stops the host as the factory says, and checks that nothing is left. */
  stop(): Promise<void>
}

/** Starts a host for one test, on the item schema unless another is given. */
export async function openHost(factory: HostFactory, options: FixtureOptions = {}): Promise<Fixture> {
  const { executorOptions, ...setup } = options
  const errors: unknown[] = []
  const logged: unknown[] = []
  const host = await factory.start({
    schema: itemSchema(),
    scope: scopeOfToken,
    maskErrors: true,
    log: (error) => logged.push(error),
    ...setup,
    executorOptions: { eventContext: itemContext, onError: (error) => errors.push(error), ...executorOptions },
  })
  const clients: WebSocketClient[] = []
  const subscribers: Subscriber[] = []
  const metrics = (): ReturnType<RunningHost['executor']['metrics']> => host.executor.metrics()
  const isReleased = (): boolean => {
    const { connections, groups, subscriptions } = metrics()
    return connections.active + groups.active + subscriptions.active === 0
  }
  const released = (): Promise<void> =>
    until(isReleased, () => `the executor holds nothing: ${JSON.stringify(metrics())}`)
  let stopped: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    await host.stop()
    expect(isReleased()).toBe(true)
    expect(metrics().subscriptions.byTenant).toEqual({})
    expect(host.httpServer.listening).toBe(false)
    await until(async () => (await connectionCount(host.httpServer)) === 0, 'the HTTP server has no connections')
  }

  const fixture: Fixture = {
    host,
    errors,
    logged,
    connect(who, clientOptions) {
      const client = webSocketClient({ url: host.wsUrl, headers: headersOf(who), ...clientOptions })
      clients.push(client)
      return client
    },
    subscribe(transport, who, payload) {
      const request = typeof payload === 'string' ? { query: payload } : payload
      const subscriber =
        transport === 'SSE' ? subscribeSse(host, who, request) : fixture.connect(who).subscribe(request)
      subscribers.push(subscriber)
      return subscriber
    },
    async publish(data, event) {
      await host.executor.publish({ tenantId: 'acme', channel: 'items', type: 'item', data, ...event })
    },
    active: (count) =>
      until(
        () => metrics().subscriptions.active === count,
        () => `${count} subscriptions run: ${JSON.stringify(metrics().subscriptions)}`,
      ),
    released,
    stop() {
      stopped ??= stop()
      return stopped
    },
  }
  onTestFinished(async () => {
    for (const subscriber of subscribers) subscriber.complete()
    await Promise.all(clients.map((client) => client.dispose()))
    try {
      if (stopped === undefined) await released()
    } finally {
      await fixture.stop()
    }
  })
  return fixture
}

function subscribeSse(host: RunningHost, who: Who, payload: SubscribePayload): Subscriber {
  if (host.sseUrl === undefined) throw new Error('the host claims SSE and has to give sseUrl')
  return subscribeOverSse({ url: host.sseUrl, headers: headersOf(who) }, requestParamsOf(payload))
}

/** A token that says who it is for; the suite's signature is that nobody else makes any. */
export function tokenOf(who: Scope): string {
  return `Bearer ${Buffer.from(JSON.stringify(who)).toString('base64url')}`
}

export function headersOf(who: Who): Record<string, string> {
  return who === undefined ? {} : { authorization: tokenOf(who) }
}

/** Verifies the token in the header, or in the connection parameters of a client that cannot set headers. */
export function scopeOfToken({ authorization, connectionParams }: HostIdentity): Scope | null {
  const token = authorization ?? connectionParams?.['authorization']
  if (typeof token !== 'string' || !token.startsWith('Bearer ')) return null
  return JSON.parse(Buffer.from(token.slice('Bearer '.length), 'base64url').toString()) as Scope
}

export function connectionCount(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)))
  })
}
