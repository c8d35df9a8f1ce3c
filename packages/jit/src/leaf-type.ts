import { type GraphQLLeafType, GraphQLScalarType } from 'graphql'
import { ignore, isPromiseLike } from './is-promise-like.ts'

/** Nobody sees it: graphql-js says what is wrong. */
const notSerialized = new TypeError('not serialized')

/**
 * A leaf type for the compiler, which serialises as the given one does. What it throws makes compiled code report an error,
 * and so graphql-js execute the operation.
 */
export function leafType(type: GraphQLLeafType, unsupported: () => void): GraphQLScalarType {
  return new GraphQLScalarType({
    // The compiler has its own ways with the scalars of the specification: it must not recognise them.
    name: `__Leaf_${type.name}`,
    serialize(value: unknown) {
      // A property: graphql-js calls the one and awaits the other.
      if (typeof value === 'function' || (typeof value === 'object' && isPromiseLike(value))) {
        unsupported()
        throw notSerialized
      }
      const serialized: unknown = type.serialize(value)
      if (typeof serialized === 'object' && isPromiseLike(serialized)) {
        unsupported()
        ignore(serialized)
        throw notSerialized
      }
      if (serialized === null || serialized === undefined) throw notSerialized
      return serialized
    },
  })
}
