import { hostContract } from '@sluice/testkit'
import { apolloHost } from './apollo-host.ts'
import { serveWithNodeHttp } from './serve-with-node-http.ts'

hostContract('Apollo Server on node:http', apolloHost(serveWithNodeHttp))
