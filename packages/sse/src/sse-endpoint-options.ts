import { constants } from 'node:buffer'
import { type OperationHost, SluiceError, type SubscriptionExecutor, type TransportOperation } from '@sluice/core'
import { type GraphQLSchema, isSchema } from 'graphql'

interface CommonOptions {
  readonly executor: SubscriptionExecutor
  /** Between two comments that keep a connection open, in milliseconds; who takes nothing for two of them is cut. @default 12000 */
  readonly heartbeatMs?: number | undefined
  /** The largest body of a request, in bytes; a larger one is answered with 413, and one that takes more than 30 s with 408. @default 1048576 */
  readonly maxBodyBytes?: number | undefined
  /** How long `dispose` waits for clients to read the end, in milliseconds. @default 5000 */
  readonly closeTimeoutMs?: number | undefined
  /**
   * Whether requests are refused that a browser would send for a page of another site without asking first: without a
   * `content-type` like application/json, and without a header `apollo-require-preflight` or `x-apollo-operation-name`.
   * @default true
   */
  readonly csrfPrevention?: boolean | undefined
}

/** The options of {@link createSseEndpoint}: a server that runs operations, or a schema. */
export type SseEndpointOptions =
  | (CommonOptions & {
      /** A server that runs operations through its own pipeline. */
      readonly host: OperationHost
    })
  | (CommonOptions & {
      /** Where there is no server: what graphql-js executes operations against, or what gives it for each of them. */
      readonly schema: GraphQLSchema | (() => GraphQLSchema)
      /** The context of an operation; the executor's `scope` is asked with it. @default `{}` */
      readonly context?: ((operation: TransportOperation) => unknown) | undefined
    })

const knownOptions: ReadonlySet<string> = new Set([
  'executor',
  'heartbeatMs',
  'maxBodyBytes',
  'closeTimeoutMs',
  'csrfPrevention',
  'host',
  'schema',
  'context',
])

/** @throws SluiceError BAD_CONFIG, naming the option */
export function checkSseEndpointOptions(options: SseEndpointOptions): void {
  if (typeof options !== 'object' || options === null)
    throw new SluiceError('BAD_CONFIG', '[createSseEndpoint] the options have to be an object.')
  for (const name of Object.keys(options)) if (!knownOptions.has(name)) fail(name, 'does not exist')
  const { executor, csrfPrevention } = options
  if (typeof executor?.subscribe !== 'function') fail('executor', 'has to be what createSubscriptionExecutor gives')
  if ('host' in options) {
    const { host } = options
    if (typeof host?.runOperation !== 'function') fail('host', 'has to have a function "runOperation"')
    if (host.sanitizeResult !== undefined && typeof host.sanitizeResult !== 'function')
      fail('host', 'has a "sanitizeResult" that is no function')
    for (const name of ['schema', 'context']) if (name in options) fail(name, 'cannot be used: the host does it')
  } else {
    const { schema, context } = options
    if (typeof schema !== 'function' && !isSchema(schema))
      fail('schema', 'has to be a GraphQLSchema or a function that gives one')
    if (context !== undefined && typeof context !== 'function') fail('context', 'has to be a function')
  }
  if (csrfPrevention !== undefined && typeof csrfPrevention !== 'boolean') fail('csrfPrevention', 'has to be a boolean')
  checkNumber(options, 'heartbeatMs', 1)
  checkNumber(options, 'maxBodyBytes', 1, constants.MAX_STRING_LENGTH)
  checkNumber(options, 'closeTimeoutMs', 0)
}

/** Timers that are to take longer fire at once. */
const MAX_TIMER_MS = 2_147_483_647

function checkNumber(
  options: SseEndpointOptions,
  name: 'heartbeatMs' | 'maxBodyBytes' | 'closeTimeoutMs',
  min: number,
  max: number = MAX_TIMER_MS,
): void {
  const value: unknown = options[name]
  if (value === undefined || (typeof value === 'number' && value >= min && value <= max)) return
  fail(name, `has to be a number between ${min} and ${max}`)
}

function fail(option: string, what: string): never {
  throw new SluiceError('BAD_CONFIG', `[createSseEndpoint] the option "${option}" ${what}.`)
}
