import { randomUUID } from 'node:crypto'
import { type ChannelKey, SHARED } from '@sluice/core'
import { describe, expect, it } from 'vitest'
import type { BusContractFactory } from '../bus-contract-factory.ts'
import { recordingListener } from '../recording-listener.ts'
import { makeEvent, openBackend } from './fixture.ts'

/** No channel hears another one, whatever they are called. */
export function isolationContract(factory: BusContractFactory): void {
  describe('isolation', () => {
    it('keeps channels and tenants apart, whatever characters their names have', async () => {
      const { bus } = await openBackend(factory)
      const channels = awkwardChannels()
      const recordings = channels.map(() => recordingListener())
      await Promise.all(
        channels.map((channel, index) =>
          bus.subscribe(channel, { from: 'live' }, recordings[index]?.listener ?? (() => {})),
        ),
      )
      for (const [index, channel] of channels.entries())
        await bus.publish(makeEvent(channel, { eventId: `only ${index}` }))
      // Whatever went astray was sent before these, so that waiting for them is waiting for it.
      for (const [index, channel] of channels.entries())
        await bus.publish(makeEvent(channel, { eventId: `last ${index}` }))
      for (const [index, recording] of recordings.entries()) {
        await recording.receivedId(`last ${index}`)
        expect(recording.eventIds).toEqual([`only ${index}`, `last ${index}`])
        expect(recording.events[0]?.event.channel).toEqual(channels[index])
      }
    })

    it.runIf(factory.capabilities.history)('keeps their histories apart too', async () => {
      const { bus } = await openBackend(factory)
      const channels = awkwardChannels()
      for (const [index, channel] of channels.entries())
        await bus.publish(makeEvent(channel, { eventId: `only ${index}` }))
      for (const [index, channel] of channels.entries()) {
        const { events } = await bus.history(channel, { limit: 10 })
        expect(events.map(({ event }) => event.eventId)).toEqual([`only ${index}`])
      }
    })
  })
}

/** Keys that a careless join, pattern or object key would mix up. */
function awkwardChannels(): ChannelKey[] {
  const t = randomUUID()
  const tenants = [
    'a',
    'a:b',
    t,
    'shared',
    '*',
    '{a}',
    '__proto__',
    'a\nb',
    'a\0b',
    'A',
    'a ',
    '\u00e9',
    'e\u0301',
    '🚢',
    '%',
    'a\\',
  ]
  const names = [
    'c',
    'b:c',
    '*',
    '?',
    '[a-z]',
    '{c}',
    '}{',
    'c\n',
    'c\0',
    '\0',
    '__proto__',
    'constructor',
    '"',
    "'",
    ' ',
    'C',
    '🚢',
    'x'.repeat(256),
  ]
  const keys: ChannelKey[] = [
    ...names.map((name) => ({ tenantId: t, name })),
    ...tenants.map((tenantId) => ({ tenantId, name: 'c' })),
    { tenantId: 'a', name: 'b:c' },
    { tenantId: SHARED, name: 'c' },
    { tenantId: SHARED, name: 'a:c' },
  ]
  return keys.filter(
    (key, index) => keys.findIndex((other) => other.tenantId === key.tenantId && other.name === key.name) === index,
  )
}
