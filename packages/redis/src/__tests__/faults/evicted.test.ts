import { recordingListener } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { connectedBus, freshChannel, openClient, openServer, publishMany } from '../service.ts'

describe('keys that are evicted', () => {
  it.each([
    ['the record and not the stream', ['m'], 'epoch'],
    ['the stream and not the record', ['s'], undefined],
    ['both', ['m', 's'], 'epoch'],
    ['the ids only', ['d'], undefined],
  ] as const)('(%s) are at most one gap for those who are live, and nothing is told twice', async (_, kinds, gap) => {
    const { url, port } = await openServer()
    const bus = await connectedBus({ url, checkIntervalMs: 600_000 })
    const channel = freshChannel()
    const from = await bus.position(channel)
    const [live, back] = [recordingListener(), recordingListener()]
    await bus.subscribe(channel, { from: 'live' }, live.listener)
    await publishMany(bus, channel, 'e', 1, 5)
    await live.received(5)
    const client = openClient(port)
    for (const kind of kinds) await client.del(await client.keys(`*:${kind}:*`))
    await publishMany(bus, channel, 'after', 1, 3)
    await live.receivedId('after3')
    expect(live.eventIds).toEqual(['e1', 'e2', 'e3', 'e4', 'e5', 'after1', 'after2', 'after3'])
    expect(live.gaps.map(({ reason }) => reason)).toEqual(gap === undefined ? [] : [gap])

    await bus.subscribe(channel, { from }, back.listener)
    await back.receivedId('after3')
    const isComplete = kinds.every((kind) => kind === 'd')
    expect(back.gaps.map(({ reason }) => reason)).toEqual(isComplete ? [] : [gap ?? 'trimmed'])
    expect(back.eventIds).toEqual(isComplete ? live.eventIds : ['after1', 'after2', 'after3'])
  })
})

describe('buses that keep a history for different times', () => {
  it('do not shorten the life of its record by looking at it', async () => {
    const { url, port } = await openServer()
    const dayMs = 86_400_000
    const long = await connectedBus({ url, history: { maxAgeMs: dayMs } })
    const short = await connectedBus({ url })
    const channel = freshChannel()
    await publishMany(long, channel, 'e', 1, 3)
    await short.position(channel)
    await short.history(channel, { limit: 10 })
    const client = openClient(port)
    const [meta = ''] = await client.keys('*:m:*')
    expect(await client.pttl(meta)).toBeGreaterThan(dayMs)
    const ages = { [meta]: await client.pttl(meta) }
    await publishMany(short, channel, 'e', 4, 4)
    expect(await client.pttl(meta)).toBeGreaterThan((ages[meta] ?? 0) - 60_000)
    // And the longer one makes it longer again.
    await publishMany(short, freshChannel('other'), 'e', 1, 1)
    for (const key of await client.keys('*:m:*')) expect(await client.pttl(key)).toBeGreaterThan(0)
  })

  it('or counts, tell a gap to whom the shorter one took something from, and to nobody else', async () => {
    const { url } = await openServer()
    const [many, few] = [await connectedBus({ url }), await connectedBus({ url, history: { maxCount: 1 } })]
    const channel = freshChannel()
    const from = await many.position(channel)
    const live = recordingListener()
    await few.subscribe(channel, { from: 'live' }, live.listener)
    await publishMany(many, channel, 'e', 1, 500)
    await publishMany(few, channel, 'e', 501, 700)
    await live.receivedId('e700')
    expect(live.events).toHaveLength(700)
    expect(live.gaps).toEqual([])
    const back = recordingListener()
    await many.subscribe(channel, { from }, back.listener)
    await back.receivedId('e700')
    expect(back.gaps.map(({ reason }) => reason)).toEqual(['trimmed'])
    const first = Number(back.eventIds[0]?.slice(1))
    expect(back.events).toHaveLength(700 - first + 1)
    expect(back.events.length).toBeLessThan(202)
  })
})
