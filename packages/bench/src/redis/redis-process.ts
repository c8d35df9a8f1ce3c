import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { listen } from '../servers/listen.ts'

/** A Redis of the benchmark's own. */
export interface RedisProcess {
  readonly port: number
  stop(): Promise<void>
}

/** Starts a `redis-server` without persistence. @throws Error if there is no such program */
export async function startRedis(): Promise<RedisProcess> {
  const probe = createServer()
  const port = await listen(probe)
  probe.close()
  await once(probe, 'close')
  const program = process.env['REDIS_SERVER_PATH'] ?? 'redis-server'
  const child = spawn(program, ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const killNow = (): void => void child.kill('SIGKILL')
  process.once('exit', killNow)
  let printed = ''
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
      if (printed.includes('Ready to accept connections')) resolve()
    })
    child.once('error', (cause) => reject(new Error('There is no redis-server; npm test installs one', { cause })))
    child.once('exit', (code) => reject(new Error(`redis-server ended with exit code ${code}:\n${printed}`)))
  })
  return {
    port,
    async stop() {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
      process.removeListener('exit', killNow)
    },
  }
}
