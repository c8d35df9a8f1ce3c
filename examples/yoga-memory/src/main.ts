import { parseArgs } from 'node:util'
import { demonstrate } from './demonstrate.ts'
import { createDemoServer, type DemoServer } from './server.ts'

const defaultPort = 4000

const help = `Sluice demo: an order board of two tenants on GraphQL Yoga and the in-memory bus.

  npm run demo                  start, show one event per tenant, stay up
  npm run demo -- --once        the same, then exit

  --port <number>  port of the server; 0 is any free port (default: ${defaultPort}, or the next free one)
  --host <name>    address to listen on (default: localhost; 0.0.0.0 for other devices)
  --once           exit with 0 after printing, or with 1 if an event went astray
  --help           this text
`

interface Options {
  readonly port: number | undefined
  readonly host: string
  readonly once: boolean
  readonly help: boolean
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      port: { type: 'string' },
      host: { type: 'string', default: 'localhost' },
      once: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.port !== undefined && !(/^\d{1,5}$/.test(values.port) && Number(values.port) <= 65_535)) {
    throw new Error(`--port takes a number from 0 to 65535, not "${values.port}".`)
  }
  if (values.host === '') throw new Error('--host takes a name or an address, not an empty one.')
  return { ...values, port: values.port === undefined ? undefined : Number(values.port) }
}

/** A port that was asked for is used or refused; without one, the next free port will do. */
async function start({ port, host }: Options): Promise<DemoServer> {
  if (port !== undefined) return await createDemoServer({ port, host })
  for (let candidate = defaultPort; ; candidate += 1) {
    try {
      return await createDemoServer({ port: candidate, host })
    } catch (error) {
      if (codeOf(error) !== 'EADDRINUSE' || candidate >= defaultPort + 20) throw error
    }
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

function explain(error: unknown, { port, host }: Options): string {
  const address = `${host}:${port ?? defaultPort}`
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return `${address} is in use. Choose another port with --port, or 0 for any free one.`
    case 'EACCES':
      return `${address} may not be used by this user. Choose a port above 1023 with --port.`
    case 'ENOTFOUND':
    case 'EADDRNOTAVAIL':
      return `This machine has no address "${host}". Leave --host out, or give one of its own.`
    default:
      return error instanceof Error ? error.message : String(error)
  }
}

async function run(options: Options): Promise<number> {
  const server = await start(options)
  try {
    const stopped = options.once ? undefined : untilStopped()
    console.log('Sluice demo · two tenants, one executor\n')
    await demonstrate(server, (line) => console.log(`  ${line}`))
    console.log(`\n  board    ${server.url}${options.once ? '' : '   (Ctrl+C stops it)'}`)
    await stopped
    return 0
  } finally {
    await server.close()
  }
}

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process as usual. */
function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
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
    return await run(options)
  } catch (error) {
    console.error(`The demo failed: ${explain(error, options)}`)
    return 1
  }
}

process.exitCode = await main()
