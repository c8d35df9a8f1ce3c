import {
  type ArgumentNode,
  getNamedType,
  getOperationAST,
  type GraphQLObjectType,
  type GraphQLSchema,
  isLeafType,
  isListType,
  isObjectType,
  Kind,
  parse,
  type SelectionSetNode,
  valueFromASTUntyped,
} from 'graphql'
import type { ConcreteRequest, NormalizationArgument } from 'relay-runtime'

/** A field in both of the artifact's trees: the one that is written to the store, and the one that is read. */
type CompiledField = CompiledScalarField | CompiledLinkedField

interface CompiledScalarField {
  readonly kind: 'ScalarField'
  readonly alias: string | null
  readonly name: string
  readonly args: readonly CompiledArgument[]
}

interface CompiledLinkedField extends Omit<CompiledScalarField, 'kind'> {
  readonly kind: 'LinkedField'
  readonly concreteType: string
  readonly plural: boolean
  readonly selections: readonly CompiledField[]
}

type CompiledArgument = Extract<NormalizationArgument, { readonly kind: 'Literal' | 'Variable' }>

/**
 * The artifact that Relay's compiler writes for a document with one named operation, for as much of the language
 * as a subscription of objects and scalars needs. The compiler itself runs when an application is built.
 *
 * @see https://relay.dev/docs/glossary/#artifact
 */
export function compileForRelay(schema: GraphQLSchema, text: string): ConcreteRequest {
  const operation = getOperationAST(parse(text))
  const type = operation == null ? undefined : schema.getRootType(operation.operation)
  const name = operation?.name?.value
  if (operation == null || type == null || name === undefined) throw new Error(`no named operation for Relay: ${text}`)
  const selections = compileSelections(type, operation.selectionSet)
  const argumentDefinitions = (operation.variableDefinitions ?? []).map(({ variable, defaultValue }) => ({
    kind: 'LocalArgument' as const,
    name: variable.name.value,
    defaultValue: defaultValue === undefined ? null : valueFromASTUntyped(defaultValue),
  }))
  return {
    kind: 'Request',
    fragment: { kind: 'Fragment', name, type: type.name, metadata: null, argumentDefinitions, selections },
    operation: { kind: 'Operation', name, argumentDefinitions, selections },
    params: { id: null, cacheID: text, name, operationKind: operation.operation, text, metadata: {} },
  }
}

function compileSelections(parent: GraphQLObjectType, { selections }: SelectionSetNode): CompiledField[] {
  return selections.map((node) => {
    const field = node.kind === Kind.FIELD ? parent.getFields()[node.name.value] : undefined
    if (node.kind !== Kind.FIELD || field === undefined) throw new Error(`not compiled for Relay: ${node.kind}`)
    const alias = node.alias?.value ?? null
    const common = {
      alias,
      name: field.name,
      args: (node.arguments ?? []).map((argument) => compileArgument(argument)),
    }
    const type = getNamedType(field.type)
    if (isLeafType(type)) return { kind: 'ScalarField', ...common }
    if (!isObjectType(type) || node.selectionSet === undefined) throw new Error(`not compiled for Relay: ${type.name}`)
    const selections = compileSelections(type, node.selectionSet)
    return { kind: 'LinkedField', ...common, concreteType: type.name, plural: isListType(field.type), selections }
  })
}

function compileArgument({ name, value }: ArgumentNode): CompiledArgument {
  return value.kind === Kind.VARIABLE
    ? { kind: 'Variable', name: name.value, variableName: value.name.value }
    : { kind: 'Literal', name: name.value, value: valueFromASTUntyped(value) }
}
