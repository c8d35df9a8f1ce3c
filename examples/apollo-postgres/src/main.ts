import { parseArgs } from 'node:util'
import { openDatabase } from './database.ts'
import { demonstrate } from './demonstrate.ts'
import { startOrdersServer } from './server.ts'

const help = `Sluice example: orders in PostgreSQL, two instances of Apollo Server.

  npm run demo:postgres              start, show who receives what, stay up
  npm run demo:postgres -- --once    the same, then exit

It starts a PostgreSQL of its own, and deletes it at the end.

  --connection-string <url>   an empty database to use instead; the table "orders" and the schema "sluice" stay in it
  --port <number>  port of the first instance; the second has the next free one (default: any free port)
  --once           exit with 0 after printing, or with 1 if an event went astray
  --help           this text
`

async function main(): Promise<number> {
  let values
  try {
    values = parseArgs({
      options: {
        'connection-string': { type: 'string' },
        port: { type: 'string', default: '0' },
        once: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
    if (!(/^\d{1,5}$/.test(values.port) && Number(values.port) <= 65_535)) {
      throw new Error(`--port takes a number from 0 to 65535, not "${values.port}".`)
    }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${help}`)
    return 2
  }
  if (values.help) {
    console.log(help)
    return 0
  }
  // From the first moment on, since a database that was started has to be stopped.
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
  const opened: { close(): Promise<void> }[] = []
  try {
    console.log('Sluice example · orders of two companies in PostgreSQL, two instances of Apollo Server\n')
    const database = await openDatabase(values['connection-string'])
    opened.unshift({ close: () => database.stop() })
    const first = await startOrdersServer(database.connectionString, Number(values.port), true)
    opened.unshift(first)
    const second = await startOrdersServer(database.connectionString, 0, false)
    opened.unshift(second)
    await demonstrate(database.connectionString, [first, second], (line) => console.log(`  ${line}`))
    if (!values.once) {
      console.log(invitation(database.connectionString, first.url))
      await stopped
    }
    return 0
  } catch (error) {
    console.error(`The example failed: ${error instanceof Error ? error.message : String(error)}`)
    return 1
  } finally {
    for (const { close } of opened) await close()
  }
}

function invitation(connectionString: string, url: string): string {
  return `
  Follow the orders of Acme in one terminal, and write the table in another:

  curl -N ${url}/graphql/stream -H 'authorization: Bearer ada' -H 'accept: text/event-stream' \\
    -H 'content-type: application/json' -d '{"query":"subscription { orderChanged { id status } }"}'
  psql ${connectionString} -c "UPDATE orders SET status = 'RETURNED'"

  Ctrl+C stops the servers.`
}

process.exitCode = await main()
