import {
  type FieldNode,
  type GraphQLArgument,
  type GraphQLField,
  isNonNullType,
  Kind,
  type OperationDefinitionNode,
  type ValueNode,
  valueFromAST,
} from 'graphql'

/**
 * Whether coercing the arguments of a field can fail, for variables that are right. A property takes no arguments, but wrong
 * ones are an error all the same.
 */
export function canArgumentsFail(
  { args }: GraphQLField<unknown, unknown>,
  node: FieldNode | undefined,
  operation: OperationDefinitionNode,
): boolean {
  return args.some((definition) => {
    const argument = node?.arguments?.find(({ name }) => name.value === definition.name)
    if (argument === undefined) return isNonNullType(definition.type) && definition.defaultValue === undefined
    if (argument.value.kind === Kind.VARIABLE) return canVariableFail(definition, argument.value.name.value, operation)
    return hasVariable(argument.value) || valueFromAST(argument.value, definition.type) === undefined
  })
}

function canVariableFail({ type }: GraphQLArgument, name: string, { variableDefinitions }: OperationDefinitionNode) {
  const definition = variableDefinitions?.find(({ variable }) => variable.name.value === name)
  if (definition === undefined || definition.defaultValue !== undefined) return true
  return isNonNullType(type) && definition.type.kind !== Kind.NON_NULL_TYPE
}

function hasVariable(node: ValueNode): boolean {
  switch (node.kind) {
    case Kind.VARIABLE:
      return true
    case Kind.LIST:
      return node.values.some(hasVariable)
    case Kind.OBJECT:
      return node.fields.some(({ value }) => hasVariable(value))
    default:
      return false
  }
}
