import {
  type DocumentNode,
  type FieldNode,
  getNamedType,
  getNullableType,
  type GraphQLFieldConfig,
  GraphQLList,
  type GraphQLNamedOutputType,
  GraphQLNonNull,
  GraphQLObjectType,
  type GraphQLOutputType,
  GraphQLSchema,
  GraphQLUnionType,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  Kind,
  type NameNode,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionNode,
  type SelectionSetNode,
  TypeNameMetaFieldDef,
} from 'graphql'
import { canArgumentsFail } from './argument-check.ts'
import { fieldResolver } from './field-resolver.ts'
import { leafType } from './leaf-type.ts'
import type { OperationInfo } from './resolve-info.ts'
import type { Run } from './run.ts'
import type { SelectedField, SelectedObject } from './select-fields.ts'
import { typeResolver } from './type-resolver.ts'

/** What is given to the compiler in place of the schema and the document. */
export interface CompilerInput {
  readonly schema: GraphQLSchema
  readonly document: DocumentNode
}

/**
 * The operation, reduced to what the compiler does right: a query without arguments, variables, directives and fragments,
 * in which every field has a name of its own; on a schema of only its fields. Compiled code puts the response together and
 * reads leaves from properties; everything else is done by what the schema calls: see {@link fieldResolver},
 * {@link typeResolver} and {@link leafType}.
 */
export function compilerInput(root: SelectedObject, operation: OperationInfo, unsupported: () => void): CompilerInput {
  const objects = new Map<
    string,
    { type: GraphQLObjectType<unknown, Run>; fields: Map<string, GraphQLFieldConfig<unknown, Run>> }
  >()
  const leaves = new Map<string, GraphQLNamedOutputType>()
  let count = 0

  const objectOf = ({ name }: GraphQLObjectType) => {
    let object = objects.get(name)
    if (object === undefined) {
      const fields = new Map<string, GraphQLFieldConfig<unknown, Run>>()
      object = { type: new GraphQLObjectType<unknown, Run>({ name, fields: () => Object.fromEntries(fields) }), fields }
      objects.set(name, object)
    }
    return object
  }

  const selectionSetOf = ({ type, fields }: SelectedObject): SelectionSetNode => {
    const object = objectOf(type)
    return selectionSet(
      fields.map((selected) => {
        const { field, responseName } = selected
        if (field === TypeNameMetaFieldDef) return fieldNode(responseName, field.name)
        const inline = isProperty(selected, operation.operation)
        const index = inline ? -1 : count++
        const name = inline ? field.name : `__field${index}`
        const node = fieldNode(responseName, name, selectionsOf(selected))
        const named = inputTypeOf(selected, index)
        object.fields.set(name, {
          type: wrapped(field.type, named),
          ...(!inline && { resolve: fieldResolver(selected, operation, index, unsupported) }),
        })
        return node
      }),
    )
  }

  const selectionsOf = ({ field, selections }: SelectedField): SelectionSetNode | undefined => {
    const named = getNamedType(field.type)
    if (isLeafType(named)) return undefined
    const [selection] = selections
    if (!isAbstractType(named)) return selection === undefined ? selectionSet([]) : selectionSetOf(selection)
    return selectionSet(
      selections.map((selection) => ({
        kind: Kind.INLINE_FRAGMENT,
        typeCondition: { kind: Kind.NAMED_TYPE, name: nameNode(selection.type.name) },
        selectionSet: selectionSetOf(selection),
      })),
    )
  }

  const inputTypeOf = ({ field, selections }: SelectedField, index: number): GraphQLNamedOutputType => {
    const named = getNamedType(field.type)
    if (isLeafType(named)) {
      const leaf = leaves.get(named.name) ?? leafType(named, unsupported)
      leaves.set(named.name, leaf)
      return leaf
    }
    if (!isAbstractType(named)) return objectOf(named).type
    return new GraphQLUnionType({
      name: `__Abstract${index}`,
      types: selections.map(({ type }) => objectOf(type).type),
      resolveType: typeResolver(named, selections, index, unsupported),
    })
  }

  const document: DocumentNode = {
    kind: Kind.DOCUMENT,
    definitions: [
      { kind: Kind.OPERATION_DEFINITION, operation: OperationTypeNode.QUERY, selectionSet: selectionSetOf(root) },
    ],
  }
  const schema = new GraphQLSchema({ query: objectOf(root.type).type, directives: [], assumeValid: true })
  return { schema, document }
}

/** Compiled code reads leaves itself, each once. Of a root value, which may be anything, it reads nothing. */
function isProperty({ field, nodes, parent }: SelectedField, operation: OperationDefinitionNode): boolean {
  if (parent === undefined || (field.resolve !== undefined && field.resolve !== null)) return false
  return isLeafType(getNullableType(field.type)) && !canArgumentsFail(field, nodes[0], operation)
}

function wrapped(type: GraphQLOutputType, named: GraphQLNamedOutputType): GraphQLOutputType {
  if (isNonNullType(type)) return new GraphQLNonNull(wrapped(type.ofType, named) as GraphQLNamedOutputType)
  return isListType(type) ? new GraphQLList(wrapped(type.ofType, named)) : named
}

function fieldNode(responseName: string, name: string, selectionSet?: SelectionSetNode): FieldNode {
  const node = { kind: Kind.FIELD, name: nameNode(name), alias: nameNode(responseName) } as const
  return selectionSet === undefined ? node : { ...node, selectionSet }
}

function selectionSet(selections: readonly SelectionNode[]): SelectionSetNode {
  return { kind: Kind.SELECTION_SET, selections }
}

function nameNode(value: string): NameNode {
  return { kind: Kind.NAME, value }
}
