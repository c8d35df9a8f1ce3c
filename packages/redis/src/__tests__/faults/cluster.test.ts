import type { ChannelKey } from '@sluice/core'
import { type RecordingListener, recordingListener, until } from '@sluice/testkit'
import slotOf from 'cluster-key-slot'
import { describe, expect, it } from 'vitest'
import { channelNames } from '../../keys.ts'
import type { RedisBus } from '../../redis-bus.ts'
import { openCluster, type TestCluster } from '../cluster-service.ts'
import { connectedBus, freshChannel, makeEvent, numbered, publishMany } from '../service.ts'

interface Listening {
  readonly channel: ChannelKey
  readonly slot: number
  readonly recording: RecordingListener
}

/** Channels in all parts of the cluster, each with a listener at the bus. */
async function listenOnMany(bus: RedisBus, count: number): Promise<Listening[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const channel = freshChannel()
      const recording = recordingListener()
      await bus.subscribe(channel, { from: 'live' }, recording.listener)
      const { meta } = channelNames({ keyPrefix: 'sluice', database: 0 }, channel)
      return { channel, slot: slotOf(meta), recording }
    }),
  )
}

async function countsByMaster(cluster: TestCluster): Promise<number[]> {
  return Promise.all(
    cluster.masters.map(async ({ admin }) => ((await admin.call('PUBSUB', 'SHARDCHANNELS')) as string[]).length),
  )
}

describe('a cluster', () => {
  it('carries events over sharded pub/sub, each channel on the node that has its slot', async () => {
    const cluster = await openCluster()
    const [here, there] = await Promise.all([
      connectedBus({ client: cluster.client() }),
      connectedBus({ client: cluster.client() }),
    ])
    const listening = await listenOnMany(here, 30)
    await Promise.all(listening.map(({ channel }) => publishMany(there, channel, 'e', 1, 20)))
    await Promise.all(listening.map(({ recording }) => recording.received(20)))
    for (const { recording } of listening) {
      expect(recording.eventIds).toEqual(numbered('e', 1, 20))
      expect(recording.gaps).toEqual([])
    }
    const counts = await countsByMaster(cluster)
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(30)
    expect(Math.min(...counts)).toBeGreaterThan(0)
    const plain = await Promise.all(cluster.masters.map(({ admin }) => admin.pubsub('CHANNELS', '*')))
    expect(plain.flat()).toEqual([])

    await here.close()
    await until(async () => (await countsByMaster(cluster)).every((count) => count === 0), 'nothing is subscribed to')
  })

  it('whose slots are moved while events are published loses none, tells no gap, and the wire follows', async () => {
    const cluster = await openCluster()
    const options = { checkIntervalMs: 60_000, heartbeatMs: 1_000, publishTimeoutMs: 15_000 }
    const [here, there] = await Promise.all([
      connectedBus({ ...options, client: cluster.client() }),
      connectedBus({ ...options, client: cluster.client() }),
    ])
    const listening = await listenOnMany(here, 12)
    const count = 300
    let publishedCount = 0
    const publishing = Promise.all(
      listening.map(async ({ channel }) => {
        for (const eventId of numbered('e', 1, count)) {
          await there.publish(makeEvent(channel, { eventId }))
          publishedCount += 1
        }
      }),
    )
    for (const [index, { slot }] of listening.slice(0, 6).entries()) {
      await until(() => publishedCount > (index + 1) * 300, 'it is under way')
      const from = await cluster.ownerOf(slot)
      const to = cluster.masters.find((node) => node !== from)
      if (to === undefined) throw new Error('there is no other node')
      await cluster.migrate(slot, from, to)
    }
    await publishing
    await Promise.all(listening.map(({ recording }) => recording.received(count)))
    for (const { recording } of listening) {
      expect(recording.eventIds).toEqual(numbered('e', 1, count))
      expect(recording.gaps).toEqual([])
    }
    // What is published now comes over the wire of the new owner: nothing is checked for a minute.
    for (const { channel, recording, slot } of listening) {
      await until(async () => {
        const owner = await cluster.ownerOf(slot)
        const { wire } = channelNames({ keyPrefix: 'sluice', database: 0 }, channel)
        return ((await owner.admin.call('PUBSUB', 'SHARDNUMSUB', wire)) as [string, number])[1] === 1
      }, 'it is subscribed to at its owner')
      await there.publish(makeEvent(channel, { eventId: 'after' }))
      await recording.receivedId('after')
    }
  })

  it('of which a node dies goes on with its replica, and what the replica has is not lost', async () => {
    const cluster = await openCluster()
    const options = { checkIntervalMs: 1_000, heartbeatMs: 500, publishTimeoutMs: 20_000 }
    const bus = await connectedBus({ ...options, client: cluster.client() })
    const listening = await listenOnMany(bus, 12)
    await Promise.all(listening.map(({ channel }) => publishMany(bus, channel, 'e', 1, 50)))
    const [victim] = cluster.masters
    if (victim === undefined) throw new Error('there is no master')
    const isAffected = ({ slot }: Listening): boolean => slot <= 5460
    const affected = listening.find(isAffected)
    if (affected === undefined) throw new Error('no channel is on the master that dies')
    // The replica has everything, so nobody has to be told a gap. WAIT speaks of what its own connection wrote before.
    await victim.admin.set(`${channelNames({ keyPrefix: 'sluice', database: 0 }, affected.channel).meta}:marker`, '')
    expect(await victim.admin.wait(1, 10_000)).toBe(1)

    await victim.server.kill()
    // On the nodes that live nothing is to be noticed; the others wait for the failover.
    const publishing = Promise.all(listening.map(({ channel }) => publishMany(bus, channel, 'e', 51, 100)))
    await until(
      async () => (await cluster.replica.admin.info('replication')).includes('role:master'),
      'the replica is promoted',
    )
    await publishing
    await Promise.all(listening.map(({ recording }) => recording.received(100)))
    for (const { recording } of listening) {
      expect(recording.eventIds).toEqual(numbered('e', 1, 100))
      expect(recording.gaps).toEqual([])
    }
    await until(() => bus.status() === 'up', 'the bus is up again')
  }, 60_000)
})
