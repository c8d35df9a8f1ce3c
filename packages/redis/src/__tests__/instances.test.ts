import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createInterface } from 'node:readline'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connectedBus, freshChannel, numbered, openServer, publishMany } from './service.ts'

const program = fileURLToPath(new URL('instance-process.ts', import.meta.url))
const count = 500

/** Starts a process that subscribes; resolves when it has. */
async function startInstance(args: readonly string[]): Promise<{ child: ChildProcess; lines: string[] }> {
  const child = spawn(process.execPath, ['--conditions=@sluice/source', '--import', 'tsx', program, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines: string[] = []
  const reader = createInterface(child.stdout)
  await new Promise<void>((resolve, reject) => {
    reader.on('line', (line) => (line === 'subscribed' ? resolve() : lines.push(line)))
    child.once('exit', (code) => reject(new Error(`an instance ended with exit code ${code}`)))
  })
  return { child, lines }
}

describe('processes', () => {
  it('of one consumerGroup all hear everything, and so do those of another', async () => {
    const { url } = await openServer()
    const channel = freshChannel()
    const tenantId = String(channel.tenantId)
    const instances = await Promise.all(
      ['api', 'api', 'worker'].map((group) => startInstance([url, group, tenantId, String(count)])),
    )
    const bus = await connectedBus({ url, consumerGroup: 'api' })
    const ended = instances.map(({ child }) => once(child, 'exit'))
    await publishMany(bus, channel, 'e', 1, count)
    expect((await Promise.all(ended)).map(([code]) => code as unknown)).toEqual([0, 0, 0])
    for (const { lines } of instances) expect(lines).toEqual(numbered('e', 1, count))
  })
})
