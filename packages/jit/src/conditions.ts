import {
  type DirectiveNode,
  type FragmentDefinitionNode,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql'
import { NotCompilable } from './not-compilable.ts'

/** The values of the variables that `@skip` and `@include` name. */
export type Conditions = ReadonlyMap<string, boolean>

export type Fragments = Readonly<Record<string, FragmentDefinitionNode>>

/**
 * The variables that decide with `@skip` and `@include` what an operation selects, in the order in which they occur.
 *
 * @throws NotCompilable for `@defer`, `@stream`, and conditions that are neither a variable nor `true` or `false`
 */
export function conditionVariables(selectionSet: SelectionSetNode, fragments: Fragments): readonly string[] {
  const names = new Set<string>()
  const spread = new Set<string>()
  const visit = ({ selections }: SelectionSetNode): void => {
    for (const node of selections) {
      for (const directive of node.directives ?? []) {
        const variable = conditionVariable(directive)
        if (variable !== undefined) names.add(variable)
      }
      if (node.kind !== Kind.FRAGMENT_SPREAD) {
        if (node.selectionSet !== undefined) visit(node.selectionSet)
      } else if (!spread.has(node.name.value)) {
        spread.add(node.name.value)
        const fragment = fragments[node.name.value]
        if (fragment !== undefined) visit(fragment.selectionSet)
      }
    }
  }
  visit(selectionSet)
  return [...names]
}

function conditionVariable(directive: DirectiveNode): string | undefined {
  const name = directive.name.value
  if (name === 'defer' || name === 'stream') throw new NotCompilable(`@${name}`)
  if (name !== 'skip' && name !== 'include') return undefined
  const value = conditionOf(directive)
  return typeof value === 'string' ? value : undefined
}

/** The value, or the name of the variable. */
function conditionOf(directive: DirectiveNode): boolean | string {
  const value = directive.arguments?.find(({ name }) => name.value === 'if')?.value
  if (value?.kind === Kind.BOOLEAN) return value.value
  if (value?.kind === Kind.VARIABLE) return value.name.value
  throw new NotCompilable(`@${directive.name.value} without a condition`)
}

/** Whether a selection is there. */
export function isIncluded({ directives }: SelectionNode, conditions: Conditions): boolean {
  if (directives === undefined || directives.length === 0) return true
  return holds('skip', directives, conditions) !== true && holds('include', directives, conditions) !== false
}

function holds(name: string, directives: readonly DirectiveNode[], conditions: Conditions): boolean | undefined {
  const directive = directives.find((one) => one.name.value === name)
  if (directive === undefined) return undefined
  const value = conditionOf(directive)
  return typeof value === 'string' ? conditions.get(value) : value
}
