import { defaultTypeResolver, type GraphQLAbstractType } from 'graphql'
import { type Accept, acceptObject } from './accept-value.ts'
import { ignore, isPromiseLike } from './is-promise-like.ts'
import type { Run } from './run.ts'
import type { SelectedObject } from './select-fields.ts'

/** What compiled code calls for a value of an abstract type. */
export type CompiledTypeResolver = (value: unknown, run: Run) => string | undefined

/**
 * Finds the type of a value as graphql-js does. If compiled code cannot go on with the answer, the run is given up. It
 * never throws.
 *
 * @param index the place of the field in `run.infos`
 */
export function typeResolver(
  type: GraphQLAbstractType,
  selections: readonly SelectedObject[],
  index: number,
  unsupported: () => void,
): CompiledTypeResolver {
  const resolveType = type.resolveType ?? defaultTypeResolver
  const accepts = new Map<string, Accept>()
  for (const selection of selections) accepts.set(selection.type.name, acceptObject(selection, unsupported))

  const nameOf = (value: unknown, run: Run): string | undefined => {
    const info = run.infos[index]
    if (info === undefined) return undefined
    const name = resolveType(value, run.args.contextValue, info, type)
    if (isPromiseLike(name)) {
      unsupported()
      ignore(name)
      return undefined
    }
    return typeof name === 'string' && accepts.get(name)?.(value, run, info) === true ? name : undefined
  }

  return (value, run) => {
    if (run.isGivenUp) return undefined
    let name: string | undefined
    try {
      name = nameOf(value, run)
    } catch {
      name = undefined
    }
    if (name === undefined) run.giveUp()
    return name
  }
}
