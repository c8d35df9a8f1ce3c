import { type GraphQLResolveInfo, print } from 'graphql'
import type { WorldContext } from './world-context.ts'

/** Everything that a resolver is told, as a text. */
export function echo(args: unknown, context: WorldContext, info: GraphQLResolveInfo): string {
  const { schema, operation } = info
  return JSON.stringify({
    args,
    name: info.fieldName,
    returnType: String(info.returnType),
    isSchema: schema === context.schema,
    isField: schema.getType(info.parentType.name) === info.parentType,
    isReturnType: info.parentType.getFields()[info.fieldName]?.type === info.returnType,
    path: pathOf(info.path),
    operation: [operation.operation, operation.name?.value],
    variables: info.variableValues,
    isRoot: info.rootValue === context.rootValue,
    fragments: Object.keys(info.fragments),
    nodes: info.fieldNodes.map((node) => [node.loc?.start, print(node)]),
  })
}

/** A path with its types. */
export function pathOf(path: GraphQLResolveInfo['path'] | undefined): string {
  return path === undefined ? '' : `${pathOf(path.prev)}/${path.typename ?? ''}.${path.key}`
}
