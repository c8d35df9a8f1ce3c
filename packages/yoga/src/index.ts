export { type SluiceYogaPlugin, useSluice } from './use-sluice.ts'
export type { AttachWebSocketOptions } from './operation-host.ts'
export type { SluiceInitialContext, UseSluiceOptions, YogaContext } from './initial-context.ts'
export type { SluiceContext } from '@sluice/core'
