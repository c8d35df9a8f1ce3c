export { countWrites, systemCallsFor, type Writes } from './count-writes.ts'
export { promisesMadeBy } from './promises-made-by.ts'
export { busContract } from './bus/bus-contract.ts'
export type { BusContractBackend, BusContractFactory, BusContractWishes } from './bus/bus-contract-factory.ts'
export { type HeardEvent, type HeardGap, type RecordingListener, recordingListener } from './bus/recording-listener.ts'
export { hostContract } from './host/host-contract.ts'
export type {
  HostContractContext,
  HostFactory,
  HostFeatures,
  HostIdentity,
  HostSetup,
  ResultRewriter,
  RunningHost,
} from './host/host-factory.ts'
export { closeServer, listen } from './host/listen.ts'
export { type SseClientOptions, subscribeOverSse } from './host/sse-client.ts'
export type { ClientResult, Subscriber, SubscriptionEnd } from './host/subscriber.ts'
export { until } from './host/until.ts'
export {
  type SocketClose,
  type WebSocketClient,
  type WebSocketClientOptions,
  webSocketClient,
} from './host/ws-client.ts'
export { freePort } from './services/free-port.ts'
export { type Direction, type FaultProxy, type Intercept, startFaultProxy } from './services/fault-proxy.ts'
export { type RedisServer, type RedisServerOptions, startRedisServer } from './services/redis-server.ts'
