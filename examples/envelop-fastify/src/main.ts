import { demonstrate } from './demonstrate.ts'
import { invitation } from './invitation.ts'
import { createMeasuringJob } from './measuring-job.ts'
import { defaultPort, help, type Options, readOptions } from './options.ts'
import { type SensorsServer, startSensorsServer } from './server.ts'

/** A port that was asked for is used or refused; without one, the next free port will do. */
async function start({ port, host }: Options): Promise<SensorsServer> {
  if (port !== undefined) return await startSensorsServer({ port, host })
  for (let candidate = defaultPort; ; candidate += 1) {
    try {
      return await startSensorsServer({ port: candidate, host })
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
    const signal = options.once ? undefined : terminationSignal()
    console.log('Sluice example · the sensors of two tenants on Envelop and Fastify\n')
    const job = createMeasuringJob(server.executor)
    await demonstrate(server, job, (line) => console.log(`  ${line}`))
    if (signal) {
      console.log(invitation(server.url))
      await job.run({ intervalMs: 2000, signal })
    }
    return 0
  } finally {
    await server.close()
  }
}

/** Aborted at the first SIGINT or SIGTERM; a second one ends the process as usual. */
function terminationSignal(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => controller.abort())
  return controller.signal
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
    console.error(`The example failed: ${explain(error, options)}`)
    return 1
  }
}

process.exitCode = await main()
