import type { GraphQLSchema } from 'graphql'
import type { Transport } from '../contract/fixture.ts'
import type { Subscriber } from '../subscriber.ts'

/** What a client library is set up with. */
export interface RealClientOptions {
  /** Of the endpoint for the library's transport. */
  readonly url: string
  /** Of the upgrade for WebSocket, of each request for SSE. */
  readonly headers: Readonly<Record<string, string>>
  /** For libraries that compile their operations against it. */
  readonly schema: GraphQLSchema
}

/** A subscription as an application writes it. The library may send it in other words. */
export interface RealClientRequest {
  /** One operation, and named, as some libraries insist. */
  readonly query: string
  /** The operation's name. Libraries that parse the query send it anyway. */
  readonly operationName: string
  readonly variables: Readonly<Record<string, unknown>>
}

/** A client as an application holds it: one for everything that it subscribes to. */
export interface OpenRealClient {
  /**
   * What comes is written down as the library's users get it: data as it gives them, errors as GraphQL errors
   * wherever it has them. An application has no other way to learn of them.
   */
  subscribe(request: RealClientRequest): Subscriber
  /** Ends what still runs. Resolves when its socket, if it has one, is closed. */
  dispose(): Promise<void>
}

/**
 * A released client library, set up as its documentation says, and with what an application would leave as it
 * is: caches, and a socket that is there while there are operations. Only its retries are off.
 */
export interface RealClient {
  /** The library's, and that of the form if there are several. */
  readonly name: string
  readonly transport: Transport
  /** The library asks for `__typename` in each selection, for its cache, and leaves it in the data. */
  readonly addsTypename: boolean
  open(options: RealClientOptions): OpenRealClient
}
