import {
  getNullableType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  isAbstractType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql'
import { type Choose, chooseBy } from './choose.ts'
import type { Mood, WorldContext } from './world-context.ts'
import { echo, pathOf } from './world-echo.ts'
import { levels } from './world-types.ts'

/** A value for a type, the same each time, made anew. */
export function valueFor(type: GraphQLOutputType, at: string, context: WorldContext, depth: number): unknown {
  const choose = chooseBy(context.seed, at)
  const { mood } = context
  const isRequired = isNonNullType(type)
  if (choose.chance(isRequired ? (mood === 'calm' ? 0 : 3) : 8)) return choose.of([null, undefined])
  if (mood !== 'calm' && choose.chance(2)) return new Error(`value ${at}`)
  if (mood === 'wild' && choose.chance(4)) return oddValue(choose, type, at, context, depth)
  return properValue(choose, getNullableType(type), at, context, depth)
}

/** The root value of an execution. */
export function rootFor(context: WorldContext): unknown {
  const { schema, seed } = context
  const choose = chooseBy(seed, 'root')
  if (choose.chance(5)) return choose.of([undefined, 'root', null])
  const objects = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]
  const roots = objects.map((type) => objectFor(choose, type as GraphQLObjectType, 'root', context, 4))
  return Object.defineProperties({}, Object.assign({}, ...roots.map(Object.getOwnPropertyDescriptors)))
}

function properValue(
  choose: Choose,
  type: GraphQLOutputType,
  at: string,
  context: WorldContext,
  depth: number,
): unknown {
  const { mood } = context
  if (isListType(type)) {
    if (mood !== 'calm' && choose.chance(3)) return choose.of(['a string', { 0: 1 }, 7])
    return Array.from({ length: choose.int(2) }, (_, i) => valueFor(type.ofType, `${at}[${i}]`, context, depth))
  }
  if (isObjectType(type)) return objectFor(choose, type, at, context, depth)
  if (isAbstractType(type)) return objectFor(choose, possibleType(choose, type.name, context), at, context, depth)
  return leafFor(choose, String(type), at, mood)
}

function leafFor(choose: Choose, name: string, at: string, mood: Mood): unknown {
  if (mood !== 'calm' && choose.chance(6)) return choose.of([{}, [], 'bad', 1.5, Number.NaN, Symbol.for('x'), true, 1])
  switch (name) {
    case 'Int':
      return choose.of([0, 1, -5, true, '12', 2 ** 30])
    case 'Float':
      return choose.of([0, 1.5, '3.25', false])
    case 'Boolean':
      return choose.of([true, false, 0, 1])
    case 'ID':
      return choose.of([at, 3, '', { valueOf: (): string => 'id' }])
    case 'Level':
      return choose.of(levels)
    case 'Odd':
      return mood === 'calm' ? choose.of([4, 6, 7, 'odd', { a: 1 }]) : choose.int(30)
    default:
      return choose.of([at, '', 5, true, { toString: undefined, valueOf: (): string => 'text' }])
  }
}

function possibleType(choose: Choose, name: string, { schema }: WorldContext): GraphQLObjectType {
  const type = schema.getType(name)
  const possible = isAbstractType(type) ? schema.getPossibleTypes(type) : []
  return possible.length === 0 ? (schema.getType('A') as GraphQLObjectType) : choose.of(possible)
}

class Instance {
  readonly at: string
  constructor(at: string) {
    this.at = at
  }
  /** A field may have this name. */
  method(_: unknown, { seed }: WorldContext): string {
    return `${this.at} ${seed}`
  }
  get accessor(): string {
    if (this.at.endsWith('1')) throw new Error(`accessor ${this.at}`)
    return this.at
  }
}

/** An object of a type, with the properties that are selected somewhere, as deep as properties go. */
export function objectFor(
  choose: Choose,
  type: GraphQLObjectType,
  at: string,
  context: WorldContext,
  depth: number,
): object {
  const { mood, names } = context
  const isWrong = mood !== 'calm' && choose.chance(4)
  const kind = isWrong ? choose.of(['A', 'Nobody', undefined]) : type.name
  const object: object =
    mood === 'wild' && choose.chance(15) ? new Instance(at) : choose.chance(10) ? Object.create(null) : {}
  Object.assign(object, { at, kind, __typename: kind })
  if (depth > 0) {
    for (const [name, field] of Object.entries(type.getFields())) {
      if (!names.has(name) || choose.chance(4) || Reflect.has(object, name)) continue
      const value = valueFor(field.type, `${at}.${name}`, context, depth - 1)
      if (mood === 'wild' && choose.chance(4)) {
        const throws = choose.chance(30)
        Object.defineProperty(object, name, { get: () => getter(throws, value), enumerable: true })
      } else {
        Reflect.set(object, name, value)
      }
    }
  }
  return choose.chance(30) ? Object.freeze(object) : object
}

function getter(throws: boolean, value: unknown): unknown {
  if (throws) throw new Error('getter')
  return value
}

/** What only graphql-js can do, or what is wrong in an odd way. */
function oddValue(choose: Choose, type: GraphQLOutputType, at: string, context: WorldContext, depth: number): unknown {
  // The same, however often it is asked for.
  const proper = () => properValue(chooseBy(context.seed, `${at}:proper`), getNullableType(type), at, context, depth)
  switch (choose.int(6)) {
    case 0:
      return methodOf(at)
    case 1:
      return Promise.resolve().then(proper)
    case 2: {
      const rejected = Promise.reject(new Error(`rejected ${at}`))
      rejected.catch(() => undefined)
      return rejected
    }
    case 3: {
      const value = proper()
      // Once iterated, it is empty.
      return Array.isArray(value) ? (value as unknown[]).values() : value
    }
    case 4: {
      const value = proper()
      return Array.isArray(value) ? new Set(value as unknown[]) : value
    }
    case 5:
      return lazily(at, proper, context)
    default:
      return choose.of(['primitive', 5, () => at, { [Symbol.asyncIterator]: () => undefined }])
  }
}

/** It begins anew whenever it is awaited, as queries of some databases do. */
function lazily(at: string, proper: () => unknown, { called }: WorldContext): object {
  return {
    // oxlint-disable-next-line unicorn/no-thenable -- of this kind they are
    then(next: (value: unknown) => unknown, fail: (error: unknown) => unknown): Promise<unknown> {
      called.push(`then ${at}`)
      return Promise.resolve().then(proper).then(next, fail)
    },
  }
}

/** A property that is a function. */
function methodOf(at: string): (...args: [unknown, WorldContext, GraphQLResolveInfo]) => unknown {
  return (args, context, info) => {
    context.called.push(pathOf(info.path))
    if (String(info.returnType).startsWith('String')) return echo(args, context, info)
    return valueFor(info.returnType, `${at}()`, context, 2)
  }
}
