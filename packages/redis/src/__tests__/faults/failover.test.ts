import { recordingListener, startFaultProxy, until } from '@sluice/testkit'
import type { Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connectedBus, freshChannel, isUp, makeEvent, openClient, openServer, publishMany } from '../service.ts'

describe('a replica that is promoted without the tail', () => {
  it('is told as one gap `fork` to those who are live, idle, and come back; and not to those it does not touch', async () => {
    const master = await openServer()
    const replica = await openServer()
    // Replication and clients go through proxies: the one is cut, the other is what a failover does to an address.
    const replication = await startFaultProxy(master.port)
    onTestFinished(() => replication.close())
    const address = await startFaultProxy(master.port)
    onTestFinished(() => address.close())
    const admin = openClient(replica.port)
    await admin.replicaof('127.0.0.1', replication.port)

    const bus = await connectedBus({ url: `redis://127.0.0.1:${address.port}`, heartbeatMs: 2_000 })
    const [busy, idle, untouched] = [freshChannel(), freshChannel(), freshChannel()]
    const recordings = [recordingListener(), recordingListener(), recordingListener()] as const
    for (const [index, channel] of [busy, idle, untouched].entries()) {
      await bus.subscribe(channel, { from: 'live' }, recordings[index]?.listener ?? (() => {}))
      await publishMany(bus, channel, 'e', 1, 10)
    }
    const reader = openClient(replica.port)
    await until(async () => {
      const sizes = await Promise.all((await reader.keys('*:s:*')).map((key) => reader.xlen(key)))
      return sizes.length === 3 && sizes.every((size) => size === 10)
    }, 'the replica has all')

    replication.swallow('both')
    await publishMany(bus, busy, 'lost', 1, 5)
    await publishMany(bus, idle, 'lost', 1, 5)
    await Promise.all([recordings[0].receivedId('lost5'), recordings[1].receivedId('lost5')])
    const lastOfTheOld = recordings[0].events.at(-1)?.position

    await admin.replicaof('NO', 'ONE')
    address.retarget(replica.port)
    address.cut()
    await until(() => bus.status() === 'down', 'the bus knows')
    await isUp(bus)
    // As many as were lost: the offsets are given out again, in the same epoch.
    await publishMany(bus, busy, 'instead', 1, 6)
    await publishMany(bus, untouched, 'instead', 1, 6)
    await Promise.all([recordings[0].receivedId('instead6'), recordings[2].receivedId('instead6')])
    await recordings[1].heard(({ kind }) => kind === 'gap')

    const told = recordings.map(({ notifications }) =>
      notifications
        .filter(({ kind }) => kind === 'event' || kind === 'gap')
        .map((one) => (one.kind === 'event' ? one.event.eventId : one.kind === 'gap' ? `gap:${one.reason}` : '')),
    )
    const ids = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`)
    expect(told).toEqual([
      [...ids('e', 10), ...ids('lost', 5), 'gap:fork', ...ids('instead', 6)],
      [...ids('e', 10), ...ids('lost', 5), 'gap:fork'],
      [...ids('e', 10), ...ids('instead', 6)],
    ])

    // Somebody else comes back with a position of the history that is no more.
    const back = recordingListener()
    await bus.subscribe(busy, { from: lastOfTheOld ?? 'live' }, back.listener)
    await bus.publish(makeEvent(busy, { eventId: 'last' }))
    await back.receivedId('last')
    expect(back.gaps.map(({ reason }) => reason)).toEqual(['fork'])
    expect(back.eventIds).toEqual([...ids('instead', 6), 'last'])
  })
})

describe('a master that becomes a replica', () => {
  it('takes no events; they go to the new master as soon as its address is known', async () => {
    const [old, next] = [await openServer(), await openServer()]
    const address = await startFaultProxy(old.port)
    onTestFinished(() => address.close())
    const bus = await connectedBus({ url: `redis://127.0.0.1:${address.port}`, publishTimeoutMs: 20_000 })
    const channel = freshChannel()
    await openClient(next.port).replicaof('127.0.0.1', old.port)
    await publishMany(bus, channel, 'e', 1, 10)
    const client: Redis = openClient(next.port)
    await until(async () => (await client.keys('*:s:*')).length === 1, 'the replica has it')
    await client.replicaof('NO', 'ONE')
    await openClient(old.port).replicaof('127.0.0.1', next.port)
    const publishing = publishMany(bus, channel, 'e', 11, 20)
    address.retarget(next.port) // nobody is disconnected: that it is a replica is all that tells
    await publishing
    const { events, gap } = await bus.history(channel, { limit: 100 })
    expect(gap).toBeUndefined()
    expect(events.map(({ event }) => event.eventId)).toEqual(Array.from({ length: 20 }, (_, index) => `e${index + 1}`))
  })
})
