export { type SluiceYogaPlugin, useSluice } from './use-sluice.ts'
export type { AttachWebSocketOptions } from './operation-host.ts'
export type { SluiceContext, UseSluiceOptions } from '@sluice/envelop'
