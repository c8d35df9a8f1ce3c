import { recordingListener } from '@sluice/testkit'
import { Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { redisAclRules } from '../acl-rules.ts'
import { connectedBus, makeEvent, openClient, openServer } from './service.ts'

describe('the commands of a user who is confined to a tenant', () => {
  it('do not tell it of other connections or keys, and cannot disturb anybody', async () => {
    const server = await openServer()
    const admin = openClient(server.port)
    await admin.call('ACL', 'SETUSER', 'acme', 'reset', 'on', '>secret', ...redisAclRules({ tenantId: 'acme' }))
    const client = new Redis(server.port, '127.0.0.1', { username: 'acme', password: 'secret' })
    onTestFinished(() => client.disconnect())
    for (const [command, ...args] of [
      // Tells every key that anybody writes: tenants, channels and event ids.
      ['CLIENT', 'TRACKING', 'ON', 'BCAST', 'REDIRECT', '1'],
      ['CLIENT', 'LIST'],
      ['CLIENT', 'INFO'],
      ['CLIENT', 'KILL', 'TYPE', 'pubsub'],
      ['CLIENT', 'PAUSE', '1', 'ALL'],
      ['CLIENT', 'UNBLOCK', '1'],
      ['CLIENT', 'NO-EVICT', 'on'],
    ] as const) {
      await expect(client.call(command, ...args), args.join(' ')).rejects.toThrow(/NOPERM/)
    }
  })

  it('are enough for a bus with a connection name, on another database', async () => {
    const server = await openServer()
    const admin = openClient(server.port)
    const rules = redisAclRules({ tenantId: 'acme', database: 3 })
    await admin.call('ACL', 'SETUSER', 'acme', 'reset', 'on', '>secret', ...rules)
    const bus = await connectedBus({ url: `redis://acme:secret@127.0.0.1:${server.port}/3`, consumerGroup: 'confined' })
    const channel = { tenantId: 'acme', name: 'orders' }
    const recording = recordingListener()
    await bus.subscribe(channel, { from: 'live' }, recording.listener)
    await bus.publish(makeEvent(channel, { eventId: 'e1' }))
    await recording.receivedId('e1')
    expect((await admin.client('LIST')) as string).toContain('name=sluice:confined:publisher')
    // What ioredis says of itself is no need of the bus.
    const denied = (await admin.call('ACL', 'LOG')) as string[][]
    expect(
      denied.map((entry) => entry[entry.indexOf('object') + 1]).filter((name) => name !== 'client|setinfo'),
    ).toEqual([])
  })
})

describe('a process that may only subscribe', () => {
  it('leaves a channel whose record is gone to those who may publish, and changes nothing by halves', async () => {
    const server = await openServer()
    const admin = openClient(server.port)
    await admin.call(
      'ACL',
      'SETUSER',
      'reader',
      'reset',
      'on',
      '>secret',
      ...redisAclRules({ tenants: 'all', access: 'subscribe' }),
    )
    const all = await connectedBus({ url: server.url })
    const reader = await connectedBus({ url: `redis://reader:secret@127.0.0.1:${server.port}` })
    const channel = { tenantId: 'acme', name: 'orders' }
    const { position } = await all.publish(makeEvent(channel, { eventId: 'old' }))
    const [meta = ''] = await admin.keys('*:m:*')
    await admin.del(meta) // as an eviction does
    await expect(reader.position(channel)).rejects.toMatchObject({
      // What Redis says to it depends on its version.
      code: expect.stringMatching(/^(?:FORBIDDEN|BUS_UNAVAILABLE)$/),
    })
    expect(await admin.exists(meta)).toBe(0)

    await all.publish(makeEvent(channel, { eventId: 'new' }))
    const recording = recordingListener()
    await reader.subscribe(channel, { from: position }, recording.listener)
    await recording.receivedId('new')
    expect(recording.gaps.map(({ reason }) => reason)).toEqual(['epoch'])
    expect(recording.eventIds).toEqual(['new'])
    expect(await admin.pttl(meta)).toBeGreaterThan(0)
  })
})
