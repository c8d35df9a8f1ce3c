import { SluiceError, type SluiceErrorCode } from '../errors.ts'

/** The longest channel, type, user id and event id, in UTF-16 code units. */
export const maxNameLength = 256

/**
 * Checks the name of a channel, a type or an id: a string of 1 to 256 UTF-16 code units. Lone surrogates are
 * refused, since they have no UTF-8: two such names would become one at a broker.
 *
 * @throws SluiceError with the given code; the message begins with `what`.
 */
export function checkName(name: unknown, code: SluiceErrorCode, what: string): asserts name is string {
  if (typeof name !== 'string') throw new SluiceError(code, `${what} has to be a string; it is ${typeof name}.`)
  if (name.length === 0) throw new SluiceError(code, `${what} has to have a name; it is an empty string.`)
  if (name.length > maxNameLength) {
    throw new SluiceError(code, `${what} may have at most ${maxNameLength} characters; it has ${name.length}.`)
  }
  if (!name.isWellFormed()) throw new SluiceError(code, `${what} has a lone surrogate in it, which UTF-8 cannot write.`)
}
