import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, recordingListener, until } from '@sluice/testkit'
import { Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connectedBus, freshChannel, isUp, numbered, openClient, openServer, publishMany } from '../service.ts'

/** A real Sentinel that watches one master by the name `main`; resolves with its port. */
async function openSentinel(masterPort: number): Promise<number> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'sluice-sentinel-'))
  const file = join(folder, 'sentinel.conf')
  const settings = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor main 127.0.0.1 ${masterPort} 1`,
    'sentinel down-after-milliseconds main 1000',
    'sentinel failover-timeout main 5000',
  ]
  writeFileSync(file, `${settings.join('\n')}\n`)
  const child = spawn(process.env['REDIS_SERVER_PATH'] ?? 'redis-server', [file, '--sentinel'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  onTestFinished(async () => {
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
    rmSync(folder, { recursive: true, force: true })
  })
  let printed = ''
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
      if (printed.includes('+monitor master main')) resolve()
    })
  })
  return port
}

describe('a master that Sentinel replaces', () => {
  it('is followed: what the replica has is not lost, and everybody hears what comes after', async () => {
    const [master, replica] = [await openServer(), await openServer()]
    await openClient(replica.port).replicaof('127.0.0.1', master.port)
    const port = await openSentinel(master.port)
    const sentinels = [{ host: '127.0.0.1', port }]
    const client = new Redis({ sentinels, name: 'main', lazyConnect: true })
    const bus = await connectedBus({ client, publishTimeoutMs: 20_000 })
    const channel = freshChannel()
    const recording = recordingListener()
    await bus.subscribe(channel, { from: 'live' }, recording.listener)
    await publishMany(bus, channel, 'e', 1, 20)
    const admin = openClient(port)
    await until(
      async () => ((await admin.call('SENTINEL', 'REPLICAS', 'main')) as unknown[]).length === 1,
      'it is known',
    )
    // WAIT speaks of what its own connection wrote before.
    const writer = openClient(master.port)
    await writer.set('marker', '')
    expect(await writer.wait(1, 5_000)).toBe(1)

    await master.kill()
    const publishing = publishMany(bus, channel, 'e', 21, 40)
    await publishing
    await isUp(bus)
    await recording.received(40)
    expect(recording.eventIds).toEqual(numbered('e', 1, 40))
    expect(recording.gaps).toEqual([])
    expect(await openClient(replica.port).info('replication')).toContain('role:master')
  })
})
