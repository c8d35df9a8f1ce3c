import { codegen } from '@graphql-codegen/core'
import * as typescript from '@graphql-codegen/typescript'
import * as resolvers from '@graphql-codegen/typescript-resolvers'
import { parse } from 'graphql'

/** What graphql-codegen writes for the plugins `typescript` and `typescript-resolvers` with this configuration. */
export function generateResolverTypes(typeDefs: string, config: Record<string, unknown>): Promise<string> {
  return codegen({
    schema: parse(typeDefs),
    documents: [],
    filename: 'resolvers.ts',
    config,
    plugins: [{ typescript: {} }, { resolvers: {} }],
    pluginMap: { typescript, resolvers },
  })
}
