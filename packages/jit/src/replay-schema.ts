import {
  type GraphQLFieldConfig,
  GraphQLInterfaceType,
  GraphQLList,
  type GraphQLNamedOutputType,
  type GraphQLNamedType,
  GraphQLNonNull,
  GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  GraphQLSchema,
  GraphQLUnionType,
  isIntrospectionType,
  isListType,
  isNonNullType,
} from 'graphql'
import type { Replay } from './replay.ts'

/**
 * A copy of a schema whose context value is a {@link Replay}: it hands the context value of that, and the types of the
 * original, to the resolvers of the original, and does not call those that have been called.
 */
export function replaySchema(schema: GraphQLSchema): GraphQLSchema {
  const copies = new Map<string, GraphQLNamedType>()

  const copyOf = <T extends GraphQLNamedType>(type: T): T => {
    let copy = copies.get(type.name)
    if (copy === undefined) {
      copy = copyType(type)
      copies.set(type.name, copy)
    }
    return copy as T
  }

  const copyType = (type: GraphQLNamedType): GraphQLNamedType => {
    if (isIntrospectionType(type)) return type
    if (type instanceof GraphQLObjectType) {
      const { isTypeOf } = type
      return new GraphQLObjectType<unknown, Replay>({
        ...type.toConfig(),
        interfaces: () => type.getInterfaces().map(copyOf),
        fields: () => copyFields(type),
        isTypeOf: isTypeOf && ((value, replay, info) => isTypeOf(value, replay.contextValue, original(info))),
      })
    }
    if (type instanceof GraphQLInterfaceType) {
      return new GraphQLInterfaceType({
        ...type.toConfig(),
        interfaces: () => type.getInterfaces().map(copyOf),
        fields: () => copyFields(type),
        resolveType: copyResolveType(type),
      })
    }
    if (type instanceof GraphQLUnionType) {
      return new GraphQLUnionType({
        ...type.toConfig(),
        types: () => type.getTypes().map(copyOf),
        resolveType: copyResolveType(type),
      })
    }
    return type
  }

  const copyResolveType = (type: GraphQLInterfaceType | GraphQLUnionType) => {
    const { resolveType } = type
    return (
      resolveType &&
      ((value: unknown, replay: Replay, info: GraphQLResolveInfo) =>
        resolveType(value, replay.contextValue, original(info), type))
    )
  }

  const copyFields = (
    type: GraphQLObjectType | GraphQLInterfaceType,
  ): Record<string, GraphQLFieldConfig<unknown, Replay>> => {
    const { fields } = type.toConfig()
    for (const [name, field] of Object.entries(fields)) {
      const { resolve } = field
      fields[name] = {
        ...field,
        type: copyOutputType(field.type),
        resolve: (source, args: Record<string, unknown>, replay: Replay, info) =>
          replay.resolve(resolve, source, args, info, original),
      }
    }
    return fields
  }

  const copyOutputType = (type: GraphQLOutputType): GraphQLOutputType => {
    if (isNonNullType(type)) return new GraphQLNonNull(copyOutputType(type.ofType) as GraphQLNamedOutputType)
    return isListType(type) ? new GraphQLList(copyOutputType(type.ofType)) : copyOf(type)
  }

  /** The info, of the original schema. */
  const original = (info: GraphQLResolveInfo): GraphQLResolveInfo => {
    const parentType = schema.getType(info.parentType.name) as GraphQLObjectType
    const returnType = parentType.getFields()[info.fieldName]?.type ?? info.returnType
    return { ...info, schema, parentType, returnType }
  }

  const config = schema.toConfig()
  return new GraphQLSchema({
    ...config,
    query: config.query && copyOf(config.query),
    mutation: config.mutation && copyOf(config.mutation),
    subscription: config.subscription && copyOf(config.subscription),
    types: config.types.map(copyOf),
    assumeValid: true,
  })
}
