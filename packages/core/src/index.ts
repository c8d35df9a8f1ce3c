// The executor and what its options are made of.
export { createSubscriptionExecutor, type SubscriptionExecutor } from './executor.ts'
export type { EventContextInput, SubscriptionExecutorOptions } from './options.ts'
export type { EndReason, FilterReason, MetricsSnapshot, UnsharedReason } from './metrics.ts'
export type { ExecutorObserver } from './executor-observer.ts'
export type { Logger } from './logger.ts'
export { SluiceError, SluiceErrorCode, type SluiceErrorOptions } from './errors.ts'

// Schemas.
export type { EventDataFilter, GapPolicy } from './channel/channel-source.ts'
export { type ChannelField, type FromChannelOptions, fromChannel } from './channel/from-channel.ts'
export type { Match, MatchScalar, MatchValue } from './channel/match.ts'
export type { ContextOf, EventDataOf, Register, RegisteredContext } from './register.ts'

// Who may receive and publish what.
export type { Scope, ScopeClaims } from './scope/scope.ts'
export type { Share } from './scope/partition.ts'
export type { EventInput, ScopedEventInput, ScopedPublisher } from './scope/publisher.ts'

// Subscriptions, for hosts and transports.
export { draining } from './subscription/draining.ts'
export type { SubscribeOptions } from './subscription/subscription-services.ts'
export { type Endable, SubscriptionSet } from './subscription/subscription-set.ts'
export type { Registration } from './subscription/registration.ts'
export type { RegisterRequest, SubscriptionAddress } from './subscription/registry.ts'
export {
  EncodedResponse,
  type FrameFormat,
  type ResultMasker,
  rememberedResponse,
} from './delivery/encoded-response.ts'
export { internalErrorResult } from './delivery/internal-error.ts'
export { asPushStream, pushPast, withResultHooks } from './delivery/hooked-stream.ts'
export type { ResultHooks } from './delivery/result-hooks.ts'
export { slowConsumer } from './delivery/slow-consumer.ts'
export { nextMessageFormat, nextMessagePrefix } from './delivery/next-message.ts'
export type { OverflowOptions, OverflowPolicy } from './delivery/overflow.ts'
export type { PushStream, ResponseSink, ResponseStream } from './delivery/response-stream.ts'
export { ambiguousOperation, hasNamesake } from './subscription/namesake.ts'
export { checkDocument, type CheckedDocument } from './subscription/document-cache.ts'
export { checkOptions } from './check-options.ts'
export { INTERNAL_SERVER_ERROR, isMeantForClient, toClientError } from './delivery/client-error.ts'
export { copyContext } from './host/copy-context.ts'
export { executorOf, type HostExecutorOptions } from './host/executor-of.ts'
export { formatError, formatErrors } from './delivery/format-errors.ts'
export { internalErrorMasker } from './delivery/internal-error-masker.ts'
export { isAsyncIterable } from './host/is-async-iterable.ts'
export {
  type HostedResult,
  isRefusal,
  type OperationHost,
  type OperationParams,
  type TransportOperation,
} from './host/operation-host.ts'
export { releaseStream } from './host/release-stream.ts'
export { refusalOf, schemaHost, type SchemaHostOptions, unknownOperation } from './host/schema-host.ts'
export type { SluiceContext } from './host/sluice-context.ts'
export { isPromise, type MaybePromise } from './maybe-promise.ts'
export { withTimeLimit } from './time-limit.ts'
export { type WatchedSubscribe, watchSubscribe } from './subscription/watch-subscribe.ts'

// The bus: its contract, what implementations share, and the one that is built in.
export { toBusEvent, type UncheckedEvent } from './bus/bus-event.ts'
export { BusObservers } from './bus/bus-observers.ts'
export type {
  BusCapabilities,
  BusEvent,
  BusListener,
  BusNotification,
  BusObserver,
  BusStatus,
  BusSubscribeOptions,
  BusSubscription,
  EventBus,
  GapReason,
  HistoryOptions,
  HistoryPage,
  Position,
  PublishReceipt,
} from './bus/event-bus.ts'
export { type ChannelKey, type ChannelTenant, encodeChannelKey, isSameChannel, SHARED } from './bus/channel-key.ts'
export type { PublishedEvent } from './bus/published-event.ts'
export { type MemoryBus, memoryBus, type MemoryBusStats } from './bus/memory-bus.ts'
export type { MemoryBusOptions } from './bus/memory-bus-options.ts'
