import type { GraphQLFieldResolver, GraphQLResolveInfo } from 'graphql'
import { propertyOf } from './property-of.ts'
import type { ResolverCall } from './run.ts'

type Path = GraphQLResolveInfo['path']

/** An execution by graphql-js, after resolvers have been called: what they gave is given again, wherever it is asked for. */
export class Replay {
  readonly contextValue: unknown
  readonly #calls = new Map<string, ResolverCall>()

  constructor(contextValue: unknown, calls: readonly ResolverCall[]) {
    this.contextValue = contextValue
    for (const call of calls) this.#calls.set(keyOf(call.path), call)
  }

  /** The value of a field. `original` turns an info into that of the schema whose resolver is called. */
  resolve(
    resolver: GraphQLFieldResolver<unknown, unknown> | undefined,
    source: unknown,
    args: Record<string, unknown>,
    info: GraphQLResolveInfo,
    original: (info: GraphQLResolveInfo) => GraphQLResolveInfo,
  ): unknown {
    const call = this.#calls.get(keyOf(info.path))
    if (call !== undefined) {
      if (call.threw) throw call.value
      return call.value
    }
    if (resolver !== undefined && resolver !== null) return resolver(source, args, this.contextValue, original(info))
    const property = propertyOf(source, info.fieldName)
    return typeof property === 'function'
      ? (Reflect.apply(property, source, [args, this.contextValue, original(info)]) as unknown)
      : property
  }
}

/** Names and indices cannot be mistaken for each other: no name begins with a digit. */
function keyOf(path: Path): string {
  let key = ''
  for (let at: Path | undefined = path; at !== undefined; at = at.prev) key += `/${at.key}`
  return key
}
