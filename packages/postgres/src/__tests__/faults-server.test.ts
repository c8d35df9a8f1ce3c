import type { ChannelKey } from '@sluice/core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { openBackend } from './support/bus-backend.ts'
import { embeddedBinaries, installedBinaries } from './support/postgres-binaries.ts'
import { expectWhole, freshChannel, makeEvent, publishStubbornly, record } from './support/invariant.ts'
import { startPostgres } from './support/postgres-server.ts'

const versions = [{ version: 18, binaries: await embeddedBinaries() }]
const installed = installedBinaries()
if (installed !== undefined) versions.push({ version: 15, binaries: installed })

describe.each(versions)('fault 3 on Postgres $version: kill -9 of the postmaster', ({ binaries }) => {
  it('three times under eight writers: all that was acknowledged is there once, in order, without a gap', async () => {
    const server = await startPostgres({ binaries, isSynced: true })
    onTestFinished(() => server.stop())
    const options = { history: { maxCount: 1_000_000 }, heartbeatMs: 500 }
    const backend = await openBackend(server.url(), options)
    const other = await backend.another()
    onTestFinished(async () => {
      await Promise.all([backend.bus.close(), other.close()])
    })
    const channels = Array.from({ length: 8 }, () => freshChannel())
    const recordings = await Promise.all(
      channels.map((channel) => Promise.all([record(backend.bus, channel), record(other, channel)])),
    )
    const state = { isOver: false, acknowledged: 0 }
    const accepted = channels.map(() => [] as string[])
    const writers = channels.map(async (channel: ChannelKey, index) => {
      for (let n = 0; !state.isOver; n += 1) {
        await publishStubbornly(index % 2 === 0 ? backend.bus : other, makeEvent(channel, `e${n}`))
        accepted[index]?.push(`e${n}`)
        state.acknowledged += 1
      }
    })
    const heardAnother = async (): Promise<void> => {
      const [[recording] = []] = recordings
      await recording?.received(recording.events.length + 1)
    }
    for (let round = 1; round <= 3; round += 1) {
      const goal = state.acknowledged + 200
      // Under load: each time after so many more acknowledgements.
      while (state.acknowledged < goal) await heardAnother()
      await server.kill()
      await server.start()
    }
    const goal = state.acknowledged + 100
    while (state.acknowledged < goal) await heardAnother()
    state.isOver = true
    await Promise.all(writers)

    // The client of the test did not outlive the first kill.
    const fresh = await server.connect()
    onTestFinished(() => fresh.end())
    const query = async <T extends object>(text: string, values: unknown[] = []): Promise<T[]> =>
      (await fresh.query(text, values)).rows
    for (const [index, channel] of channels.entries()) {
      await publishStubbornly(backend.bus, makeEvent(channel, 'last'))
      const committed = await expectWhole({ ...backend, query }, channel, recordings[index] ?? [], 'last')
      expect(committed).toEqual([...(accepted[index] ?? []), 'last'])
    }
  })
})

describe('fault 14: the queue of notifications is full', () => {
  let stop: () => Promise<void> = async () => {}
  afterAll(() => stop())
  let url = ''
  beforeAll(async () => {
    // The smallest queue that the server allows, which one listener that does not listen can fill.
    const server = await startPostgres({ settings: { max_notify_queue_pages: '64' } })
    stop = () => server.stop()
    url = server.url()
    const stuck = await server.connect()
    await stuck.query('LISTEN stuck')
    await stuck.query('BEGIN')
    await stuck.query('SELECT 1')
    const flood = await server.connect()
    const fill = "SELECT count(pg_notify('stuck', repeat('x', 7000) || i)) FROM generate_series(1, 8) i"
    let isFull = false
    while (!isFull) {
      await flood.query(fill).catch((error: { code: string }) => {
        if (error.code !== '54000') throw error
        isFull = true
      })
    }
    await flood.end()
  })

  it('the user commits, events are published and arrive by poll', async () => {
    const backend = await openBackend(url)
    onTestFinished(() => backend.close())
    const publisher = await backend.another()
    const channel = freshChannel()
    const recording = await record(backend.bus, channel)
    // The queue is indeed full for whoever notifies.
    await expect(
      backend.query("SELECT pg_notify('stuck', repeat('x', 7000) || i) FROM generate_series(1, 8) i"),
    ).rejects.toMatchObject({
      code: '54000',
    })
    await publisher.publish(makeEvent(channel, 'e1'))
    await backend.query(`SELECT ${backend.s}.publish($1, $2, 'x', '1', event_id => 'e2')`, [
      channel.tenantId,
      channel.name,
    ])
    await recording.receivedId('e2')
    await publisher.publish(makeEvent(channel, 'last'))
    expect(await expectWhole(backend, channel, [recording], 'last')).toEqual(['e1', 'e2', 'last'])
  })

  it('a drain that notifies all the same fails, and is done again without', async () => {
    const backend = await openBackend(url)
    onTestFinished(() => backend.close())
    // As if the queue had filled between the look and the commit.
    const [found] = await backend.query<{ definition: string }>(
      `SELECT pg_get_functiondef('${backend.s}.drain'::regproc) AS definition`,
    )
    await backend.query(
      (found?.definition ?? '')
        .replace('AND pg_notification_queue_usage() < 0.5', '')
        .replace(
          'PERFORM pg_notify(settings.notify_channel,',
          "PERFORM pg_notify('stuck', repeat('x', 7990)) FROM generate_series(1, 8); PERFORM pg_notify(settings.notify_channel,",
        ),
    )
    await backend.query('BEGIN')
    await backend.query(`SELECT ${backend.s}.publish('t', 'c', 'x', '1')`)
    await backend.query(`SELECT ${backend.s}.drain()`)
    await expect(backend.query('COMMIT')).rejects.toMatchObject({ code: '54000' })

    const channel = freshChannel()
    const recording = await record(backend.bus, channel)
    await backend.query(`SELECT ${backend.s}.publish($1, $2, 'x', '1', event_id => 'from sql')`, [
      channel.tenantId,
      channel.name,
    ])
    await recording.receivedId('from sql')
    expect(await backend.bus.publish(makeEvent(channel, 'last'))).toMatchObject({ duplicate: false })
    const other = await backend.another()
    expect(await other.publish(makeEvent(channel, 'of another'))).toMatchObject({ duplicate: false })
    expect(await expectWhole(backend, channel, [recording], 'of another')).toEqual(['from sql', 'last', 'of another'])
  })
})
