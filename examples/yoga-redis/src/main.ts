import { parseArgs } from 'node:util'
import { demonstrate } from './demonstrate.ts'
import { PEOPLE, tokenOf } from './people.ts'
import { expectFree, startInstance, startRedis } from './processes.ts'

const help = `Sluice example: a chat of two companies on two instances of GraphQL Yoga and one Redis, which is restarted in the middle.

  npm run demo:redis              start everything, show who hears what, stay up
  npm run demo:redis -- --once    the same, then exit

  --port <number>  port of the first instance, the second has the next one; 0 is any free ports (default: 4000)
  --once           exit with 0 after printing, or with 1 if a message was lost, doubled or astray
  --help           this text
`

interface Options {
  readonly port: number
  readonly once: boolean
  readonly help: boolean
}

/** @throws Error saying which option is wrong */
function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '4000' },
      once: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (!/^\d{1,5}$/.test(values.port) || Number(values.port) > 65_534) {
    throw new Error(`--port takes a number from 0 to 65534, not "${values.port}".`)
  }
  return { ...values, port: Number(values.port) }
}

async function run({ port, once }: Options): Promise<void> {
  const closing: (() => Promise<unknown>)[] = []
  try {
    const stopped = once ? undefined : untilStopped()
    const ports = port === 0 ? [0, 0] : [port, port + 1]
    for (const each of ports) await expectFree(each)
    const redis = await startRedis()
    closing.unshift(redis.stop)
    console.log(`Sluice example · two instances of GraphQL Yoga on one Redis, at ${redis.url}\n`)
    const first = await startInstance('north', redis.url, ports[0] as number)
    closing.unshift(first.stop)
    const second = await startInstance('south', redis.url, ports[1] as number)
    closing.unshift(second.stop)
    await demonstrate(redis, [first, second], (line) => console.log(`  ${line}`))
    if (stopped !== undefined) console.log(invitation(first.url, second.url))
    await stopped
  } finally {
    for (const close of closing) await close()
  }
}

function invitation(first: string, second: string): string {
  const as = `-H 'authorization: ${tokenOf(PEOPLE.ada)}' -H 'content-type: application/json'`
  return `
  Listen at one instance in one terminal, and talk at the other in another:

  curl -N ${second} ${as} -H 'accept: text/event-stream' \\
    -d '{"query":"subscription { said { text by instance } }"}'
  curl ${first} ${as} \\
    -d '{"query":"mutation { say(text: \\"hello\\") { text instance } }"}'

  Ctrl+C stops everything.`
}

/** Resolves at the first SIGINT, SIGTERM or SIGHUP; a second one ends the process as usual. */
function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
  })
}

async function main(): Promise<number> {
  let options: Options
  try {
    options = readOptions()
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${help}`)
    return 2
  }
  if (options.help) {
    console.log(help)
    return 0
  }
  try {
    await run(options)
    return 0
  } catch (error) {
    console.error(`The example failed: ${error instanceof Error ? error.message : String(error)}`)
    return 1
  }
}

process.exitCode = await main()
