import { isRefusal, type OperationHost, type TransportOperation } from '@sluice/core'
import type { WebSocket } from 'ws'
import type { OperationSettings } from './operation-settings.ts'

/** An operation of a WebSocket, as a host gets it. */
export interface SocketOperation extends TransportOperation {
  readonly transport: 'ws'
  readonly socket: WebSocket
}

/** Starts operations by asking the host. It takes the place of graphql-ws's `schema`, `context`, `onSubscribe` and so on. */
export function startByHost(host: OperationHost<SocketOperation>): OperationSettings['start'] {
  return async ({ ctx, payload }) => {
    const { request: req, socket } = ctx.extra
    const { connectionParams } = ctx
    const result = await host.runOperation({
      transport: 'ws',
      params: payload,
      req,
      socket,
      connectionParams,
      isReadOnly: false,
    })
    return isRefusal(result) ? { errors: result } : { result }
  }
}
