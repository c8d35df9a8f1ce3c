import type { ServerResponse } from 'node:http'
import { draining, type OperationHost, schemaHost, withTimeLimit } from '@sluice/core'
import { acceptsEventStream } from './accepts-event-stream.ts'
import { EventStream } from './event-stream.ts'
import { Heartbeat } from './heartbeat.ts'
import { answerWith, HttpError } from './http-error.ts'
import { preventCsrf } from './prevent-csrf.ts'
import { requestParams, type SseRequest } from './request-params.ts'
import { checkSseEndpointOptions, type SseEndpointOptions } from './sse-endpoint-options.ts'
import { SseOperation } from './sse-operation.ts'

/** GraphQL over server-sent events, for `node:http` and what is built on it. */
export interface SseEndpoint extends AsyncDisposable {
  /**
   * Answers one request: a plain `(request, response)` function for `http.createServer`, Express or Fastify's raw
   * objects. A body that a framework has parsed is taken from `request.body`. It never throws.
   */
  readonly handler: (request: SseRequest, response: ServerResponse) => void
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
  const services = {
    executor,
    sanitizeResult: host.sanitizeResult?.bind(host),
    isDraining: () => disposing !== undefined,
  }
  const heartbeat = new Heartbeat(heartbeatMs)
  const open = new Map<SseOperation, EventStream>()
  let whenEmpty: (() => void) | undefined
  let disposing: Promise<void> | undefined

  const serve = async (request: SseRequest, response: ServerResponse): Promise<void> => {
    if (disposing !== undefined) throw new HttpError(503, draining().message)
    if (csrfPrevention) preventCsrf(request.headers)
    if (!acceptsEventStream(request.headers.accept))
      throw new HttpError(406, 'What is answered is text/event-stream: accept it.')
    const params = await requestParams(request, maxBodyBytes)

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
      if (open.size === 0) whenEmpty?.()
    })
    const isReadOnly = request.method === 'GET'
    try {
      await operation.deliver(await host.runOperation({ transport: 'sse', params, req: request, isReadOnly }))
    } catch (error) {
      operation.fail(error)
    }
  }

  const dispose = async (): Promise<void> => {
    if (open.size === 0) return
    const empty = new Promise<void>((resolve) => {
      whenEmpty = resolve
    })
    for (const operation of open.keys()) operation.drain()
    await withTimeLimit(empty, closeTimeoutMs, () => undefined)
    for (const events of open.values()) events.cut()
    await empty
  }

  return {
    handler(request, response) {
      serve(request, response).catch((error: unknown) => {
        if (error instanceof HttpError && !response.headersSent) return answerWith(error, response)
        executor.reportError(error)
        response.destroy()
      })
    },
    dispose() {
      disposing ??= dispose()
      return disposing
    },
    [Symbol.asyncDispose]() {
      return this.dispose()
    },
  }
}
