import {
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql'
import { ignore, isPromiseLike } from './is-promise-like.ts'
import type { Run } from './run.ts'
import type { SelectedObject } from './select-fields.ts'

/**
 * Whether compiled code does with a value what graphql-js does. It may throw what an `isTypeOf` throws. The info is there
 * if {@link needsInfo} says so.
 */
export type Accept = (value: unknown, run: Run, info: GraphQLResolveInfo | undefined) => boolean

const iterateArray = Array.prototype[Symbol.iterator]

const acceptAll: Accept = () => true

/**
 * For the values of a field. `unsupported` is called for values that are no error, and that compiled code cannot complete:
 * it is of no use to try again.
 */
export function acceptValue(
  type: GraphQLOutputType,
  selections: readonly SelectedObject[],
  unsupported: () => void,
): Accept {
  if (isNonNullType(type)) {
    const accept = acceptValue(type.ofType, selections, unsupported)
    return (value, run, info) => value !== null && value !== undefined && accept(value, run, info)
  }
  if (isListType(type)) return acceptList(acceptValue(type.ofType, selections, unsupported), unsupported)
  const [selection] = selections
  // Leaves are looked at when they are serialised, and what is abstract when it has got its type.
  return isObjectType(type) && selection !== undefined ? acceptObject(selection, unsupported) : acceptAll
}

function acceptList(acceptItem: Accept, unsupported: () => void): Accept {
  return (value, run, info) => {
    if (value === null || value === undefined) return true
    if (!Array.isArray(value) || value[Symbol.iterator] !== iterateArray) {
      // What can be iterated once only would be empty for graphql-js afterwards.
      if (typeof value === 'object' && Symbol.iterator in value) unsupported()
      return false
    }
    for (const item of value as readonly unknown[]) {
      if (isPromiseLike(item)) {
        unsupported()
        return false
      }
      if (!acceptItem(item, run, info)) return false
    }
    return true
  }
}

/** For the values of an object type, and for those of an abstract type that have turned out to be of it. */
export function acceptObject({ type, fields }: SelectedObject, unsupported: () => void): Accept {
  const names = [...new Set(fields.map(({ field }) => field.name))]
  return (value, run, info) => {
    // Errors and nulls are seen by compiled code.
    if (value === null || value === undefined || value instanceof Error) return true
    if (typeof value !== 'object' && !readsAlike(value, names)) {
      unsupported()
      return false
    }
    return type.isTypeOf === undefined || type.isTypeOf === null || isOfType(type, value, run, info, unsupported)
  }
}

/** graphql-js reads no properties of strings, numbers and the like; compiled code would read `length`. */
function readsAlike(value: unknown, names: readonly string[]): boolean {
  return typeof value !== 'function' && !names.some((name) => name in Object(value))
}

function isOfType(
  type: GraphQLObjectType,
  value: unknown,
  run: Run,
  info: GraphQLResolveInfo | undefined,
  unsupported: () => void,
): boolean {
  if (info === undefined) return false
  const answer = type.isTypeOf?.(value, run.args.contextValue, info)
  if (!isPromiseLike(answer)) return Boolean(answer)
  unsupported()
  ignore(answer)
  return false
}

/** Whether completing the values of a field calls functions that are given the field's info. */
export function needsInfo(isAbstract: boolean, selections: readonly SelectedObject[]): boolean {
  return isAbstract || selections.some(({ type }) => type.isTypeOf !== undefined && type.isTypeOf !== null)
}
