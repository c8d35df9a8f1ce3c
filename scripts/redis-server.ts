import { installOnDebian, isProgram, onPath } from './system-program.ts'

const advice = `[redis] The tests and the demo of the Redis bus need redis-server 7 or later, and none was found. One of these helps:
  - Debian, Ubuntu:  sudo apt-get update && sudo apt-get install -y redis-server
  - macOS:           brew install redis
  - anywhere:        set REDIS_SERVER_PATH to the program's path (Valkey's valkey-server serves too)
  - without it:      npm test -- --project core          (most packages' tests need no Redis)`

/** The server's path: REDIS_SERVER_PATH if it is set, else the first that is found on PATH. */
export function findRedisServer(): string | null {
  const given = process.env['REDIS_SERVER_PATH']
  if (given !== undefined && given !== '') {
    if (isProgram(given)) return given
    throw new Error(`[redis] REDIS_SERVER_PATH is ${given}, but there is no program there. Correct it or unset it.`)
  }
  return onPath(['redis-server', 'valkey-server']).find(isProgram) ?? null
}

/**
 * As {@link findRedisServer}, and installs it where that can be done without asking: as root on Debian and its relatives.
 * Elsewhere it throws an error that says what to do. The tests start servers of their own; one that runs already is left alone.
 */
export async function ensureRedisServer(): Promise<string> {
  const found = findRedisServer()
  if (found !== null) return found
  await installOnDebian('redis-server', 'for the Redis bus', advice)
  const installed = findRedisServer()
  if (installed === null) throw new Error(advice)
  console.log(`[redis] installed ${installed}`)
  return installed
}
