import { SluiceError } from '../errors.ts'

/**
 * A value that a path is compared with: a scalar, or any of several. `null` and `undefined` mean any; within a
 * list, as of a nullable argument `[ID]`, they are left out.
 */
export type MatchValue = MatchScalar | readonly (MatchScalar | null | undefined)[] | null | undefined
export type MatchScalar = string | number | bigint | boolean

/** Dotted paths into an event's data, each with what has to be there. All of them have to hold. */
export type Match = Readonly<Record<string, MatchValue>>

/** One path of a match, ready to be compared. */
export interface Condition {
  readonly path: string
  readonly steps: readonly string[]
  /** Canonical forms (see {@link matchKey}) of which one has to be there; sorted, without repetition. */
  readonly keys: readonly string[]
}

/** A match ready to be compared and indexed: its conditions sorted by path. Empty: everything matches. */
export type CompiledMatch = readonly Condition[]

/** @throws SluiceError BAD_CONFIG for a value that cannot be compared, naming its path. */
export function compileMatch(match: Match | null | undefined): CompiledMatch {
  if (match === null || match === undefined) return []
  // A list or a Map has no paths, and would match everything.
  if (typeof match !== 'object' || Symbol.iterator in match) {
    throw new SluiceError('BAD_CONFIG', '[fromChannel] the option "match" has to give an object of paths and values.')
  }
  const conditions: Condition[] = []
  for (const path of Object.keys(match).sort()) {
    const value = match[path]
    if (value === null || value === undefined) continue
    const values: readonly unknown[] = Array.isArray(value) ? value : [value]
    // A null within a list is no value that data can be equal to: it widens nothing.
    const keys = values.filter((item) => item !== null && item !== undefined).map((item) => comparable(path, item))
    conditions.push({ path, steps: path.split('.'), keys: [...new Set(keys)].sort() })
  }
  return conditions
}

function comparable(path: string, value: unknown): string {
  const key = matchKey(value)
  if (key === undefined) {
    throw new SluiceError(
      'BAD_CONFIG',
      `[fromChannel] the option "match" compares "${path}" with a ${typeof value}; give strings, numbers, bigints or booleans.`,
    )
  }
  return key
}

/**
 * What is equal has the same key: strings, numbers and bigints by their decimal string (an ID argument is a
 * string where the data may hold a number), booleans only with booleans. `undefined` for anything else.
 */
export function matchKey(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return `=${value}`
    case 'number':
      return `=${decimal(value)}`
    case 'bigint':
      return `=${value}`
    case 'boolean':
      return value ? 'true' : 'false'
    default:
      return undefined
  }
}

function decimal(value: number): string {
  // Whole numbers from 1e21 on would be written with an exponent, which no ID argument is.
  return Number.isInteger(value) && Math.abs(value) >= 1e21 ? BigInt(value).toString() : String(value)
}

/** The key of what stands at a path of an event's data, own properties only; `undefined` if nothing comparable does. */
export function keyAt(data: unknown, steps: readonly string[]): string | undefined {
  let value = data
  for (const step of steps) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as Record<string, unknown>)[step]
  }
  return matchKey(value)
}

/** Whether all conditions hold for an event's data. */
export function satisfies(data: unknown, match: CompiledMatch): boolean {
  for (const { steps, keys } of match) {
    const key = keyAt(data, steps)
    if (key === undefined || !keys.includes(key)) return false
  }
  return true
}
