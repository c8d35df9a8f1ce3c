import type { GraphQLResolveInfo, GraphQLSchema, OperationDefinitionNode } from 'graphql'
import type { Fragments } from './conditions.ts'
import type { Run } from './run.ts'
import type { SelectedField } from './select-fields.ts'

/** The parts of a {@link GraphQLResolveInfo} that are the same everywhere in an operation. */
export interface OperationInfo {
  readonly schema: GraphQLSchema
  readonly fragments: Fragments
  readonly operation: OperationDefinitionNode
}

/** A path as compiled code makes it: it does not know the types. */
export interface CompiledPath {
  readonly prev: CompiledPath | undefined
  readonly key: string | number
}

/** What graphql-js would hand to a resolver. */
export function resolveInfo(
  selected: SelectedField,
  { schema, fragments, operation }: OperationInfo,
  run: Run,
  path: CompiledPath,
): GraphQLResolveInfo {
  return {
    fieldName: selected.field.name,
    fieldNodes: selected.nodes,
    returnType: selected.field.type,
    parentType: selected.parentType,
    path: typedPath(path, selected),
    schema,
    fragments,
    rootValue: run.args.rootValue,
    operation,
    variableValues: run.variables,
  }
}

function typedPath({ prev, key }: CompiledPath, field: SelectedField): GraphQLResolveInfo['path'] {
  // An index belongs to no type, and stands below the name of its field.
  if (typeof key === 'number') return { prev: prev && typedPath(prev, field), key, typename: undefined }
  const { parent, parentType } = field
  return { prev: prev && parent && typedPath(prev, parent), key, typename: parentType.name }
}
