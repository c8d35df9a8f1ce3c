import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLObjectType,
  type GraphQLSchema,
  type InlineFragmentNode,
  isAbstractType,
  Kind,
  type SelectionSetNode,
  typeFromAST,
} from 'graphql'
import { type Conditions, type Fragments, isIncluded } from './conditions.ts'

/** What selections mean: the same everywhere in an operation. */
export interface SelectionScope {
  readonly schema: GraphQLSchema
  readonly fragments: Fragments
  readonly conditions: Conditions
}

/**
 * CollectFields, for several selection sets of one object: the field nodes by response name, in their order.
 *
 * @see https://spec.graphql.org/draft/#CollectFields()
 */
export function collectFields(
  scope: SelectionScope,
  type: GraphQLObjectType,
  selectionSets: readonly SelectionSetNode[],
): Map<string, FieldNode[]> {
  const fields = new Map<string, FieldNode[]>()
  const visitedFragments = new Set<string>()
  const collect = ({ selections }: SelectionSetNode): void => {
    for (const node of selections) {
      // A fragment that is skipped has not been visited: it may be spread again, unconditionally.
      if (!isIncluded(node, scope.conditions)) continue
      if (node.kind === Kind.FIELD) {
        const name = (node.alias ?? node.name).value
        const nodes = fields.get(name)
        if (nodes === undefined) fields.set(name, [node])
        else nodes.push(node)
      } else if (node.kind === Kind.INLINE_FRAGMENT) {
        if (isForType(scope.schema, node, type)) collect(node.selectionSet)
      } else if (!visitedFragments.has(node.name.value)) {
        visitedFragments.add(node.name.value)
        const fragment = scope.fragments[node.name.value]
        if (fragment !== undefined && isForType(scope.schema, fragment, type)) collect(fragment.selectionSet)
      }
    }
  }
  for (const selectionSet of selectionSets) collect(selectionSet)
  return fields
}

function isForType(
  schema: GraphQLSchema,
  { typeCondition }: FragmentDefinitionNode | InlineFragmentNode,
  type: GraphQLObjectType,
): boolean {
  if (typeCondition === undefined) return true
  const condition = typeFromAST(schema, typeCondition)
  return condition === type || (isAbstractType(condition) && schema.isSubType(condition, type))
}
