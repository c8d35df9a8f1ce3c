import { formatError, toClientError } from '@sluice/core'

/** `JSON.stringify`'s second argument: what graphql-ws calls `jsonMessageReplacer`. */
export type MessageReplacer = (this: unknown, key: string, value: unknown) => unknown

/**
 * A whole `next` message, for a result that nobody shares.
 *
 * @throws TypeError if JSON cannot hold the result, and what the replacer throws
 */
export function nextMessage(id: string, payload: object, replacer?: MessageReplacer): string {
  return encode({ id, type: 'next', payload }, replacer)
}

/**
 * The `error` message, after which the client hears nothing more of the id.
 *
 * @throws TypeError if JSON cannot hold the errors, and what the replacer throws
 */
export function errorMessage(id: string, errors: readonly unknown[], replacer?: MessageReplacer): string {
  return encode({ id, type: 'error', payload: errors.map(formatError) }, replacer)
}

/** @throws what the replacer throws; nothing without one */
export function completeMessage(id: string, replacer?: MessageReplacer): string {
  return encode({ id, type: 'complete' }, replacer)
}

/** The `error` message for errors that have no message of their own, since they cannot be encoded. Never throws. */
export function internalErrorMessage(id: string): string {
  return errorMessage(id, [toClientError(undefined)])
}

function encode(message: object, replacer: MessageReplacer | undefined): string {
  const text = JSON.stringify(message, replacer) as string | undefined
  if (text === undefined) throw new TypeError('[ws] jsonMessageReplacer left nothing of a message.')
  return text
}
