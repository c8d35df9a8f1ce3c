import { type DocumentNode, type ExecutionArgs, getOperationAST, type OperationDefinitionNode, print } from 'graphql'
import { canonicalForm } from '../canonical.ts'
import type { ChannelSourceDescription } from '../channel/channel-source.ts'
import type { UnsharedReason } from '../metrics.ts'
import type { Partition } from '../scope/partition.ts'

/** A group's key, or why the subscription cannot be in a group with others. */
export type GroupKey =
  | { readonly key: string; readonly unshared: undefined }
  | { readonly key: undefined; readonly unshared: UnsharedReason }

/**
 * Everything that a response can depend on: two subscriptions with the same key get the same bytes, so what is
 * not in the key must not reach the execution. The context of a subscriber is left out, and does not.
 */
export function groupKey(args: ExecutionArgs, source: ChannelSourceDescription, partition: Partition): GroupKey {
  if (partition.unshared !== undefined) return { key: undefined, unshared: partition.unshared }
  const operation = getOperationAST(args.document, args.operationName)
  const variables = canonicalForm(declaredVariables(operation, args))
  // A resolver may have called the field's `subscribe` with arguments of its own making.
  const sourceArgs = canonicalForm(source.args)
  if (variables === undefined || sourceArgs === undefined) return { key: undefined, unshared: 'variables' }
  const key = JSON.stringify([
    partition.scope.tenantId,
    partition.key,
    identityOf(args.schema),
    textOf(args.document),
    // Which operation of the document: some clients name the only one, and some do not.
    operation?.name?.value ?? null,
    variables,
    sourceArgs,
    source.tenancy,
    source.channels,
    source.types ?? null,
    source.match.map(({ path, keys }) => [path, keys]),
    // A resolver may make its `fromChannel` anew for each subscription.
    identityOf(source.filter),
    source.onGap ?? null,
    // Absent in either way, they are graphql-js's own.
    identityOf(args.fieldResolver ?? undefined),
    identityOf(args.typeResolver ?? undefined),
  ])
  return { key, unshared: undefined }
}

/**
 * The values of the variables that the operation declares, in their order; whatever else a client sends has no
 * effect. One that is not given is not the same as one that is `null` or `undefined`: it may have a default.
 */
function declaredVariables(
  operation: OperationDefinitionNode | null | undefined,
  { variableValues }: ExecutionArgs,
): unknown[] {
  const definitions = operation?.variableDefinitions ?? []
  return definitions.map(({ variable: { name } }) =>
    variableValues && Object.hasOwn(variableValues, name.value) ? [variableValues[name.value]] : 'not given',
  )
}

/** The variables that the operation declares and a client sent: nothing else that it sends is kept, or executed with. */
export function declaredValues({ document, operationName, variableValues }: ExecutionArgs): Record<string, unknown> {
  const given = variableValues ?? {}
  const definitions = getOperationAST(document, operationName)?.variableDefinitions ?? []
  const names = definitions.map(({ variable }) => variable.name.value).filter((name) => Object.hasOwn(given, name))
  return Object.fromEntries(names.map((name) => [name, given[name]]))
}

const texts = new WeakMap<DocumentNode, string>()

/** The document as it is executed: plugins rewrite it, so the text that the client sent does not count. */
function textOf(document: DocumentNode): string {
  let text = texts.get(document)
  if (text === undefined) {
    text = print(document)
    texts.set(document, text)
  }
  return text
}

const identities = new WeakMap<object, string>()
let lastIdentity = 0

/** One string per object or function; a value stands for itself. */
function identityOf(value: unknown): string {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null)
    return `${typeof value}:${String(value)}`
  let identity = identities.get(value)
  if (identity === undefined) {
    lastIdentity += 1
    identity = `#${lastIdentity}`
    identities.set(value, identity)
  }
  return identity
}
