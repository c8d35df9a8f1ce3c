import { hostContract } from '@sluice/testkit'
import { yogaHost } from './yoga-host.ts'

hostContract('GraphQL Yoga', yogaHost)
