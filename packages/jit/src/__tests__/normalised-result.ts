import type { ExecutionResult, GraphQLFormattedError } from 'graphql'

/**
 * A result of an execution that waited for something, without what the specification leaves open then:
 *
 * - in which order errors of different fields are, since fields are executed in any order;
 * - which of several errors is told, if one of them has made a place null that is above them all: what is below that place
 *   may be cancelled, and is told no more.
 *
 * The data is compared as it is, and so are all errors of fields that are null themselves.
 *
 * @see https://spec.graphql.org/draft/#sec-Handling-Execution-Errors
 */
export function normalised({ data, errors = [] }: ExecutionResult): unknown {
  const byPlace = new Map<string, string[]>()
  const propagated = new Set<string>()
  for (const error of errors as readonly GraphQLFormattedError[]) {
    const path = error.path ?? []
    const depth = depthOfNull(data, path)
    const place = JSON.stringify(path.slice(0, depth))
    if (depth < path.length) propagated.add(place)
    byPlace.set(place, [...(byPlace.get(place) ?? []), JSON.stringify(error)])
  }
  const places = [...byPlace].map(([place, told]) => [place, propagated.has(place) ? 'some' : told.sort()])
  return { data, errors: places.sort(([a], [b]) => String(a).localeCompare(String(b))) }
}

/** Whether an error says that it belongs elsewhere: then it is not known which place it made null. */
export function leadsElsewhere({ data, errors = [] }: ExecutionResult): boolean {
  if (data === null || data === undefined) return false
  return errors.some(({ path = [] }) => path[0] !== undefined && !Object.hasOwn(data, path[0]))
}

/** How many steps of a path lead to something, before there is a null. */
function depthOfNull(data: unknown, path: readonly (string | number)[]): number {
  let at = data
  let depth = 0
  for (const key of path) {
    if (at === null || at === undefined) break
    at = (at as Readonly<Record<string | number, unknown>>)[key]
    depth += 1
  }
  return depth
}
