import type { ExecutionArgs, ExecutionResult, GraphQLSchema } from 'graphql'
import { isPlainObject } from '../canonical.ts'
import { checkName } from '../bus/check-name.ts'
import type { ResponseServices, ResultMasker } from '../delivery/encoded-response.ts'
import type { OverflowOptions } from '../delivery/overflow.ts'
import type { ResponseStream } from '../delivery/response-stream.ts'
import { SluiceError } from '../errors.ts'
import type { RegisteredContext } from '../register.ts'
import { checkDocument } from './document-cache.ts'
import { QueuedRegistration, type Registration } from './registration.ts'
import type { SubscribeOptions } from './subscription-services.ts'

/** Which subscription of which connection. The same id on another connection is another subscription. */
export interface SubscriptionAddress {
  readonly connectionId: string
  readonly subscriptionId: string
}

/** What a client sends to subscribe, and who it is, as the host found out. */
export interface RegisterRequest extends SubscriptionAddress {
  readonly query: string
  readonly operationName?: string | null | undefined
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined
  /** Anything that the client sent beside the operation. It has no effect. */
  readonly extensions?: Readonly<Record<string, unknown>> | null | undefined
  /** From the host's own authentication. */
  readonly tenantId: string
  /** From the host's own authentication. */
  readonly userId?: string | undefined
  readonly contextValue?: RegisteredContext
  /**
   * Whether the messages of internal errors are kept from the client: it reads "Internal server error", and `onError` hears
   * what it was.
   * @default true
   */
  readonly maskErrors?: boolean | undefined
}

export interface RegistryServices extends ResponseServices {
  readonly schema: () => GraphQLSchema | undefined
  readonly overflow: OverflowOptions
  /** Error masking, for there is no host that would mask. */
  readonly masker: () => ResultMasker
  readonly subscribe: (args: ExecutionArgs, options: SubscribeOptions) => Promise<ResponseStream | ExecutionResult>
}

interface Connection {
  /** A symbol of its own stands for a subscription that is being started. */
  readonly registrations: Map<string, QueuedRegistration | symbol>
  readonly closed: () => void
}

/** The subscriptions of hosts that bring their own transport, by connection and id. */
export class Registry {
  readonly #services: RegistryServices
  readonly #connections = new Map<string, Connection>()

  constructor(services: RegistryServices) {
    this.#services = services
  }

  /**
   * @throws SluiceError SUBSCRIPTION_EXISTS, and BAD_SUBSCRIPTION or the code that refused it, with the GraphQL
   * errors as `errors`.
   */
  async register(request: RegisterRequest): Promise<Registration> {
    const schema = this.#services.schema()
    if (schema === undefined) {
      throw new SluiceError(
        'BAD_CONFIG',
        '[createSubscriptionExecutor] the option "schema" is missing; register needs it.',
      )
    }
    const { connectionId, subscriptionId } = checkRequest(request)
    const maskResult = request.maskErrors === false ? undefined : this.#services.masker()
    const refusal = (result: ExecutionResult) => toSluiceError(maskResult === undefined ? result : maskResult(result))
    const { document, errors } = checkDocument(schema, request.query)
    if (errors !== undefined) throw refusal({ errors })
    const reservation = Symbol('being started')
    const registrations = this.#reserve(connectionId, subscriptionId, reservation)
    // Completed meanwhile, the id may be anybody's: another reservation's, or on another connection of this name.
    const isReserved = () => registrations.get(subscriptionId) === reservation
    const { tenantId, userId } = request
    const args: ExecutionArgs = {
      schema,
      document,
      contextValue: request.contextValue ?? {},
      variableValues: request.variables ?? null,
      operationName: request.operationName ?? null,
    }
    const stream = await this.#services.subscribe(args, { scope: { tenantId, userId }, maskResult })
    if (!('next' in stream)) {
      if (isReserved()) this.#forget(connectionId, subscriptionId)
      throw refusal(stream)
    }
    if (!isReserved()) {
      await stream.return(undefined)
      throw new SluiceError(
        'SUBSCRIPTION_NOT_FOUND',
        `The subscription "${subscriptionId}" was completed before it began.`,
      )
    }
    const { overflow } = this.#services
    const registration = new QueuedRegistration({
      connectionId,
      subscriptionId,
      stream,
      overflow,
      services: this.#services,
      forget: () => {
        if (registrations.get(subscriptionId) === registration) this.#forget(connectionId, subscriptionId)
      },
    })
    registrations.set(subscriptionId, registration)
    return registration
  }

  /** @throws SluiceError SUBSCRIPTION_NOT_FOUND */
  nextMessage(address: SubscriptionAddress): Uint8Array | null {
    const registration = this.#find(address)
    return typeof registration === 'symbol' ? null : registration.take()
  }

  /** @throws SluiceError SUBSCRIPTION_NOT_FOUND */
  complete(address: SubscriptionAddress): void {
    const registration = this.#find(address)
    if (typeof registration === 'symbol') this.#forget(address.connectionId, address.subscriptionId)
    else registration.close()
  }

  /** Ends all subscriptions of a connection; of one that has none, nothing. */
  completeConnection(connectionId: string): void {
    const connection = this.#connections.get(connectionId)
    if (connection === undefined) return
    for (const [subscriptionId, registration] of [...connection.registrations]) {
      if (typeof registration === 'symbol') this.#forget(connectionId, subscriptionId)
      else registration.close()
    }
  }

  /** Ends everything. */
  clear(): void {
    for (const connectionId of [...this.#connections.keys()]) this.completeConnection(connectionId)
  }

  #find({ connectionId, subscriptionId }: SubscriptionAddress): QueuedRegistration | symbol {
    const registration = this.#connections.get(connectionId)?.registrations.get(subscriptionId)
    if (registration === undefined) {
      throw new SluiceError(
        'SUBSCRIPTION_NOT_FOUND',
        `There is no subscription "${subscriptionId}" on the connection "${connectionId}".`,
      )
    }
    return registration
  }

  #reserve(connectionId: string, subscriptionId: string, reservation: symbol): Connection['registrations'] {
    let connection = this.#connections.get(connectionId)
    if (connection?.registrations.has(subscriptionId)) {
      throw new SluiceError(
        'SUBSCRIPTION_EXISTS',
        `The connection "${connectionId}" has a subscription "${subscriptionId}" already.`,
      )
    }
    if (connection === undefined) {
      connection = { registrations: new Map(), closed: this.#services.counters.openConnection() }
      this.#connections.set(connectionId, connection)
    }
    connection.registrations.set(subscriptionId, reservation)
    return connection.registrations
  }

  #forget(connectionId: string, subscriptionId: string): void {
    const connection = this.#connections.get(connectionId)
    if (connection === undefined) return
    connection.registrations.delete(subscriptionId)
    if (connection.registrations.size > 0) return
    this.#connections.delete(connectionId)
    connection.closed()
  }
}

function checkRequest(request: RegisterRequest): SubscriptionAddress {
  if (!isPlainObject(request)) throw new SluiceError('BAD_SUBSCRIPTION', 'A request to subscribe has to be an object.')
  const { connectionId, subscriptionId, query, operationName, variables, extensions, maskErrors } = request
  checkName(connectionId, 'BAD_SUBSCRIPTION', 'The connectionId')
  checkName(subscriptionId, 'BAD_SUBSCRIPTION', 'The subscriptionId')
  if (typeof query !== 'string') throw new SluiceError('BAD_SUBSCRIPTION', 'The query has to be a string.')
  if (operationName !== undefined && operationName !== null && typeof operationName !== 'string') {
    throw new SluiceError('BAD_SUBSCRIPTION', 'The operationName has to be a string.')
  }
  if (maskErrors !== undefined && typeof maskErrors !== 'boolean')
    throw new SluiceError('BAD_SUBSCRIPTION', 'The option maskErrors has to be a boolean.')
  for (const [name, value] of Object.entries({ variables, extensions })) {
    if (value !== undefined && value !== null && !isPlainObject(value)) {
      throw new SluiceError('BAD_SUBSCRIPTION', `The ${name} of an operation have to be an object.`)
    }
  }
  return { connectionId, subscriptionId }
}

function toSluiceError({ errors = [] }: ExecutionResult): SluiceError {
  const code = errors.map(SluiceError.codeOf).find((known) => known !== undefined)
  return new SluiceError(code ?? 'BAD_SUBSCRIPTION', errors.map(({ message }) => message).join(' '), { errors })
}
