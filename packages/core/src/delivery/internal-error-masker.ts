import { type ExecutionResult, GraphQLError } from 'graphql'
import { INTERNAL_SERVER_ERROR, isMeantForClient } from './client-error.ts'
import type { ResultMasker } from './encoded-response.ts'

interface Reporter {
  readonly reportError: (error: unknown) => void
}

const maskers = new WeakMap<Reporter, ResultMasker>()

/**
 * Error masking where no host has any: the message of an internal error is replaced, path and locations stay, and what
 * it was is reported to the executor. GraphQLErrors of the application's own pass. It is one masker per executor, so that a
 * group that is spread over several transports is masked, and reported, once.
 */
export function internalErrorMasker(executor: Reporter): ResultMasker {
  let masker = maskers.get(executor)
  if (masker === undefined) {
    masker = (result) => maskInternalErrors(result, executor)
    maskers.set(executor, masker)
  }
  return masker
}

function maskInternalErrors(result: ExecutionResult, { reportError }: Reporter): ExecutionResult {
  if (result.errors === undefined || !result.errors.some((error) => !isMeantForClient(error))) return result
  const errors = result.errors.map((error) => {
    if (isMeantForClient(error)) return error
    reportError(error)
    const { nodes, source, positions, path } = error as GraphQLError
    return new GraphQLError(INTERNAL_SERVER_ERROR, {
      nodes: nodes ?? null,
      source: source ?? null,
      positions: positions ?? null,
      path: path ?? null,
      extensions: { code: 'INTERNAL_SERVER_ERROR' },
    })
  })
  return { ...result, errors }
}
