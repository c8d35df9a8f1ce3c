export { createSseEndpoint, type SseEndpoint } from './sse-endpoint.ts'
export type { SseEndpointOptions } from './sse-endpoint-options.ts'
export type { SseRequest } from './request-params.ts'

// For hosts that write event streams themselves.
export { comment, completeEvent, internalErrorEvent, nextEvent, nextEventFormat } from './events.ts'
export { Heartbeat } from './heartbeat.ts'
export { onSocketClose } from './socket-close.ts'
