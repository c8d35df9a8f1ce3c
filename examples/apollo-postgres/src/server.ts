import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ApolloServer } from '@apollo/server'
import { expressMiddleware } from '@as-integrations/express5'
import { ApolloServerPluginSluice, type ContextInput } from '@sluice/apollo'
import type { SubscriptionExecutor } from '@sluice/core'
import { postgresBus } from '@sluice/postgres'
import express from 'express'
import { Pool } from 'pg'
import { createOrders } from './database.ts'
import { createOrdersSchema, type OrdersContext } from './schema.ts'

/** One instance of the server. */
export interface OrdersServer {
  readonly url: string
  readonly executor: SubscriptionExecutor
  close(): Promise<void>
}

const companies = new Map<unknown, string>([
  ['Bearer ada', 'acme'],
  ['Bearer gil', 'globex'],
])

async function context({ req, connectionParams }: Omit<ContextInput, 'transport'>): Promise<OrdersContext> {
  return { company: companies.get(req.headers.authorization ?? connectionParams?.['authorization']) }
}

/** @param isFirst whether it makes the table, which others then use */
export async function startOrdersServer(
  connectionString: string,
  port: number,
  isFirst: boolean,
): Promise<OrdersServer> {
  const pool = new Pool({ connectionString })
  pool.on('error', () => {})
  const bus = postgresBus({ connectionString, pool })
  try {
    await bus.ready()
    if (isFirst) await createOrders(pool)
  } catch (error) {
    await bus.close()
    await pool.end()
    throw error
  }
  const app = express()
  const httpServer = createServer(app)
  const sluice = ApolloServerPluginSluice<OrdersContext>({
    httpServer,
    context,
    server: () => server,
    bus, // closed with the server
    scope: ({ company }) => (company === undefined ? null : { tenantId: company }),
    eventContext: ({ scope }): OrdersContext => ({ company: scope.tenantId }),
  })
  const server: ApolloServer<OrdersContext> = new ApolloServer<OrdersContext>({
    schema: createOrdersSchema(pool, bus),
    plugins: [sluice],
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false, // main.ts stops it
  })
  await server.start()
  app.use('/graphql/stream', sluice.sseHandler)
  app.use('/graphql', express.json(), expressMiddleware(server, { context }))
  const close = async (): Promise<void> => {
    await server.stop()
    await pool.end()
  }
  try {
    await new Promise<void>((resolve, reject) => {
      httpServer.once('error', reject)
      httpServer.listen(port, 'localhost', resolve)
    })
  } catch (error) {
    await close()
    throw error
  }
  return { url: `http://localhost:${(httpServer.address() as AddressInfo).port}`, executor: sluice.executor, close }
}
