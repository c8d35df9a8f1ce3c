import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { nowMicros } from '../clock.ts'
import { type Launch, launch } from '../processes/launch.ts'
import type { RedisClientCommands } from '../processes/redis-client-process.ts'
import type { RedisInstanceCommands } from '../processes/redis-instance-process.ts'
import { Remote } from '../rpc/remote.ts'
import type { RedisServerName } from '../servers/redis-servers.ts'
import { FIRST_SEQUENCE } from '../workload/workload.ts'
import { startRedis } from './redis-process.ts'
import type { Arrivals } from './tally.ts'

/** How much is measured. */
export interface RedisPlan {
  /** Subscribers of both instances together. */
  readonly subscriberCount: number
  /** How long events follow one another, each when the one before has arrived everywhere. */
  readonly calmMs: number
  /** How long events are published at a fixed rate while connections are killed. */
  readonly killingMs: number
  readonly eventsPerSecond: number
  readonly killIntervalMs: number
  readonly launch: Launch
}

export interface CalmFigures {
  readonly eventCount: number
  readonly eventsPerSecond: number
  /** CPU of both instances for a message to a client. */
  readonly cpuMicrosPerDelivery: number
  readonly latencyMs: { readonly p50: number; readonly p99: number }
}

export interface KillingFigures extends Omit<Arrivals, 'latencyMicros'> {
  /** Events that the server said it has taken. */
  readonly acceptedCount: number
  readonly refusedCount: number
  readonly killCount: number
}

export interface RedisFigures {
  readonly calm: CalmFigures
  readonly killing: KillingFigures
}

/** How long an event may take to arrive everywhere when nothing is wrong: some servers take seconds. */
const patienceMs = 60_000

/** How long clients are waited for after the last event. */
const quietMs = 5_000

/** Two instances on a Redis of their own, with half of the subscribers each. @throws Error if one of the processes breaks */
export async function measureOnRedis(server: RedisServerName, plan: RedisPlan): Promise<RedisFigures> {
  const redis = await startRedis()
  const instances = ['one instance', 'the other instance'].map(
    (name) => new Remote<RedisInstanceCommands>(launch('redis-instance-process', plan.launch), `${name} of ${server}`),
  )
  const clients = new Remote<RedisClientCommands>(
    launch('redis-client-process', plan.launch),
    `the clients of ${server}`,
  )
  const admin = new Redis(redis.port, '127.0.0.1')
  try {
    const addresses = await Promise.all(
      instances.map((instance) => instance.call('start', { server, redisPort: redis.port })),
    )
    const countEach = plan.subscriberCount / instances.length
    await clients.call('open', { instances: addresses, countEach })
    await Promise.all(instances.map((instance) => instance.call('started', countEach)))
    let sequence = FIRST_SEQUENCE
    const publish = (index: number): Promise<boolean> => {
      sequence += 1
      return (instances[index % instances.length] as Remote<RedisInstanceCommands>).call('publish', sequence - 1)
    }
    await untilSubscribed({ clients, publish, next: () => sequence })
    await calm({ ...plan, calmMs: plan.calmMs / 2 }, { instances, clients, publish, next: () => sequence }) // warm-up
    const figures = await calm(plan, { instances, clients, publish, next: () => sequence })
    return { calm: figures, killing: await killing(plan, { clients, publish, next: () => sequence, admin }) }
  } finally {
    admin.disconnect()
    await clients.stop()
    await Promise.all(instances.map((instance) => instance.stop()))
    await redis.stop()
  }
}

interface Running {
  readonly instances: readonly Remote<RedisInstanceCommands>[]
  readonly clients: Remote<RedisClientCommands>
  readonly publish: (index: number) => Promise<boolean>
  /** The number of the next event. */
  readonly next: () => number
}

/** What a server does after its resolver was asked shows by an event only: some are published until one reaches everybody. */
async function untilSubscribed({ clients, publish, next }: Omit<Running, 'instances'>): Promise<void> {
  for (const giveUpAt = nowMicros() + patienceMs * 1000; nowMicros() < giveUpAt; ) {
    await clients.call('begin', next())
    await publish(0)
    if (await clients.call('arrived', { eventCount: 1, timeoutMs: 2_000 })) return
  }
  throw new Error('There is always somebody whom an event does not reach.')
}

async function calm(plan: RedisPlan, { instances, clients, publish, next }: Running): Promise<CalmFigures> {
  const cpu = async (): Promise<number> => {
    const each = await Promise.all(instances.map((instance) => instance.call('cpuMicros', null)))
    return each.reduce((sum, micros) => sum + micros, 0)
  }
  await clients.call('begin', next())
  const cpuBefore = await cpu()
  const begun = nowMicros()
  let eventCount = 0
  do {
    await publish(eventCount)
    eventCount += 1
    const isThere = await clients.call('arrived', { eventCount, timeoutMs: patienceMs }, patienceMs + 10_000)
    if (!isThere) throw new Error('An event did not arrive.')
  } while (nowMicros() < begun + plan.calmMs * 1000)
  const elapsedMicros = nowMicros() - begun
  const cpuMicros = (await cpu()) - cpuBefore
  const { deliveryCount, latencyMicros } = await clients.call('end', eventCount)
  return {
    eventCount,
    eventsPerSecond: (eventCount / elapsedMicros) * 1e6,
    cpuMicrosPerDelivery: cpuMicros / deliveryCount,
    latencyMs: { p50: latencyMicros.p50 / 1000, p99: latencyMicros.p99 / 1000 },
  }
}

async function killing(
  { killingMs, eventsPerSecond, killIntervalMs }: RedisPlan,
  { clients, publish, next, admin }: Omit<Running, 'instances'> & { readonly admin: Redis },
): Promise<KillingFigures> {
  await clients.call('begin', next())
  const begun = nowMicros()
  const elapsedMs = (): number => (nowMicros() - begun) / 1000
  const outcomes: Promise<boolean>[] = []
  let killCount = 0
  while (elapsedMs() < killingMs) {
    // From one instance, so that there is one order in which they were published.
    outcomes.push(publish(0))
    if (elapsedMs() > (killCount + 0.5) * killIntervalMs) {
      killCount += 1
      await admin.client('KILL', 'TYPE', 'pubsub')
      await admin.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    }
    await delay(Math.max(0, (outcomes.length * 1000) / eventsPerSecond - elapsedMs()))
  }
  const acceptedCount = (await Promise.all(outcomes)).filter(Boolean).length
  await clients.call('arrived', { eventCount: acceptedCount, timeoutMs: quietMs })
  const { latencyMicros: _, ...arrivals } = await clients.call('end', acceptedCount)
  return { ...arrivals, acceptedCount, refusedCount: outcomes.length - acceptedCount, killCount }
}
