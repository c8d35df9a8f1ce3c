// `npm test`: makes sure that what the tests need beyond Node is there, then runs vitest with the arguments given.
import { parseArgs } from 'node:util'
import { ensureChromium, findChromium } from './chromium.ts'
import { root } from './repository.ts'
import { vitestRun } from './vitest-run.ts'

const args = process.argv.slice(2)

try {
  const chromium = selectsBrowserTests(args) ? await ensureChromium() : findChromium()
  const env = chromium === null ? process.env : { ...process.env, CHROMIUM_PATH: chromium }
  const { code, summary } = await vitestRun(root, args, env)
  if (summary !== null) console.log(`\n${summary}`)
  process.exitCode = code
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

/** Browser tests are in the examples only: a run narrowed to other projects needs no browser. */
function selectsBrowserTests(argv: readonly string[]): boolean {
  const { values } = parseArgs({
    args: [...argv],
    options: { project: { type: 'string', multiple: true } },
    strict: false,
    allowPositionals: true,
  })
  const projects = (values.project ?? []).map(String)
  return projects.length === 0 || projects.some((name) => name.startsWith('example-') || /[*!]/.test(name))
}
