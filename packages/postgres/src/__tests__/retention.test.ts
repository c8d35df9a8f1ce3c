import type { Position } from '@sluice/core'
import { recordingListener } from '@sluice/testkit'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { PostgresBusOptions } from '../index.ts'
import { type BusBackend, openBackend } from './support/bus-backend.ts'
import { freshChannel, makeEvent, record } from './support/invariant.ts'
import { type PostgresServer, startPostgres } from './support/postgres-server.ts'
import { inTurn } from './support/seeded-random.ts'

let server: PostgresServer

beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server.stop())

async function backendOf(options: Partial<PostgresBusOptions> = {}): Promise<BusBackend> {
  const backend = await openBackend(server.url(), options)
  onTestFinished(() => backend.close())
  return backend
}

async function publish(
  backend: BusBackend,
  channel: ReturnType<typeof freshChannel>,
  count: number,
): Promise<Position[]> {
  const receipts = await Promise.all(
    Array.from({ length: count }, (_, n) => backend.bus.publish(makeEvent(channel, `e${n + 1}`))),
  )
  return receipts.map(({ position }) => position)
}

/** Makes all events so much older. */
async function age({ query, s }: BusBackend, interval: string): Promise<void> {
  for (const [table, column] of [
    ['log', 'logged_at'],
    ['seen', 'seen_at'],
    ['channels', 'floored_at'],
  ]) {
    await query(`UPDATE ${s}.${table} SET ${column} = ${column} - interval '${interval}'`)
  }
}

describe('fault 7: a trimmed history', () => {
  it.each([
    ['the count', (backend: BusBackend) => backend.query(`SELECT ${backend.s}.retain(4)`)],
    [
      'the age',
      async (backend: BusBackend) => {
        await backend.query(`UPDATE ${backend.s}.log SET logged_at = logged_at - interval '1 hour' WHERE seq <= 6`)
        await backend.query(`SELECT ${backend.s}.retain(NULL, 60000)`)
      },
    ],
  ])('tells one gap right below the boundary of %s, and none right at it', async (_, trim) => {
    const backend = await backendOf({ history: { maxCount: 1_000_000 } })
    const channel = freshChannel()
    const positions = await publish(backend, channel, 10)
    await trim(backend)
    const [boundary] = await backend.query(`SELECT count(*)::int AS kept FROM ${backend.s}.log`)
    expect(boundary).toEqual({ kept: 4 })
    const expected: Record<number, string[]> = {
      // The fifth was dropped with the sixth after it; the sixth was dropped, and everything after it is here.
      4: ['gap:trimmed', 'e7', 'e8', 'e9', 'e10'],
      5: ['e7', 'e8', 'e9', 'e10'],
      6: ['e8', 'e9', 'e10'],
      9: [],
    }
    for (const [index, told] of Object.entries(expected)) {
      const recording = recordingListener()
      const from = positions[Number(index)] as Position
      await backend.bus.subscribe(channel, { from }, recording.listener)
      const page = await backend.bus.history(channel, { after: from, limit: 100 })
      expect(page.gap).toBe(told[0] === 'gap:trimmed' ? 'trimmed' : undefined)
      await backend.bus.publish(makeEvent(channel, `live ${index}`))
      await recording.receivedId(`live ${index}`)
      const heard = recording.notifications.map((notification) =>
        notification.kind === 'event'
          ? notification.event.eventId
          : `gap:${(notification as { reason: string }).reason}`,
      )
      expect(heard.filter((id) => !id.startsWith('live'))).toEqual(told)
    }
  })

  it('is told of a channel whose events are all gone, and not to whom nothing is missing', async () => {
    const backend = await backendOf({ history: { maxCount: 1_000_000 } })
    const channel = freshChannel()
    const before = await backend.bus.position(channel)
    const positions = await publish(backend, channel, 3)
    await age(backend, '2 hours')
    await backend.query(`SELECT ${backend.s}.retain(NULL, 3600000)`)
    const cut = await record(backend.bus, channel)
    const recordings = [before, positions[1] as Position, positions[2] as Position].map((from) => {
      const recording = recordingListener()
      return { from, recording }
    })
    for (const { from, recording } of recordings) await backend.bus.subscribe(channel, { from }, recording.listener)
    const { position } = await backend.bus.publish(makeEvent(channel, 'after'))
    await cut.receivedId('after')
    for (const { recording } of recordings) await recording.receivedId('after')
    expect(recordings.map(({ recording }) => recording.gaps.map(({ reason }) => reason))).toEqual([
      ['trimmed'],
      ['trimmed'],
      [],
    ])
    // The offsets go on.
    expect(position.split('.')[2]).toBe('4')
  })

  it('is told to a listener that was cut off while its events were deleted', async () => {
    const backend = await backendOf({ history: { maxCount: 1_000_000 } })
    const reader = await backend.another()
    const channel = freshChannel()
    const recording = await record(reader, channel)
    await publish(backend, channel, 1)
    await recording.received(1)
    const admin = await server.connect()
    onTestFinished(() => admin.end())
    // It cannot come back until the history was cut.
    await admin.query(`BEGIN; LOCK TABLE ${backend.s}.state IN ACCESS EXCLUSIVE MODE`)
    const isLost = recording.heard((told) => told.kind === 'status' && told.status === 'degraded')
    await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sluice'`)
    await isLost
    await admin.query(
      `WITH c AS (SELECT id FROM ${backend.s}.channels LIMIT 1)
       INSERT INTO ${backend.s}.log (channel_id, channel_offset, anchor, event_id, type, data, published_at, logged_at)
       SELECT c.id, n, n, convert_to('x' || n, 'UTF8'), 'x', '1', 1, clock_timestamp() FROM c, generate_series(2, 9) n`,
    )
    await admin.query(`DELETE FROM ${backend.s}.log WHERE channel_offset < 8`)
    await admin.query(`UPDATE ${backend.s}.channels SET floor_offset = 7, floor_anchor = 7; COMMIT`)
    await recording.receivedId('x9')
    expect(recording.eventIds).toEqual(['e1', 'x8', 'x9'])
    expect(recording.gaps.map(({ reason }) => reason)).toEqual(['trimmed'])
  })
})

describe('fault 6: a history that was replaced', () => {
  it('is a fork to whoever resumes from the part that is no more, and to nobody else', async () => {
    const backend = await backendOf()
    const channel = freshChannel()
    const positions = await publish(backend, channel, 3)
    // What a failover that lost its tail does: the last events are gone, and their offsets are given out again.
    await backend.query(`DELETE FROM ${backend.s}.log WHERE channel_offset > 2`)
    await backend.query(`DELETE FROM ${backend.s}.seen WHERE channel_offset > 2`)
    const lost = positions[2] as Position
    expect(await backend.bus.history(channel, { after: lost, limit: 9 })).toMatchObject({ gap: 'fork' })
    await backend.bus.publish(makeEvent(channel, 'other 3'))
    expect(await backend.bus.history(channel, { after: lost, limit: 9 })).toMatchObject({ gap: 'fork' })
    const page = await backend.bus.history(channel, { after: positions[1] as Position, limit: 9 })
    expect(page.gap).toBeUndefined()
    expect(page.events.map(({ event }) => event.eventId)).toEqual(['other 3'])
  })

  it('is one gap to a listener that was told of it, then what comes next', async () => {
    const backend = await backendOf()
    const reader = await backend.another()
    const channel = freshChannel()
    const calm = freshChannel()
    const recording = await record(reader, channel)
    const undisturbed = await record(reader, calm)
    await publish(backend, calm, 2)
    await publish(backend, channel, 3)
    await recording.received(3)
    await undisturbed.received(2)
    const admin = await server.connect()
    onTestFinished(() => admin.end())
    await admin.query(`BEGIN; LOCK TABLE ${backend.s}.state IN ACCESS EXCLUSIVE MODE`)
    const isLost = recording.heard((told) => told.kind === 'status' && told.status === 'degraded')
    await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sluice'`)
    await isLost
    await admin.query(`UPDATE ${backend.s}.log SET anchor = anchor + 1, event_id = 'other'
      WHERE channel_offset = 3 AND channel_id = (SELECT channel_id FROM ${backend.s}.log WHERE channel_offset = 3)`)
    await admin.query('COMMIT')
    await recording.heard((told) => told.kind === 'gap')
    await backend.bus.publish(makeEvent(channel, 'e4'))
    await backend.bus.publish(makeEvent(calm, 'calm'))
    await recording.receivedId('e4')
    await undisturbed.receivedId('calm')
    expect(recording.gaps.map(({ reason }) => reason)).toEqual(['fork'])
    expect(recording.eventIds).toEqual(['e1', 'e2', 'e3', 'e4'])
    expect(undisturbed.gaps).toEqual([])
  })

  it('is one gap `epoch` if the schema was dropped and made anew, and everything that is in the new one', async () => {
    const backend = await backendOf()
    const channel = freshChannel()
    const recording = await record(backend.bus, channel)
    await publish(backend, channel, 3)
    await recording.received(3)
    const isLost = recording.heard((told) => told.kind === 'gap')
    await backend.query(`DROP SCHEMA ${backend.s} CASCADE`)
    await isLost
    await backend.bus.publish(makeEvent(channel, 'new'))
    await recording.receivedId('new')
    expect(recording.gaps.map(({ reason }) => reason)).toEqual(['epoch'])
    expect(recording.eventIds).toEqual(['e1', 'e2', 'e3', 'new'])
  })
})

describe('retention', () => {
  it('deletes by count and by age by itself, per channel', async () => {
    const backend = await backendOf({ history: { maxCount: 5, maxAgeMs: 3_600_000 } })
    const [many, few, old] = [freshChannel(), freshChannel(), freshChannel()]
    await publish(backend, old, 3)
    await age(backend, '61 minutes')
    await publish(backend, many, 50)
    await publish(backend, few, 4)
    const count = async (): Promise<string> => {
      const rows = await backend.query<{ count: number }>(
        `SELECT count(l.seq)::int AS count FROM ${backend.s}.channels c LEFT JOIN ${backend.s}.log l ON l.channel_id = c.id
         GROUP BY c.id ORDER BY c.id`,
      )
      return rows.map((row) => row.count).join()
    }
    await inTurn(async () => (await count()) === '0,5,4')
    const page = await backend.bus.history(many, { limit: 10 })
    expect(page.events.map(({ event }) => event.eventId)).toEqual(['e46', 'e47', 'e48', 'e49', 'e50'])
  })

  it('never waits for publishers, nor they for it', async () => {
    const backend = await backendOf({ history: { maxCount: 1_000_000 } })
    const channel = freshChannel()
    await publish(backend, channel, 200)
    const deleting = await server.connect()
    onTestFinished(() => deleting.end())
    await deleting.query('BEGIN')
    await deleting.query(`SELECT ${backend.s}.retain(10)`)
    // Its locks are held; publishing goes on, in a transaction of the caller's too, and so does sequencing.
    const receipt = await backend.bus.publish(makeEvent(channel, 'meanwhile'))
    expect(receipt.duplicate).toBe(false)
    const writing = await server.connect()
    onTestFinished(() => writing.end())
    await writing.query('BEGIN')
    await backend.bus.publishIn(writing, { tenantId: channel.tenantId, channel: channel.name, type: 'x', data: 1 })
    await deleting.query('COMMIT')
    await deleting.query(`SELECT ${backend.s}.retain(5)`)
    await writing.query('COMMIT')
    const page = await backend.bus.history(channel, { limit: 100 })
    expect(page.events.length).toBeLessThanOrEqual(7)
    expect(page.events.map(({ event }) => event.eventId)).toContain('meanwhile')
  })

  it('forgets event ids after the window, and channels that were empty for a day', async () => {
    const backend = await backendOf()
    const channel = freshChannel()
    await backend.bus.publish(makeEvent(channel, 'same'))
    expect(await backend.bus.publish(makeEvent(channel, 'same'))).toMatchObject({ duplicate: true })
    await age(backend, '3 minutes')
    expect(await backend.bus.publish(makeEvent(channel, 'same'))).toMatchObject({ duplicate: false })
    const count = `SELECT
      (SELECT count(*)::int FROM ${backend.s}.seen) AS seen, (SELECT count(*)::int FROM ${backend.s}.channels) AS channels`
    await age(backend, '23 hours')
    await backend.query(`SELECT ${backend.s}.retain(NULL, 1000)`)
    await backend.query(`SELECT ${backend.s}.forget_channels(1000)`)
    expect(await backend.query(count)).toEqual([{ seen: 0, channels: 1 }])
    await age(backend, '25 hours')
    await backend.query(`SELECT ${backend.s}.forget_channels(1000)`)
    expect(await backend.query(count)).toEqual([{ seen: 0, channels: 0 }])
  })

  it('a channel that was forgotten begins anew for whoever listens, without a gap', async () => {
    const backend = await backendOf()
    const channel = freshChannel()
    const recording = await record(backend.bus, channel)
    const { position } = await backend.bus.publish(makeEvent(channel, 'e1'))
    await recording.received(1)
    await age(backend, '25 hours')
    await backend.query(`SELECT ${backend.s}.retain(NULL, 1000)`)
    await age(backend, '25 hours')
    expect(await backend.query(`SELECT ${backend.s}.forget_channels(1000) AS count`)).toEqual([{ count: 1 }])
    await backend.bus.publish(makeEvent(channel, 'e2'))
    await recording.receivedId('e2')
    expect(recording.eventIds).toEqual(['e1', 'e2'])
    expect(recording.gaps).toEqual([])
    expect(await backend.bus.history(channel, { after: position, limit: 5 })).toMatchObject({ gap: 'trimmed' })
  })
})
