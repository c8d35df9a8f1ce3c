import { recordingListener, until } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import {
  connectedBus,
  freshChannel,
  isUp,
  makeEvent,
  numbered,
  openClient,
  openServer,
  publishMany,
} from '../service.ts'

describe('a server that forgets its scripts', () => {
  it('over and over, under load, loses nothing and repeats nothing', async () => {
    const { url, port } = await openServer()
    const options = { url, history: { maxCount: 10_000 } }
    const [here, there] = await Promise.all([connectedBus(options), connectedBus(options)])
    const client = openClient(port)
    const channel = freshChannel()
    const recording = recordingListener()
    await here.subscribe(channel, { from: 'live' }, recording.listener)
    let isOver = false
    let flushCount = 0
    const flushing = (async () => {
      while (!isOver) {
        await client.script('FLUSH')
        flushCount += 1
      }
    })()
    const count = 1_500
    await Promise.all(
      [here, there].map(async (bus, index) => {
        for (const eventId of numbered(`${index}:`, 1, count)) await bus.publish(makeEvent(channel, { eventId }))
      }),
    )
    isOver = true
    await flushing
    await recording.received(2 * count)
    expect(flushCount).toBeGreaterThan(100)
    expect(recording.gaps).toEqual([])
    const { events } = await there.history(channel, { limit: 10_000 })
    expect(recording.eventIds).toEqual(events.map(({ event }) => event.eventId))
    for (const index of [0, 1]) {
      const own = recording.eventIds.filter((id) => id.startsWith(`${index}:`))
      expect(own).toEqual(numbered(`${index}:`, 1, count))
    }
  })
})

describe('a server that is busy with somebody’s script', () => {
  it('is not lost: what was published meanwhile is taken when the script is killed, once and in order', async () => {
    const { url, port } = await openServer({ args: ['--busy-reply-threshold', '50'] })
    const bus = await connectedBus({ url, publishTimeoutMs: 20_000 })
    const channel = freshChannel()
    const recording = recordingListener()
    await bus.subscribe(channel, { from: 'live' }, recording.listener)
    await publishMany(bus, channel, 'e', 1, 3)
    const [culprit, admin] = [openClient(port), openClient(port)]
    await admin.ping()
    const endless = culprit.eval('while true do end', 0)
    const killed = endless.catch((error: Error) => error.message)
    await until(
      () =>
        admin.ping().then(
          () => false,
          (error: Error) => error.message.startsWith('BUSY'),
        ),
      'it is busy',
    )
    const publishing = Promise.all(numbered('e', 4, 30).map((eventId) => bus.publish(makeEvent(channel, { eventId }))))
    await until(() => bus.status() === 'down', 'a server that answers BUSY to everything is as good as down')
    await admin.script('KILL')
    expect(await killed).toMatch(/killed/i)
    await publishing
    await isUp(bus)
    await recording.receivedId('e30')
    expect(recording.eventIds).toEqual(numbered('e', 1, 30))
    expect(recording.gaps).toEqual([])
  })
})
