export { type SluicePlugin, type UseSluiceOptions, useSluice } from './use-sluice.ts'

// For hosts that are built on Envelop.
export { executorOf } from './use-sluice.ts'
export { type HostSubscriptions, hostSubscriptions, type SluiceContext } from './host-subscriptions.ts'
