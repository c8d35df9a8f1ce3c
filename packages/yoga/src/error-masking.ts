import type { ResultMasker } from '@sluice/core'
import type { ExecutionResult, GraphQLError } from 'graphql'
import type { AnyYogaServer } from './yoga-server.ts'

/** How Yoga masks one error. It logs the error, and knows the errors that it gave. */
interface MaskedErrorsOptions {
  readonly errorMessage: string
  readonly maskError: (error: unknown, message: string, isDev?: boolean) => Error
  readonly isDev?: boolean
}

/**
 * Yoga's error masking as a function of a result, so that it can be applied once per group and event: one log
 * line for an error, however many subscribers it has. Yoga masks every subscriber's result once more, and leaves
 * alone what it masked before.
 *
 * `undefined` if masking is off, or if Yoga keeps its masker elsewhere than the versions we know: then every
 * subscriber's result is masked by Yoga alone.
 */
export function maskerOf(yoga: AnyYogaServer): ResultMasker | undefined {
  const options: unknown = Reflect.get(yoga, 'maskedErrorsOpts')
  if (!isMaskedErrorsOptions(options)) return undefined
  const { errorMessage, maskError, isDev } = options
  return (result: ExecutionResult): ExecutionResult => {
    if (result.errors === undefined) return result
    return { ...result, errors: result.errors.map((error) => maskError(error, errorMessage, isDev) as GraphQLError) }
  }
}

function isMaskedErrorsOptions(options: unknown): options is MaskedErrorsOptions {
  return (
    typeof options === 'object' && options !== null && 'maskError' in options && typeof options.maskError === 'function'
  )
}
