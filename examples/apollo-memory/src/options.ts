import { parseArgs } from 'node:util'

export const defaultPort = 4000

export const help = `Sluice example: a support desk of two companies on Apollo Server, Express and the in-memory bus.

  npm run example:apollo              start, show who receives what, stay up
  npm run example:apollo -- --once    the same, then exit

  --port <number>  port of the server; 0 is any free port (default: ${defaultPort}, or the next free one)
  --host <name>    address to listen on (default: localhost; 0.0.0.0 for other devices)
  --once           exit with 0 after printing, or with 1 if an event went astray
  --help           this text
`

export interface Options {
  readonly port: number | undefined
  readonly host: string
  readonly once: boolean
  readonly help: boolean
}

/** Reads the command line. @throws Error saying which option is wrong */
export function readOptions(): Options {
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
