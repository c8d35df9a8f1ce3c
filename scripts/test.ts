// `npm test`: makes sure that what the tests need beyond Node is there, then runs vitest with the arguments given.
import { parseArgs } from 'node:util'
import { ensureChromium, findChromium } from './chromium.ts'
import { ensureRedisServer, findRedisServer } from './redis-server.ts'
import { root } from './repository.ts'
import { vitestRun } from './vitest-run.ts'

const args = process.argv.slice(2)

try {
  // Browser tests are in the examples only, and few projects use Redis: a run that is narrowed to others needs neither.
  const chromium = selects((name) => name.startsWith('example-')) ? await ensureChromium() : findChromium()
  const redis = selects((name) => name === 'hosts' || name === 'bench' || name.includes('redis'))
    ? await ensureRedisServer()
    : findRedisServer()
  const env = {
    ...process.env,
    ...(chromium !== null && { CHROMIUM_PATH: chromium }),
    ...(redis !== null && { REDIS_SERVER_PATH: redis }),
  }
  const { code, summary } = await vitestRun(root, args, env)
  if (summary !== null) console.log(`\n${summary}`)
  process.exitCode = code
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

/** Whether the run includes a project with such a name. */
function selects(isSuch: (name: string) => boolean): boolean {
  const { values } = parseArgs({
    args,
    options: { project: { type: 'string', multiple: true } },
    strict: false,
    allowPositionals: true,
  })
  const projects = (values.project ?? []).map(String)
  return projects.length === 0 || projects.some((name) => isSuch(name) || /[*!]/.test(name))
}
