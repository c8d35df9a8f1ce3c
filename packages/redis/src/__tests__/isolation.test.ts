import { type ChannelKey, SHARED } from '@sluice/core'
import { type RecordingListener, recordingListener } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { connectedBus, makeEvent, openServer } from './service.ts'

describe('databases and prefixes', () => {
  it('are worlds of their own: on one server, with the same channel and the same event ids, nobody hears another', async () => {
    const { url } = await openServer()
    const channel = { tenantId: 'acme', name: 'orders' }
    const buses = await Promise.all([
      connectedBus({ url }),
      connectedBus({ url: `${url}/1` }),
      connectedBus({ url: `${url}/11` }),
      connectedBus({ url, keyPrefix: 'sluice:' }),
      connectedBus({ url, keyPrefix: 'sluice/1' }),
      connectedBus({ url: `${url}/1`, keyPrefix: 's' }),
    ])
    const recordings = buses.map(() => recordingListener())
    for (const [index, bus] of buses.entries()) {
      await bus.subscribe(channel, { from: 'live' }, recordings[index]?.listener ?? (() => {}))
    }
    for (const [index, bus] of buses.entries()) {
      expect(await bus.publish(makeEvent(channel, { eventId: 'e1', type: `of ${index}` }))).toMatchObject({
        duplicate: false,
      })
    }
    for (const [index, bus] of buses.entries()) {
      await bus.publish(makeEvent(channel, { eventId: 'e2', type: `of ${index}` }))
      await recordings[index]?.receivedId('e2')
      const { events } = await bus.history(channel, { limit: 10 })
      expect(events.map(({ event }) => event.type)).toEqual([`of ${index}`, `of ${index}`])
      expect(recordings[index]?.events.map(({ event }) => event.type)).toEqual([`of ${index}`, `of ${index}`])
      expect(recordings[index]?.gaps).toEqual([])
    }
  })
})

describe('channels whose names look like parts of keys', () => {
  it('hear nothing of each other, and a position of one gives nothing of another', async () => {
    const { url } = await openServer()
    const bus = await connectedBus({ url })
    const channels: ChannelKey[] = [
      { tenantId: 'a', name: 'b:c' },
      { tenantId: 'a:b', name: 'c' },
      { tenantId: SHARED, name: 'c' },
      { tenantId: 'shared', name: 'c' },
      { tenantId: SHARED, name: 'tenant:1:a:b:c' },
      { tenantId: 'a', name: '{00}' },
      { tenantId: '{00}', name: 'a' },
      { tenantId: '*', name: '*' },
      { tenantId: 'a', name: '\0' },
      { tenantId: 'a', name: '\r\n' },
      { tenantId: 'a', name: '\u00e9' },
      { tenantId: 'a', name: 'e\u0301' },
    ]
    const recordings: RecordingListener[] = []
    for (const channel of channels) {
      const recording = recordingListener()
      recordings.push(recording)
      await bus.subscribe(channel, { from: 'live' }, recording.listener)
    }
    // The same event ids everywhere: an id of one channel is none of another.
    const receipts = await Promise.all(
      channels.map((channel, index) => bus.publish(makeEvent(channel, { eventId: 'e1', type: `of ${index}` }))),
    )
    expect(receipts.every(({ duplicate }) => !duplicate)).toBe(true)
    await Promise.all(
      channels.map((channel, index) => bus.publish(makeEvent(channel, { eventId: 'e2', type: `of ${index}` }))),
    )
    for (const [index, channel] of channels.entries()) {
      await recordings[index]?.receivedId('e2')
      expect(recordings[index]?.events.map(({ event }) => event.type)).toEqual([`of ${index}`, `of ${index}`])
      const foreign = receipts[(index + 1) % channels.length]?.position
      const resumed = recordingListener()
      await bus.subscribe(channel, { from: foreign ?? 'live' }, resumed.listener)
      await resumed.receivedId('e2')
      expect(resumed.gaps.map(({ reason }) => reason)).toEqual(['epoch'])
      expect(resumed.events.map(({ event }) => event.type)).toEqual([`of ${index}`, `of ${index}`])
    }
  })

  it('and positions that a client made up, with the right epoch or without, give what is kept of its own channel', async () => {
    const { url } = await openServer()
    const bus = await connectedBus({ url })
    const channel = { tenantId: 'acme', name: 'orders' }
    await bus.publish(makeEvent(channel, { eventId: 'e1' }))
    const { position } = await bus.publish(makeEvent(channel, { eventId: 'e2' }))
    const [, epoch = '', ms = ''] = /^(\w+)\.(\d+)-2$/.exec(position) ?? []
    const madeUp: [string, string[], string[]][] = [
      [`${epoch}.0-0`, [], ['e1', 'e2']],
      [`${epoch}.7-0`, [], ['e1', 'e2']],
      [`${epoch}.999999999999999-999999999999999`, ['fork'], []],
      [`${epoch}.~999999999999999-2`, ['fork'], []],
      [`${epoch}.1-1`, ['fork'], ['e1', 'e2']],
      [`${epoch}.~1-1`, ['fork'], ['e1', 'e2']],
      [`${epoch}.${ms}-3`, ['fork'], []],
      [`${epoch}.~${ms}-2`, [], ['e2']],
      [`00${epoch}.${ms}-2`, ['epoch'], ['e1', 'e2']],
      [`-.0-0`, ['epoch'], ['e1', 'e2']],
      [`${epoch}.0-0\n`, ['epoch'], ['e1', 'e2']],
      [`${epoch}.0-0'); redis.call('FLUSHALL') --`, ['epoch'], ['e1', 'e2']],
    ]
    for (const [from, gaps, ids] of madeUp) {
      const recording = recordingListener()
      const subscription = await bus.subscribe(channel, { from: from as typeof position }, recording.listener)
      const other = recordingListener()
      const witness = await bus.subscribe(channel, { from: 'live' }, other.listener)
      const { position: at } = await bus.publish(makeEvent(channel, { eventId: `after ${from}` }))
      await Promise.all([recording.receivedId(`after ${from}`), other.receivedId(`after ${from}`)])
      const heard = recording.eventIds.filter((id) => id.startsWith('e'))
      expect([from, recording.gaps.map(({ reason }) => reason), heard]).toEqual([from, gaps, ids])
      expect(other.gaps).toEqual([])
      expect(at).not.toBe(position)
      await Promise.all([subscription.close(), witness.close()])
    }
  })
})
