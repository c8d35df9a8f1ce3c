import {
  type FieldNode,
  getNamedType,
  type GraphQLField,
  type GraphQLObjectType,
  isAbstractType,
  isLeafType,
  isObjectType,
  type OperationDefinitionNode,
  OperationTypeNode,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
} from 'graphql'
import { collectFields, type SelectionScope } from './collect-fields.ts'
import { NotCompilable } from './not-compilable.ts'

/** The time of the compiler grows with the square of the depth. */
const maxDepth = 20

/** A field at the place in the response where it is selected, of an object whose type is known. */
export interface SelectedField {
  readonly responseName: string
  /** The field that it is a field of the value of; of a root field none. */
  readonly parent: SelectedField | undefined
  readonly parentType: GraphQLObjectType
  readonly field: GraphQLField<unknown, unknown>
  readonly nodes: readonly FieldNode[]
  /** What is selected of its value: for each type that this can have. Of a leaf nothing. */
  readonly selections: readonly SelectedObject[]
}

export interface SelectedObject {
  readonly type: GraphQLObjectType
  readonly fields: readonly SelectedField[]
}

/**
 * Everything that an operation can select, with the types known and fragments and conditions gone.
 *
 * @throws NotCompilable for introspection, mutations of several fields, and more fields or more levels than the limits
 */
export function selectFields(
  scope: SelectionScope,
  operation: OperationDefinitionNode,
  maxFieldCount: number,
): SelectedObject {
  const rootType = scope.schema.getRootType(operation.operation)
  if (rootType === undefined || rootType === null) throw new NotCompilable('no root type')
  let fieldCount = 0

  const selectObject = (
    type: GraphQLObjectType,
    selectionSets: readonly SelectionSetNode[],
    parent: SelectedField | undefined,
    depth: number,
  ): SelectedObject => {
    if (depth > maxDepth) throw new NotCompilable('nested too deeply')
    const fields: SelectedField[] = []
    for (const [responseName, nodes] of collectFields(scope, type, selectionSets)) {
      const field = fieldOf(type, nodes[0]?.name.value ?? '')
      if (field === undefined) continue
      fieldCount += 1
      if (fieldCount > maxFieldCount) throw new NotCompilable('too many fields')
      // The compiler writes object literals, in which this name is none.
      if (responseName === '__proto__' || field.name === '__proto__') throw new NotCompilable('__proto__')
      fields.push(selectField(responseName, field, nodes, type, parent, depth))
    }
    return { type, fields }
  }

  const selectField = (
    responseName: string,
    field: GraphQLField<unknown, unknown>,
    nodes: readonly FieldNode[],
    parentType: GraphQLObjectType,
    parent: SelectedField | undefined,
    depth: number,
  ): SelectedField => {
    const selections: SelectedObject[] = []
    const selected: SelectedField = { responseName, parent, parentType, field, nodes, selections }
    const selectionSets = nodes.flatMap(({ selectionSet }) => selectionSet ?? [])
    for (const type of possibleTypes(scope, field))
      selections.push(selectObject(type, selectionSets, selected, depth + 1))
    return selected
  }

  const root = selectObject(rootType, [operation.selectionSet], undefined, 1)
  if (operation.operation === OperationTypeNode.MUTATION && root.fields.length > 1) {
    throw new NotCompilable('a mutation of several fields')
  }
  return root
}

function fieldOf(type: GraphQLObjectType, name: string): GraphQLField<unknown, unknown> | undefined {
  if (name === TypeNameMetaFieldDef.name) return TypeNameMetaFieldDef
  if (name === SchemaMetaFieldDef.name || name === TypeMetaFieldDef.name) throw new NotCompilable('introspection')
  return type.getFields()[name]
}

function possibleTypes(
  { schema }: SelectionScope,
  { type }: GraphQLField<unknown, unknown>,
): readonly GraphQLObjectType[] {
  const named = getNamedType(type)
  if (isLeafType(named)) return []
  if (isObjectType(named)) return [named]
  return isAbstractType(named) ? schema.getPossibleTypes(named) : []
}
