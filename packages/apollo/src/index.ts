export { ApolloServerPluginSluice, type SluiceApolloPlugin } from './apollo-server-plugin-sluice.ts'
export type { ApolloHostOptions, ApolloServerPluginSluiceOptions, ContextInput } from './plugin-options.ts'
export type { SluiceContext } from '@sluice/core'
