import {
  buildSchema,
  type GraphQLFieldResolver,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  isObjectType,
} from 'graphql'
import type { HostContractContext } from './host-factory.ts'

type Resolve = GraphQLFieldResolver<unknown, HostContractContext, Record<string, unknown>>

/** The functions of a subscription field, whatever they take for their arguments and their context. */
interface SubscriptionField {
  readonly subscribe: (root: never, args: never, context: never, info: GraphQLResolveInfo) => unknown
  readonly resolve?: (data: never, args: never, context: never, info: GraphQLResolveInfo) => unknown
}

/** The resolvers of one type, by field. */
export type FieldResolvers = Readonly<Record<string, Resolve | SubscriptionField>>

/** A schema of SDL and resolvers, made with nothing but graphql-js. */
export function executableSchema(typeDefs: string, resolvers: Readonly<Record<string, FieldResolvers>>): GraphQLSchema {
  const schema = buildSchema(typeDefs)
  for (const [typeName, fields] of Object.entries(resolvers)) {
    const type = schema.getType(typeName)
    if (!isObjectType(type)) throw new Error(`the schema has no object type ${typeName}`)
    const known = type.getFields()
    for (const [name, resolver] of Object.entries(fields)) {
      const field = known[name]
      if (field === undefined) throw new Error(`the type ${typeName} has no field ${name}`)
      Object.assign(field, typeof resolver === 'function' ? { resolve: resolver } : resolver)
    }
  }
  return schema
}
