import {
  GraphQLBoolean,
  GraphQLEnumType,
  GraphQLFloat,
  GraphQLID,
  GraphQLInputObjectType,
  type GraphQLInputType,
  GraphQLInt,
  type GraphQLLeafType,
  GraphQLList,
  GraphQLNonNull,
  GraphQLScalarType,
  GraphQLString,
  Kind,
} from 'graphql'

const high = { high: true }

export const Level: GraphQLEnumType = new GraphQLEnumType({
  name: 'Level',
  values: { LOW: { value: 1 }, MIDDLE: {}, HIGH: { value: high }, NONE: { value: 0 } },
})

export const levels: readonly unknown[] = Level.getValues().map(({ value }) => value as unknown)

/** Does with a number what its last digit says. */
const Odd = new GraphQLScalarType({
  name: 'Odd',
  serialize(value) {
    if (typeof value !== 'number')
      return typeof value === 'object' ? { ofObject: Object(value) === value } : String(value)
    switch (value % 10) {
      case 1:
        throw new Error(`Odd: ${value}`)
      case 2:
        return null
      case 3:
        return undefined
      case 4:
        return { nested: [value] }
      case 5:
        return Number.NaN
      case 7:
        return Promise.resolve(value)
      default:
        return value
    }
  },
  parseValue(value) {
    if (value === 'bad') throw new Error('Odd: bad')
    return typeof value === 'number' && value % 10 === 3 ? undefined : { parsed: value }
  },
  parseLiteral(node): { readonly parsed: unknown } | undefined {
    if (node.kind === Kind.INT && node.value.endsWith('1')) throw new Error('Odd: literal')
    return node.kind === Kind.INT ? { parsed: `literal ${node.value}` } : undefined
  },
})

export const leaves: readonly GraphQLLeafType[] = [
  GraphQLString,
  GraphQLInt,
  GraphQLID,
  GraphQLFloat,
  GraphQLBoolean,
  Level,
  Odd,
]

const Inner: GraphQLInputObjectType = new GraphQLInputObjectType({
  name: 'Inner',
  fields: () => ({
    level: { type: Level, defaultValue: 1 },
    odd: { type: Odd },
    ids: { type: new GraphQLList(new GraphQLNonNull(GraphQLID)) },
    again: { type: Inner },
  }),
})

const Filter = new GraphQLInputObjectType({
  name: 'Filter',
  fields: {
    min: { type: GraphQLInt, defaultValue: 3 },
    text: { type: new GraphQLNonNull(GraphQLString) },
    inner: { type: Inner },
    inners: { type: new GraphQLList(Inner), defaultValue: [{ level: 0 }] },
  },
})

const Choice = new GraphQLInputObjectType({
  name: 'Choice',
  isOneOf: true,
  fields: { byId: { type: GraphQLID }, byLevel: { type: Level } },
})

export const inputs: readonly GraphQLInputType[] = [
  GraphQLString,
  GraphQLInt,
  GraphQLBoolean,
  GraphQLID,
  GraphQLFloat,
  Level,
  Odd,
  Inner,
  Filter,
  Choice,
]

/** Default values that arguments may have. */
export const argumentDefaults: Readonly<Record<string, unknown>> = { String: 'text', Int: 7, Level: high, ID: null }
