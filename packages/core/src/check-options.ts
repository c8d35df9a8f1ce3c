import * as v from 'valibot'
import { SluiceError } from './errors.ts'

/** A function of any kind. */
export const functionSchema: v.FunctionSchema<'has to be a function'> = v.function('has to be a function')

/**
 * Checks an options object.
 *
 * @throws SluiceError BAD_CONFIG, naming the option: `[redisBus] the option "url" …`. The value itself is not
 * in the message, since it may be a secret.
 */
export function checkOptions(who: string, schema: v.GenericSchema, options: unknown): void {
  const result = v.safeParse(schema, options, { abortEarly: true })
  if (result.success) return
  const [issue] = result.issues
  const path = v.getDotPath(issue)
  const what = path === null ? 'the options' : `the option "${path}"`
  throw new SluiceError('BAD_CONFIG', `[${who}] ${what}: ${describe(issue)}`)
}

function describe(issue: v.BaseIssue<unknown>): string {
  if (issue.type === 'strict_object' && issue.expected === 'never') return 'there is no such option.'
  if (issue.input === undefined) return 'is missing.'
  if (issue.type === 'strict_object') return 'has to be an object.'
  if (issue.expected === null) return `${issue.message}.`
  return `expected ${issue.expected}, but it is ${issue.received.startsWith('"') ? 'a string' : issue.received}.`
}
