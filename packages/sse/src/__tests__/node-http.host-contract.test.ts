import { hostContract } from '@sluice/testkit'
import { nodeHost } from './node-host.ts'

hostContract('Node’s http by hand', nodeHost(false))
hostContract('Node’s http by hand, with errors masked,', nodeHost(true))
