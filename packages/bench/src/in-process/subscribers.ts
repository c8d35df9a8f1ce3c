import {
  asPushStream,
  checkDocument,
  createSubscriptionExecutor,
  type EncodedResponse,
  fromChannel,
  type FromChannelOptions,
  nextMessageFormat,
  type ResponseSink,
  type Scope,
  type SubscriptionExecutor,
} from '@sluice/core'
import { makeExecutableSchema } from '@graphql-tools/schema'
import type { DocumentNode, GraphQLSchema } from 'graphql'
import { executionOptions, TENANT_ID } from '../servers/sluice-schema.ts'
import { typeDefs } from '../workload/workload.ts'

/** The arguments of the one subscription field. */
export interface FieldArgs {
  readonly id: string
}

export interface SubscribersOptions {
  readonly field: FromChannelOptions<FieldArgs, unknown, unknown>
  /** What subscribers select. */
  readonly fields: string
  /** @default false */
  readonly isCompiled?: boolean
}

/** An executor whose subscribers are no sockets: they take their frame, as a transport does, and forget it. */
export class Subscribers {
  readonly executor: SubscriptionExecutor
  readonly #schema: GraphQLSchema
  readonly #document: DocumentNode
  #deliveredCount = 0
  readonly #sink: ResponseSink = {
    next: (response: EncodedResponse) => {
      response.framed(nextMessageFormat)
      this.#deliveredCount += 1
    },
    complete: () => {},
    error: (error) => {
      throw error
    },
  }

  private constructor(executor: SubscriptionExecutor, schema: GraphQLSchema, document: DocumentNode) {
    this.executor = executor
    this.#schema = schema
    this.#document = document
  }

  /** @throws NotAvailable if the compiled executor is asked for and not there */
  static async create({ field, fields, isCompiled = false }: SubscribersOptions): Promise<Subscribers> {
    const schema = makeExecutableSchema({
      typeDefs: typeDefs.replace('orderChanged: Order!', 'orderChanged(id: ID!): Order!'),
      resolvers: { Subscription: { orderChanged: fromChannel(field) } },
    })
    const executor = createSubscriptionExecutor({
      schema,
      scope: (scope: Scope) => scope,
      ...(await executionOptions({ share: field.share === 'subscriber' ? 'subscriber' : 'tenant', isCompiled })),
    })
    const { document, errors } = checkDocument(
      schema,
      `subscription OrderChanged($id: ID!) { orderChanged(id: $id) { ${fields} } }`,
    )
    if (errors !== undefined) throw new AggregateError(errors, 'The operation is not valid.')
    return new Subscribers(executor, schema, document)
  }

  /** What the subscribers got so far. */
  get deliveredCount(): number {
    return this.#deliveredCount
  }

  /** Subscribes one after the other, each with a scope and an id of its own making. */
  async add(
    count: number,
    of: (index: number) => { readonly scope?: Partial<Scope>; readonly id: string },
  ): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const { scope, id } = of(index)
      const stream = asPushStream(
        await this.executor.subscribe({
          schema: this.#schema,
          document: this.#document,
          variableValues: { id },
          contextValue: { tenantId: TENANT_ID, ...scope },
        }),
      )
      if (stream === undefined) throw new Error('A subscription was refused.')
      stream.pushTo(this.#sink)
    }
  }

  /** @throws Error if the work does not reach exactly so many subscribers */
  async expectDeliveries(count: number, work: () => Promise<unknown>): Promise<void> {
    const before = this.#deliveredCount
    await work()
    // What takes longer than a turn of the event loop may is finished in the next ones.
    for (let turn = 0; turn < 100 && this.#deliveredCount < before + count; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    const delivered = this.#deliveredCount - before
    if (delivered !== count) throw new Error(`${delivered} instead of ${count} subscribers were reached.`)
  }
}
