import type { Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import { type OperationHost, SluiceError, type SubscriptionExecutor } from '@sluice/core'
import type { ConnectionInitMessage, ServerOptions } from 'graphql-ws'
import type { Extra } from 'graphql-ws/use/ws'
import { checkExecutor, checkServerOptions } from './check-server-options.ts'
import type { SocketServerOptions } from './operation-settings.ts'
import type { SocketOperation } from './start-by-host.ts'

/** The options of {@link attachWebSocket}. */
export interface AttachWebSocketOptions<
  P extends ConnectionInitMessage['payload'] = ConnectionInitMessage['payload'],
  E extends Extra = Extra,
> {
  readonly executor: SubscriptionExecutor
  /** The HTTP server whose upgrades are served. It is not closed. */
  readonly server: HttpServer | HttpsServer
  /** The exact path, without a query. Upgrades of other paths are left to others. */
  readonly path: string
  /** graphql-ws's options. With a `host` only those of the connection, `onError`, `onComplete` and the message options. */
  readonly serverOptions?: ServerOptions<P, E> | undefined
  /** A server that runs operations through its own pipeline. */
  readonly host?: OperationHost<SocketOperation> | undefined
  /** The largest message of a client, in bytes; a larger one closes its socket with 1009. @default 1048576 */
  readonly maxPayloadBytes?: number | undefined
  /** Between two pings, in milliseconds; who does not answer one before the next is terminated. 0: none. @default 12000 */
  readonly keepAliveMs?: number | undefined
  /** How long `dispose` waits for results under way, and then for clients to close, in milliseconds. @default 5000 */
  readonly closeTimeoutMs?: number | undefined
  /** Whether messages are compressed, for clients who want it. It costs CPU and memory for each of them. @default false */
  readonly perMessageDeflate?: boolean | undefined
}

/** What a host does itself. Set beside one, it would silently do nothing. */
const optionsOfTheHost = [
  'schema',
  'context',
  'roots',
  'parse',
  'validate',
  'execute',
  'subscribe',
  'onSubscribe',
  'onOperation',
  'onNext',
] as const satisfies readonly (keyof SocketServerOptions)[]

const knownOptions: ReadonlySet<string> = new Set<keyof AttachWebSocketOptions>([
  'executor',
  'server',
  'path',
  'serverOptions',
  'host',
  'maxPayloadBytes',
  'keepAliveMs',
  'closeTimeoutMs',
  'perMessageDeflate',
])

/** @throws SluiceError BAD_CONFIG, naming the option */
export function checkAttachWebSocketOptions(options: AttachWebSocketOptions, serverOptions: SocketServerOptions): void {
  checkExecutor('attachWebSocket', options.executor)
  for (const name of Object.keys(options)) if (!knownOptions.has(name)) fail(name, 'does not exist')
  const { server, path, host } = options
  if (typeof server?.on !== 'function') fail('server', 'has to be an HTTP server')
  if (typeof path !== 'string' || !path.startsWith('/') || path.includes('?')) {
    fail('path', 'has to be a path that begins with "/", without a query')
  }
  if (host === undefined) {
    checkServerOptions('attachWebSocket', serverOptions)
  } else {
    if (typeof host.runOperation !== 'function') fail('host', 'has to have a function "runOperation"')
    for (const name of optionsOfTheHost) {
      if (serverOptions[name] !== undefined) fail(`serverOptions.${name}`, 'cannot be used: the host does it')
    }
  }
  checkNumber(options, 'maxPayloadBytes', 1)
  checkNumber(options, 'keepAliveMs', 0)
  checkNumber(options, 'closeTimeoutMs', 0)
}

/** The upper bound is that of timers, which fire at once for more. */
const MAX_NUMBER = 2_147_483_647

function checkNumber(
  options: AttachWebSocketOptions,
  name: 'maxPayloadBytes' | 'keepAliveMs' | 'closeTimeoutMs',
  min: number,
): void {
  const value: unknown = options[name]
  if (value === undefined || (typeof value === 'number' && value >= min && value <= MAX_NUMBER)) return
  fail(name, `has to be a number between ${min} and ${MAX_NUMBER}`)
}

function fail(option: string, what: string): never {
  throw new SluiceError('BAD_CONFIG', `[attachWebSocket] the option "${option}" ${what}.`)
}
