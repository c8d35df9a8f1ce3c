import type { IncomingMessage } from 'node:http'
import type { OperationHost, SubscriptionExecutor } from '@sluice/core'
import type { AttachWebSocketOptions as SocketOptions, SocketOperation } from '@sluice/ws'
import { requestSchema } from './request-schema.ts'
import { sanitizeResult } from './sanitize-result.ts'
import type { AnyYogaServer } from './yoga-server.ts'

/** How Yoga's operations are served over WebSocket. */
export interface AttachWebSocketOptions extends Omit<SocketOptions, 'executor' | 'server' | 'path' | 'host'> {
  /** @default Yoga's `graphqlEndpoint` */
  readonly path?: string
}

/**
 * Runs the operations of a socket through Yoga's own pipeline: `onParams` (persisted operations), parsing,
 * validation, context, `onExecutionResult`, masking. Their initial context has `request`, as over HTTP, and
 * `params`, `connectionParams`, `req`, `socket`.
 *
 * What Yoga does to HTTP requests alone does not run: `onRequest`, `onRequestParse`, `onResultProcess`.
 */
export function operationHost(yoga: AnyYogaServer, executor: SubscriptionExecutor): OperationHost<SocketOperation> {
  const findSchema = requestSchema(yoga)
  return {
    sanitizeResult,
    async runOperation({ req, socket, connectionParams, params: asked }) {
      // A POST, since over GET Yoga refuses mutations. A fresh context, since Envelop writes into it.
      const request = new yoga.fetchAPI.Request(urlOf(req, yoga.graphqlEndpoint), {
        method: 'POST',
        headers: headersOf(req),
      })
      const context = { req, socket, connectionParams, waitUntil: trackedBy(executor) }
      const params = { ...asked } as never
      await findSchema?.(request, params, context)
      return yoga.getResultForParams({ request, params }, context) as never
    },
  }
}

/** Yoga's plugins hand it promises that outlive the operation; a failure of theirs is not lost. */
function trackedBy(executor: SubscriptionExecutor): (promise: PromiseLike<unknown>) => void {
  return (promise) => {
    promise.then(undefined, (error: unknown) => executor.reportError(error))
  }
}

function urlOf(req: IncomingMessage, endpoint: string): string {
  const base = `http://${req.headers.host ?? 'localhost'}`
  return URL.canParse(req.url ?? endpoint, base)
    ? new URL(req.url ?? endpoint, base).href
    : `http://localhost${endpoint}`
}

/** The handshake's own headers say nothing about the operation. */
const handshakeHeaders = /^(connection|upgrade|content-length|transfer-encoding|sec-websocket-.*)$/

const headersByRequest = new WeakMap<IncomingMessage, [string, string][]>()

/** The headers of the upgrade request, among them `authorization`, `cookie` and `origin`; once per socket. */
function headersOf(req: IncomingMessage): [string, string][] {
  let headers = headersByRequest.get(req)
  if (headers === undefined) {
    headers = []
    for (const [name, value] of Object.entries(req.headers)) {
      if (value === undefined || handshakeHeaders.test(name)) continue
      for (const item of Array.isArray(value) ? value : [value]) headers.push([name, item])
    }
    headersByRequest.set(req, headers)
  }
  return headers
}
