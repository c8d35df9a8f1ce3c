import type { GraphQLSchema } from 'graphql'
import { chooseBy } from './choose.ts'

/**
 * calm: nothing is wrong. rough: values are wrong now and then. wild: and some are what only graphql-js can do, such as
 * functions, promises and iterators.
 */
export type Mood = 'calm' | 'rough' | 'wild'

/** The context value of one execution. */
export class WorldContext {
  readonly schema: GraphQLSchema
  readonly seed: number
  readonly mood: Mood
  /** The names of the fields that are selected somewhere: no other properties are needed. */
  readonly names: ReadonlySet<string>
  rootValue: unknown
  /** The paths of the fields whose resolvers were called, in this order. */
  readonly called: string[] = []

  constructor(schema: GraphQLSchema, seed: number, mood: Mood, names: ReadonlySet<string>) {
    this.schema = schema
    this.seed = seed
    this.mood = mood
    this.names = names
  }

  isOfType(value: unknown, name: string): boolean | Promise<boolean> {
    const { at, kind } = Object(value) as { at?: string; kind?: string }
    const choose = chooseBy(this.seed, `${at}:isTypeOf`)
    if (this.mood !== 'calm' && choose.chance(3)) throw new Error('isTypeOf')
    const answer = kind === name && !(this.mood !== 'calm' && choose.chance(3))
    return this.mood === 'wild' && choose.chance(10) ? Promise.resolve(answer) : answer
  }
}
