import { randomUUID } from 'node:crypto'
import type { BusEvent, ChannelKey, EventBus } from '@sluice/core'
import { type RedisServer, type RedisServerOptions, startRedisServer, until } from '@sluice/testkit'
import { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'
import { type RedisBus, redisBus } from '../redis-bus.ts'
import type { RedisBusOptions } from '../redis-bus-options.ts'

/** Fast enough for tests, slow enough for a machine that is busy. */
export const quick: RedisBusOptions = { heartbeatMs: 500, checkIntervalMs: 500, lingerMs: 20 }

/** A server that is stopped when the test is over. */
export async function openServer(options?: RedisServerOptions): Promise<RedisServer> {
  const server = await startRedisServer(options)
  onTestFinished(() => server.stop())
  return server
}

/** A bus that is closed when the test is over. */
export function openBus(options: RedisBusOptions): RedisBus {
  const bus = redisBus({ ...quick, ...options })
  onTestFinished(() => bus.close())
  return bus
}

/** As {@link openBus}, and connected. */
export async function connectedBus(options: RedisBusOptions): Promise<RedisBus> {
  const bus = openBus(options)
  await isUp(bus)
  return bus
}

/** Resolves when the bus is up. */
export function isUp(bus: EventBus): Promise<void> {
  return until(
    () => bus.status() === 'up',
    () => `the bus is up; it is ${bus.status()}`,
  )
}

/** A client to look at the server with, closed when the test is over. */
export function openClient(port: number): Redis {
  const client = new Redis(port, '127.0.0.1')
  client.on('error', () => undefined) // the server may die, that is what tests are for
  onTestFinished(() => client.disconnect())
  return client
}

/** A channel that no other test has. */
export function freshChannel(name = 'orders'): ChannelKey {
  return { tenantId: `tenant-${randomUUID()}`, name }
}

/** An event with an id of its own. */
export function makeEvent(channel: ChannelKey, overrides: Partial<BusEvent> = {}): BusEvent {
  return {
    channel,
    type: 'changed',
    data: Buffer.from('{"a":1}'),
    eventId: randomUUID(),
    publishedAt: Date.now(),
    ...overrides,
  }
}

/** Publishes events with the ids `<prefix><first>` to `<prefix><last>`, one after another. */
export async function publishMany(bus: EventBus, channel: ChannelKey, prefix: string, first: number, last: number) {
  for (const eventId of numbered(prefix, first, last)) await bus.publish(makeEvent(channel, { eventId }))
}

/** `<prefix><first>` to `<prefix><last>`. */
export function numbered(prefix: string, first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => `${prefix}${first + index}`)
}
