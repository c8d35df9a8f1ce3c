import { expressMiddleware } from '@as-integrations/express5'
import { hostContract } from '@sluice/testkit'
import express from 'express'
import { apolloHost, contextOf } from './apollo-host.ts'

const host = apolloHost(({ server, sluice }) => {
  const app = express()
  app.use('/graphql/stream', sluice.sseHandler)
  app.use('/graphql', express.json(), expressMiddleware(server, { context: contextOf }))
  return app
})

hostContract('Apollo Server on Express 5', host)
