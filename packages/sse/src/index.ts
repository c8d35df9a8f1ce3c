export { createSseEndpoint, type SseEndpoint, type SseRequest, type SseResponse } from './sse-endpoint.ts'
export type { SseEndpointOptions } from './sse-endpoint-options.ts'

// For hosts that write event streams themselves.
export { comment, completeEvent, internalErrorEvent, nextEvent, nextEventFormat } from './events.ts'
export { Heartbeat } from './heartbeat.ts'
export { onSocketClose } from './socket-close.ts'
