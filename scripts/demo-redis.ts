// `npm run demo:redis`: makes sure that there is a redis-server, then runs the example with the arguments given.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { join } from 'node:path'
import { ensureRedisServer } from './redis-server.ts'
import { root } from './repository.ts'

try {
  const env = { ...process.env, REDIS_SERVER_PATH: await ensureRedisServer() }
  const flags = ['--conditions=@sluice/source', '--import', 'tsx']
  const main = join(root, 'examples/yoga-redis/src/main.ts')
  const child = spawn(process.execPath, [...flags, main, ...process.argv.slice(2)], { env, stdio: 'inherit' })
  // A terminal sends Ctrl+C to the example too, which then takes its leave; other signals come here only.
  process.on('SIGINT', () => undefined)
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void child.kill(signal))
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']))
  })
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
