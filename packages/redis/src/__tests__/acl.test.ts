import { type ChannelKey, SHARED } from '@sluice/core'
import { recordingListener, type RedisServer } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { type RedisAclOptions, redisAclRules } from '../acl-rules.ts'
import type { RedisBus } from '../redis-bus.ts'
import { connectedBus, makeEvent, openClient, openServer } from './service.ts'

/** A bus whose user has these rules. */
async function confinedBus(server: RedisServer, name: string, options: RedisAclOptions): Promise<RedisBus> {
  const admin = openClient(server.port)
  await admin.call('ACL', 'SETUSER', name, 'reset', 'on', '>secret', ...redisAclRules(options))
  return connectedBus({ url: `redis://${name}:secret@127.0.0.1:${server.port}` })
}

describe('a process that its user confines to one tenant', () => {
  it('does everything with that tenant’s channels, and nothing with those of others', async () => {
    const server = await openServer()
    const all = await connectedBus({ url: server.url })
    const bus = await confinedBus(server, 'acme', { tenantId: 'acme' })
    const own = { tenantId: 'acme', name: 'orders' }
    const recording = recordingListener()
    const from = await bus.position(own)
    await bus.subscribe(own, { from }, recording.listener)
    await bus.publish(makeEvent(own, { eventId: 'mine' }))
    await all.publish(makeEvent(own, { eventId: 'from outside' }))
    await recording.received(2)
    expect((await bus.history(own, { limit: 10 })).events).toHaveLength(2)

    // Names that a pattern which was only joined would let through.
    const others: ChannelKey[] = [
      { tenantId: 'globex', name: 'orders' },
      { tenantId: 'acme2', name: 'orders' },
      { tenantId: 'acm', name: 'e:orders' },
      { tenantId: 'globex', name: 'tenant:4:acme:orders' },
      { tenantId: 'x:tenant:4:acme', name: 'orders' },
      { tenantId: SHARED, name: 'tenant:4:acme:orders' },
      { tenantId: SHARED, name: 'news' },
    ]
    for (const channel of others) {
      await all.publish(makeEvent(channel, { eventId: 'secret' }))
      const spy = recordingListener()
      const attempts = [
        bus.subscribe(channel, { from: 'live' }, spy.listener),
        bus.subscribe(channel, { from }, spy.listener),
        bus.history(channel, { limit: 10 }),
        bus.position(channel),
        bus.publish(makeEvent(channel, { eventId: 'forged' })),
      ]
      for (const outcome of await Promise.allSettled(attempts)) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'FORBIDDEN', retryable: false } })
      }
      const { events } = await all.history(channel, { limit: 10 })
      expect(events.map(({ event }) => event.eventId)).toEqual(['secret'])
      expect(spy.events).toEqual([])
    }
    // What it may not does not spoil what it may.
    await bus.publish(makeEvent(own, { eventId: 'still' }))
    await recording.receivedId('still')
    expect(recording.eventIds).toEqual(['mine', 'from outside', 'still'])
    expect(recording.gaps).toEqual([])
  })

  it.each(['*', '?', '[a-z]', 'a\\', '{a}', '\u{1f6a2}', 'a:b'])(
    'is confined to it also if its name is %j',
    async (tenantId) => {
      const server = await openServer()
      const all = await connectedBus({ url: server.url })
      const bus = await confinedBus(server, 'confined', { tenantId })
      await bus.publish(makeEvent({ tenantId, name: 'c' }))
      for (const other of ['b', 'z', 'a', 'ab', '[a-z]x'].filter((name) => name !== tenantId)) {
        const channel = { tenantId: other, name: 'c' }
        await all.publish(makeEvent(channel))
        await expect(bus.history(channel, { limit: 1 })).rejects.toMatchObject({ code: 'FORBIDDEN' })
      }
    },
  )

  it('cannot use other commands than the bus does', async () => {
    const server = await openServer()
    await confinedBus(server, 'acme', { tenantId: 'acme' })
    const client = openClient(server.port)
    await client.auth('acme', 'secret')
    for (const command of [
      ['KEYS', '*'],
      ['FLUSHALL'],
      ['CONFIG', 'GET', '*'],
      ['PSUBSCRIBE', '*'],
      ['ACL', 'LIST'],
      ['DEL', 'x'],
    ]) {
      await expect(client.call(command[0] as string, ...command.slice(1))).rejects.toThrow(/NOPERM/)
    }
  })
})

describe('a process that its user lets only subscribe', () => {
  it('hears, resumes and reads, and cannot publish', async () => {
    const server = await openServer()
    const all = await connectedBus({ url: server.url })
    const bus = await confinedBus(server, 'reader', { tenants: 'all', access: 'subscribe' })
    const channel = { tenantId: 'acme', name: 'orders' }
    const from = await bus.position(channel)
    const recording = recordingListener()
    await all.publish(makeEvent(channel, { eventId: 'e1' }))
    await bus.subscribe(channel, { from }, recording.listener)
    await all.publish(makeEvent(channel, { eventId: 'e2' }))
    await recording.received(2)
    expect(recording.eventIds).toEqual(['e1', 'e2'])
    await expect(bus.publish(makeEvent(channel))).rejects.toMatchObject({ code: 'FORBIDDEN' })
    const client = openClient(server.port)
    const [stream = ''] = await client.keys('*:s:*')
    const [wire = ''] = (await client.pubsub('CHANNELS', '*')) as string[]
    await client.auth('reader', 'secret')
    for (const [command, ...args] of [
      ['XADD', stream, '*', 'e', '{}'],
      ['PUBLISH', wire, 'forged'],
      ['SPUBLISH', wire, 'forged'],
      ['DEL', stream],
      ['UNLINK', stream],
      ['XTRIM', stream, 'MAXLEN', '0'],
    ] as const) {
      await expect(client.call(command, ...args)).rejects.toThrow(/NOPERM/)
    }
    expect((await all.history(channel, { limit: 10 })).events).toHaveLength(2)
  })
})

describe('rules', () => {
  it('cannot be made for a tenant whose name has white space', () => {
    expect(() => redisAclRules({ tenantId: 'a b' })).toThrow(expect.objectContaining({ code: 'BAD_CONFIG' }))
  })

  it.each([
    [{}],
    [{ tenantId: undefined }],
    [{ tenant: 'acme' }],
    [{ tenantId: 'acme', tenants: 'all' }],
    [{ tenantId: '' }],
    [{ tenantId: 5 }],
    [{ tenantId: null }],
    [{ tenants: 'acme' }],
    [{ tenantId: 'acme', access: 'read' }],
    [{ tenantId: 'acme', keyPrefix: 'x y' }],
    [{ tenantId: 'acme', database: -1 }],
    [undefined],
  ])('allow nothing by omission or by a slip: %j', (options) => {
    expect(() => redisAclRules(options as never)).toThrow(expect.objectContaining({ code: 'BAD_CONFIG' }))
  })

  it('that do not name the database of the bus let it append, and tell nobody: what became of the event is not known', async () => {
    const server = await openServer()
    const admin = openClient(server.port)
    await admin.call('ACL', 'SETUSER', 'acme', 'reset', 'on', '>secret', ...redisAclRules({ tenantId: 'acme' }))
    const bus = await connectedBus({ url: `redis://acme:secret@127.0.0.1:${server.port}/3` })
    const channel = { tenantId: 'acme', name: 'orders' }
    await expect(bus.publish(makeEvent(channel))).rejects.toMatchObject({
      code: 'BUS_OUTCOME_UNKNOWN',
      message: expect.stringContaining("can't publish to the channel") as unknown,
    })
    expect((await bus.history(channel, { limit: 10 })).events).toHaveLength(1)
  })
})
