import { getArgumentValues, getNamedType, type GraphQLResolveInfo, isAbstractType } from 'graphql'
import { acceptValue, needsInfo } from './accept-value.ts'
import { canArgumentsFail } from './argument-check.ts'
import { awaited } from './awaited.ts'
import { isPromiseLike } from './is-promise-like.ts'
import { propertyOf } from './property-of.ts'
import { type CompiledPath, type OperationInfo, resolveInfo } from './resolve-info.ts'
import type { Run } from './run.ts'
import type { SelectedField } from './select-fields.ts'

/** What compiled code calls for a field. It knows of no arguments. */
export type CompiledResolver = (
  source: unknown,
  args: unknown,
  run: Run,
  info: { readonly path: CompiledPath },
) => unknown

/**
 * Calls the field's resolver, or reads the property, as graphql-js does, and hands the value to compiled code. If that
 * cannot go on with it, the run is given up. It never throws, and what it gives never rejects.
 *
 * @param index the place of the field in `run.infos`
 */
export function fieldResolver(
  selected: SelectedField,
  operation: OperationInfo,
  index: number,
  unsupported: () => void,
): CompiledResolver {
  const { field, nodes, selections } = selected
  const { name, type } = field
  const [node] = nodes
  const resolver = field.resolve ?? undefined
  const isAbstract = isAbstractType(getNamedType(type))
  const completionNeedsInfo = needsInfo(isAbstract, selections)
  const canBeWrong = canArgumentsFail(field, node, operation.operation)
  const acceptAny = acceptValue(type, selections, unsupported)

  const accept = (value: unknown, run: Run, info: GraphQLResolveInfo | undefined): boolean => {
    if (!acceptAny(value, run, info)) return false
    // The types of the values are asked for next, before anything else of this field is.
    if (isAbstract) run.infos[index] = info
    return true
  }

  const complete = (value: unknown, run: Run, info: GraphQLResolveInfo | undefined): unknown => {
    if (value instanceof Promise) return awaited(value, run, info, accept)
    if (accept(value, run, info)) return value
    run.giveUp()
    return null
  }

  const call = (
    run: Run,
    path: CompiledPath,
    call: (args: Record<string, unknown>, info: GraphQLResolveInfo) => unknown,
  ): unknown => {
    const info = resolveInfo(selected, operation, run, path)
    const args = field.args.length === 0 || node === undefined ? {} : getArgumentValues(field, node, run.variables)
    return complete(
      run.record(info.path, () => call(args, info)),
      run,
      info,
    )
  }

  const read = (source: unknown, run: Run, path: CompiledPath): unknown => {
    const value = propertyOf(source, name)
    if (typeof value === 'function') {
      return call(
        run,
        path,
        (args, info) => Reflect.apply(value, source, [args, run.args.contextValue, info]) as unknown,
      )
    }
    if (canBeWrong || isPromiseLike(value)) return call(run, path, () => value)
    return complete(value, run, completionNeedsInfo ? resolveInfo(selected, operation, run, path) : undefined)
  }

  const resolve =
    resolver === undefined
      ? read
      : (source: unknown, run: Run, path: CompiledPath): unknown =>
          call(run, path, (args, info): unknown => resolver(source, args, run.args.contextValue, info))

  return (source, _, run, { path }) => {
    if (run.isGivenUp) return null
    try {
      return resolve(source, run, path)
    } catch {
      run.giveUp()
      return null
    }
  }
}
