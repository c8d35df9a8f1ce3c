import {
  type GraphQLArgumentConfig,
  type GraphQLFieldConfig,
  type GraphQLInputType,
  GraphQLInterfaceType,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  type GraphQLOutputType,
  GraphQLSchema,
  GraphQLString,
  GraphQLUnionType,
} from 'graphql'
import type { Choose } from './choose.ts'
import type { WorldContext } from './world-context.ts'
import { type Manner, manners, resolverOf, typeManners, typeResolverOf } from './world-resolvers.ts'
import { argumentDefaults, inputs, leaves } from './world-types.ts'

type Fields = Record<string, GraphQLFieldConfig<unknown, WorldContext>>

/** Objects A to D, which implement interfaces or not, a union of some of them, and every field in a manner of its own. */
export function chooseSchema(choose: Choose): GraphQLSchema {
  // In a third of the worlds everything is a property, as in the data of an event.
  const percentResolved = choose.of([0, 30, 60])
  const hasTypePredicates = choose.chance(25)
  const fieldsOf = new Map<string, Fields>()

  const typeResolver = () => {
    const resolveType = typeResolverOf(choose.of(typeManners))
    return resolveType === undefined ? {} : { resolveType }
  }
  const interfaces = ['Node', 'Named'].map(
    (name) => new GraphQLInterfaceType({ name, fields: () => fieldsOf.get(name) ?? {}, ...typeResolver() }),
  )
  const objects = ['A', 'B', 'C', 'D'].map(
    (name) =>
      new GraphQLObjectType<unknown, WorldContext>({
        name,
        interfaces: interfaces.filter(() => choose.chance(60)),
        fields: () => fieldsOf.get(name) ?? {},
        ...(hasTypePredicates && choose.chance(70) && { isTypeOf: (value, context) => context.isOfType(value, name) }),
      }),
  )
  const members = objects.filter(() => choose.chance(60))
  const union = new GraphQLUnionType({
    name: 'Any',
    types: members.length > 0 ? members : objects,
    ...typeResolver(),
  })
  const composites = [...objects, ...interfaces, union]

  const wrapped = (type: GraphQLOutputType, percentList: number): GraphQLOutputType => {
    const inner = choose.chance(30) ? new GraphQLNonNull(type) : type
    return choose.chance(percentList) ? wrapped(new GraphQLList(inner), percentList / 2) : inner
  }

  const argument = (): GraphQLArgumentConfig => {
    const type = wrapped(choose.of(inputs) as GraphQLOutputType, 15) as GraphQLInputType
    const defaultValue = choose.chance(40) ? argumentDefaults[String(type)] : undefined
    return defaultValue === undefined ? { type } : { type, defaultValue }
  }

  const field = (): Fields[string] => {
    const args: Record<string, GraphQLArgumentConfig> = {}
    while (Object.keys(args).length < 3 && choose.chance(30)) args[`a${Object.keys(args).length}`] = argument()
    return { type: wrapped(choose.chance(45) ? choose.of(composites) : choose.of(leaves), 25), args }
  }

  const fields = (prefix: string, count: number): Fields =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, field()]))

  // What every object has, what only instances have, and what strings have.
  const oddNames = (): Fields =>
    Object.fromEntries(
      ['constructor', 'toString', 'method', 'accessor', 'length']
        .filter(() => choose.chance(10))
        .map((name) => [name, field()]),
    )

  const mannerOf = ({ type }: Fields[string]): Manner => {
    const nullable = type instanceof GraphQLNonNull ? (type.ofType as GraphQLOutputType) : type
    if (nullable === GraphQLString && choose.chance(40)) return 'echo'
    return choose.chance(percentResolved) ? choose.of(manners) : 'property'
  }

  const resolved = (declared: Fields): Fields =>
    Object.fromEntries(
      Object.entries(declared).map(([name, declaredField]) => {
        const resolve = resolverOf(mannerOf(declaredField))
        return [name, resolve === undefined ? declaredField : { ...declaredField, resolve }]
      }),
    )

  for (const { name } of interfaces) fieldsOf.set(name, fields(name.toLowerCase(), 2))
  for (const { name, getInterfaces } of objects.map((type) => ({
    name: type.name,
    getInterfaces: () => type.getInterfaces(),
  }))) {
    const inherited = Object.assign({}, ...getInterfaces().map((type) => fieldsOf.get(type.name))) as Fields
    fieldsOf.set(name, resolved({ ...inherited, ...fields('f', 4), ...oddNames() }))
  }
  const root = (name: string) => new GraphQLObjectType({ name, fields: resolved(fields('q', 4)) })
  return new GraphQLSchema({
    query: root('Query'),
    mutation: root('Mutation'),
    subscription: root('Subscription'),
    types: objects,
  })
}
