import { type DocumentNode, type FragmentDefinitionNode, Kind, type OperationDefinitionNode } from 'graphql'
import { type Conditions, conditionVariables, type Fragments } from './conditions.ts'

/** More combinations of an operation's conditions are not compiled: clients choose them. */
const maxVariantCount = 8

/** An operation with one combination of its conditions. It is the key of what has been compiled. */
export interface OperationVariant {
  readonly conditions: Conditions
}

/** An operation of a document. */
export class KnownOperation {
  readonly operation: OperationDefinitionNode
  readonly fragments: Fragments
  readonly #conditionNames: readonly string[] | undefined
  readonly #variants = new Map<string, OperationVariant>()

  constructor(operation: OperationDefinitionNode, fragments: Fragments) {
    this.operation = operation
    this.fragments = fragments
    try {
      this.#conditionNames = conditionVariables(operation.selectionSet, fragments)
    } catch {
      // graphql-js executes it, whatever the variables are.
    }
  }

  /** What these variables select; `undefined` if it is not to be compiled. */
  variantFor(variables: Readonly<Record<string, unknown>>): OperationVariant | undefined {
    const names = this.#conditionNames
    if (names === undefined) return undefined
    let key = ''
    for (const name of names) {
      const value = variables[name]
      if (typeof value !== 'boolean') return undefined
      key += value ? '1' : '0'
    }
    let variant = this.#variants.get(key)
    if (variant === undefined && this.#variants.size < maxVariantCount) {
      variant = { conditions: new Map(names.map((name) => [name, variables[name] === true])) }
      this.#variants.set(key, variant)
    }
    return variant
  }
}

/** The operation of each name; without a name that of a document which has only one. */
type Operations = Map<string | undefined, KnownOperation>

const documents = new WeakMap<DocumentNode, Operations>()

/** The operation that an execution means; `undefined` if it means none. */
export function findOperation(document: DocumentNode, name: string | null | undefined): KnownOperation | undefined {
  let operations = documents.get(document)
  if (operations === undefined) {
    operations = operationsOf(document)
    documents.set(document, operations)
  }
  return operations.get(name ?? undefined)
}

function operationsOf({ definitions }: DocumentNode): Operations {
  const operations: Operations = new Map()
  // Without a prototype, as graphql-js makes it: a fragment may be called "constructor".
  const fragments = Object.create(null) as Record<string, FragmentDefinitionNode>
  for (const node of definitions) {
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments[node.name.value] = node
  }
  const nodes = definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION)
  for (const node of nodes) {
    const operation = new KnownOperation(node, fragments)
    // Of several with the same name graphql-js takes the last.
    if (node.name !== undefined) operations.set(node.name.value, operation)
    if (nodes.length === 1) operations.set(undefined, operation)
  }
  return operations
}
