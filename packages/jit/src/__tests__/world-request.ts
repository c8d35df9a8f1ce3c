import {
  getNamedType,
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLSchema,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isUnionType,
  type ExecutionArgs,
  parse,
} from 'graphql'
import type { Choose } from './choose.ts'

export type WorldRequest = Pick<ExecutionArgs, 'document' | 'operationName' | 'variableValues'> & {
  readonly text: string
}

/** A document with one operation or several, and variables that fit, or nearly. It need not be valid. */
export function chooseRequest(choose: Choose, schema: GraphQLSchema): WorldRequest {
  const definitions = new Map<string, string>()
  const variableValues: Record<string, unknown> = {}
  const fragments: string[] = []
  const fragmentsOf: { readonly name: string; readonly type: string }[] = []
  // Now and then; otherwise hardly any request would be without an error.
  const isSloppy = choose.chance(30)
  let fragmentCount = 0
  let left = 40

  const variable = (type: GraphQLInputType): string => {
    const name = `v${definitions.size}`
    const isBare = isSloppy && isNonNullType(type) && choose.chance(20)
    const declared = isBare ? type.ofType : type
    const defaultValue = choose.chance(20) ? ` = ${literal(isNonNullType(type) ? type.ofType : type, 0)}` : ''
    definitions.set(name, `$${name}: ${String(declared)}${defaultValue}`)
    if (!isNonNullType(type) || isSloppy ? choose.chance(85) : true) variableValues[name] = input(type, 2)
    return `$${name}`
  }

  const literal = (type: GraphQLInputType, depth: number): string => {
    if (depth > 0 && choose.chance(25)) return variable(type)
    if (isNonNullType(type)) return literal(type.ofType, depth)
    if (choose.chance(8)) return 'null'
    if (isSloppy && choose.chance(5)) return choose.of(['1', '"wrong"', '{ x: 1 }', 'WRONG', '[1]'])
    if (isListType(type)) {
      if (choose.chance(15)) return literal(type.ofType, depth - 1)
      return `[${Array.from({ length: choose.int(2) }, () => literal(type.ofType, depth - 1)).join(', ')}]`
    }
    if (isEnumType(type)) return choose.of(type.getValues()).name
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter(
        (field) => depth > -2 && (isNonNullType(field.type) || choose.chance(40)),
      )
      const some = type.isOneOf && !isSloppy ? fields.slice(0, 1) : fields
      return `{ ${some.map((field) => `${field.name}: ${literal(field.type, depth - 1)}`).join(', ')} }`
    }
    return (
      { Int: '12', Float: '1.5', Boolean: 'true', ID: '"id"', Odd: choose.of(['4', '6', isSloppy ? '1' : '8']) }[
        type.name
      ] ?? '"text"'
    )
  }

  const input = (type: GraphQLInputType, depth: number): unknown => {
    if (isSloppy && choose.chance(6)) return choose.of([null, undefined, 'wrong', 1.5, {}, [], { x: 1 }])
    if (isNonNullType(type)) return input(type.ofType, depth) ?? 'null'
    if (choose.chance(8)) return null
    if (isListType(type)) {
      if (choose.chance(15)) return input(type.ofType, depth)
      return Array.from({ length: choose.int(2) }, () => input(type.ofType, depth))
    }
    if (isEnumType(type)) return choose.of(type.getValues()).name
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter(
        (field) => depth > 0 && (isNonNullType(field.type) || choose.chance(40)),
      )
      const some = type.isOneOf && !isSloppy ? fields.slice(0, 1) : fields
      return Object.fromEntries(some.map((field) => [field.name, input(field.type, depth - 1)]))
    }
    return (
      {
        Int: 12,
        Float: 1.5,
        Boolean: choose.chance(50),
        ID: choose.of(['id', 5]),
        Odd: choose.of([4, isSloppy ? 'bad' : 8]),
      }[type.name] ?? 'text'
    )
  }

  const condition = (): string => {
    if (!choose.chance(12)) return ''
    const directive = choose.of(['skip', 'include'])
    if (choose.chance(30)) return ` @${directive}(if: ${choose.of(['true', 'false'])})`
    const name = `c${choose.int(2)}`
    if (!definitions.has(name)) {
      definitions.set(
        name,
        choose.of([
          `$${name}: Boolean!`,
          `$${name}: Boolean = true`,
          isSloppy ? `$${name}: Boolean` : `$${name}: Boolean!`,
        ]),
      )
      if (!isSloppy || choose.chance(80)) variableValues[name] = choose.chance(50)
    }
    const second = choose.chance(10) ? ` @skip(if: ${choose.of(['true', 'false'])})` : ''
    return ` @${directive}(if: $${name})${second}`
  }

  const argument = ({ name, type, defaultValue }: GraphQLArgument): string => {
    const isNeeded = isNonNullType(type) && defaultValue === undefined
    if (isNeeded ? isSloppy && choose.chance(5) : choose.chance(40)) return ''
    return `${name}: ${choose.chance(40) ? variable(type) : literal(type, 2)}`
  }

  const field = (one: GraphQLField<unknown, unknown>, depth: number): string => {
    left -= 1
    const type = getNamedType(one.type)
    const args = one.args.map(argument).filter((text) => text !== '')
    const alias =
      args.length > 0 ? `${one.name}_${left + 100}: ` : choose.chance(15) ? `${choose.of(['x', 'y', one.name])}: ` : ''
    const call = `${alias}${one.name}${args.length > 0 ? `(${args.join(', ')})` : ''}${condition()}`
    return isCompositeType(type) ? `${call} ${selectionSet(type, depth - 1)}` : call
  }

  const fragmentOn = (type: GraphQLCompositeType): GraphQLCompositeType => {
    const types = Object.values(schema.getTypeMap()).filter((one) => isCompositeType(one) && !one.name.startsWith('__'))
    const others = isAbstractType(type) ? [...schema.getPossibleTypes(type), type] : types
    return choose.chance(90) ? choose.of(others as GraphQLCompositeType[]) : choose.of(types as GraphQLCompositeType[])
  }

  const selection = (type: GraphQLCompositeType, depth: number): string => {
    const dice = choose.int(99)
    if (dice < 6 || left < 0) return `__typename${condition()}`
    const fields = isUnionType(type) ? [] : Object.values(type.getFields())
    const usable = depth > 0 ? fields : fields.filter((one) => !isCompositeType(getNamedType(one.type)))
    if (dice < 70 && usable.length > 0) return field(choose.of(usable), depth)
    if (depth <= 0) return '__typename'
    const on = fragmentOn(type)
    if (dice < 85)
      return `...${choose.chance(85) ? ` on ${on.name}` : ''}${condition()} ${selectionSet(dice < 82 ? on : type, depth - 1)}`
    const known = fragmentsOf.find((one) => one.type === on.name)
    if (known !== undefined && choose.chance(50)) return `...${known.name}${condition()}`
    fragmentCount += 1
    const name = `F${fragmentCount}`
    const text = selectionSet(on, depth - 1)
    fragmentsOf.push({ name, type: on.name })
    fragments.push(`fragment ${name} on ${on.name} ${text}`)
    return `...${name}${condition()}`
  }

  const selectionSet = (type: GraphQLCompositeType, depth: number): string =>
    `{ ${Array.from({ length: 1 + choose.int(3) }, () => selection(type, depth)).join(' ')} }`

  const kinds = ['subscription', 'query', 'subscription', 'mutation'] as const
  const operations = Array.from({ length: choose.chance(15) ? 2 : 1 }, (_, index) => {
    const kind = choose.of(kinds)
    const root = {
      query: schema.getQueryType(),
      mutation: schema.getMutationType(),
      subscription: schema.getSubscriptionType(),
    }[kind]
    return { kind, name: `O${index}`, body: selectionSet(root as GraphQLCompositeType, 4) }
  })
  const declared = definitions.size > 0 ? `(${[...definitions.values()].join(', ')})` : ''
  const text = [...operations.map(({ kind, name, body }) => `${kind} ${name}${declared} ${body}`), ...fragments].join(
    '\n',
  )
  if (choose.chance(20)) variableValues['extra'] = { a: 1 }
  const operationName =
    operations.length > 1
      ? choose.of(['O0', 'O1', 'O0', isSloppy ? 'O2' : 'O1', isSloppy ? null : 'O0'])
      : choose.of([null, 'O0', undefined])
  return { text, document: parse(text), operationName, variableValues: choose.chance(5) ? null : variableValues }
}

/** Other values for the next event: in the same object, or in another one. */
export function changeVariables(
  choose: Choose,
  variables: Readonly<Record<string, unknown>> | null,
): Record<string, unknown> | null {
  if (variables === null || choose.chance(30)) return variables
  const changed = choose.chance(50) ? { ...variables } : (variables as Record<string, unknown>)
  for (const name of Object.keys(changed)) {
    if (name.startsWith('c') && choose.chance(40)) changed[name] = choose.chance(95) ? changed[name] === false : null
    else if (choose.chance(3)) changed[name] = choose.of([null, 'wrong', 13])
  }
  return changed
}
