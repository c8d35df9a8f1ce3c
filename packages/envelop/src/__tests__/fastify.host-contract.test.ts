import { hostContract } from '@sluice/testkit'
import { fastifyHost } from './fastify-host.ts'

hostContract('Envelop on Fastify', fastifyHost)
