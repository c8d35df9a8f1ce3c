export { type SluicePlugin, type UseSluiceOptions, useSluice } from './use-sluice.ts'

export { envelopHost, type EnvelopHostOptions } from './envelop-host.ts'
export type { SluiceContext } from '@sluice/core'

// For hosts that are built on Envelop.
export { type HostSubscriptions, hostSubscriptions } from './host-subscriptions.ts'
