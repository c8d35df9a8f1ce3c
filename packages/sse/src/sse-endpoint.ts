import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { type OperationHost, schemaHost, SluiceError, withTimeLimit } from '@sluice/core'
import { acceptsEventStream } from './accepts-event-stream.ts'
import { EventStream } from './event-stream.ts'
import { Heartbeat } from './heartbeat.ts'
import { answerWith, drainingError, HttpError } from './http-error.ts'
import { preventCsrf } from './prevent-csrf.ts'
import { RequestBodies } from './request-bodies.ts'
import { requestParams } from './request-params.ts'
import { checkSseEndpointOptions, type SseEndpointOptions } from './sse-endpoint-options.ts'
import { SseOperation } from './sse-operation.ts'

/** A request of `node:http`, or of the compatibility API of `node:http2`; a framework may have parsed its body, as Express does. */
export type SseRequest = (IncomingMessage | Http2ServerRequest) & { readonly body?: unknown }

/** Where it is answered. */
export type SseResponse = ServerResponse | Http2ServerResponse

/** GraphQL over server-sent events, for `node:http` and what is built on it. */
export interface SseEndpoint extends AsyncDisposable {
  /**
   * Answers one request: a plain `(request, response)` function for `http.createServer`, `http2.createServer`, Express or
   * Fastify's raw objects. A body that a framework has parsed is taken from `request.body`. It never throws.
   */
  readonly handler: (request: SseRequest, response: SseResponse) => void
  /**
   * Takes no more requests (503), ends every subscription with a `complete` event, waits for single results that are
   * under way, and resolves when clients have read the end, or were cut. Idempotent.
   */
  dispose(): Promise<void>
}

/**
 * Serves operations as server-sent events in distinct connections mode: a response for each of them. Responses of a group
 * go out as shared bytes. Path and CORS are the server's business.
 *
 * @example
 * ```ts
 * const sse = createSseEndpoint({ executor, schema, context: ({ req }) => ({ user: verify(req.headers.authorization) }) })
 * createServer((req, res) => (req.url?.startsWith('/graphql/stream') ? sse.handler(req, res) : app(req, res)))
 * ```
 *
 * @throws SluiceError BAD_CONFIG, naming the option
 * @see https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md#distinct-connections-mode
 */
export function createSseEndpoint(options: SseEndpointOptions): SseEndpoint {
  checkSseEndpointOptions(options)
  const { executor, heartbeatMs = 12_000, maxBodyBytes = 1_048_576 } = options
  const { closeTimeoutMs = 5000, csrfPrevention = true } = options
  const host: OperationHost = 'host' in options ? options.host : schemaHost(options)
  // Not bound: a group that is spread over several transports is masked once only if they have the same function.
  const { sanitizeResult } = host
  const services = { executor, sanitizeResult, isDraining: () => isDraining }
  const heartbeat = new Heartbeat(heartbeatMs)
  const bodies = new RequestBodies(maxBodyBytes)
  const open = new Map<SseOperation, EventStream>()
  let isDraining = false
  let isEmpty = (): void => {}
  const empty = new Promise<void>((resolve) => {
    isEmpty = resolve
  })

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (isDraining) throw drainingError()
    if (csrfPrevention) preventCsrf(request)
    if (!acceptsEventStream(request.headers.accept))
      throw new HttpError(406, 'What is answered is text/event-stream: accept it.')
    const params = await requestParams(request, bodies)
    if (isDraining) throw drainingError()
    if (response.headersSent) return answeredByOthers(response)

    const events = new EventStream(request, response, executor.overflow.maxPendingBytes)
    if (events.isOver) return
    const operation = new SseOperation(events, services)
    open.set(operation, events)
    const disconnected = executor.openConnection()
    const stopHeartbeat = heartbeat.start(() => events.beat())
    events.whenOver(() => {
      disconnected()
      stopHeartbeat()
      operation.abandon()
      open.delete(operation)
      if (isDraining && open.size === 0) isEmpty()
    })
    const isReadOnly = request.method === 'GET'
    try {
      await operation.deliver(await host.runOperation({ transport: 'sse', params, req: request, isReadOnly }))
    } catch (error) {
      operation.fail(error)
    }
  }

  /** A time limit of the application's may have answered; who has only begun to may have meant well. */
  const answeredByOthers = ({ writableEnded }: ServerResponse): void => {
    if (writableEnded) return
    const message =
      '[createSseEndpoint] another handler has begun the response; hand over requests that nobody answers.'
    executor.reportError(new SluiceError('BAD_CONFIG', message))
  }

  const failed = (error: unknown, request: IncomingMessage, response: ServerResponse): void => {
    if (!(error instanceof HttpError)) {
      executor.reportError(error)
      request.socket.destroy()
    } else if (!response.headersSent) {
      if (error.status === 503) executor.recordRefusal('DRAINING')
      answerWith(error, request, response)
    }
  }

  const takeLeave = async (): Promise<void> => {
    bodies.giveUp(drainingError())
    if (open.size === 0) return
    for (const operation of open.keys()) operation.drain()
    await withTimeLimit(empty, closeTimeoutMs, () => undefined)
    for (const events of open.values()) events.cut()
    await empty
  }
  let disposed: Promise<void> | undefined
  const dispose = (): Promise<void> => {
    isDraining = true
    disposed ??= takeLeave()
    return disposed
  }

  return {
    handler(request, response) {
      // The compatibility API of node:http2 is the one of node:http, but for its types.
      const [req, res] = [request as IncomingMessage, response as ServerResponse]
      serve(req, res)
        .catch((error: unknown) => failed(error, req, res))
        .catch((error: unknown) => executor.reportError(error))
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  }
}
