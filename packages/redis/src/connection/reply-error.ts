import { SluiceError, type SluiceErrorCode } from '@sluice/core'

/** The connection broke, or there was none: what became of the command is not known. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError'
}

/**
 * What a command's failure means.
 *
 * - `lost`: the connection broke. It may have been executed.
 * - `wait`: nothing was executed, and it will pass: a server that loads its data, a failover under way.
 * - `refused`: nothing was executed, and nothing will be until somebody does something: no memory, no disk.
 * - `forbidden`: the user of the connection may not.
 * - `unknown`: it failed half-way, or in a way that nobody foresaw.
 */
export type FailureKind = 'lost' | 'wait' | 'refused' | 'forbidden' | 'unknown'

const kinds: Readonly<Record<string, FailureKind>> = {
  LOADING: 'wait',
  BUSY: 'wait',
  READONLY: 'wait',
  MASTERDOWN: 'wait',
  CLUSTERDOWN: 'wait',
  TRYAGAIN: 'wait',
  MOVED: 'wait',
  ASK: 'wait',
  OOM: 'refused',
  MISCONF: 'refused',
  NOREPLICAS: 'refused',
  NOAUTH: 'refused',
  WRONGPASS: 'refused',
  NOPERM: 'forbidden',
}

/** Sorts what a command of ioredis was rejected with. */
export function failureKind(error: unknown): FailureKind {
  if (!(error instanceof Error)) return 'unknown'
  if (error.name !== 'ReplyError') return 'lost'
  // A script's failing command is told as `ERR … script: …, on @user_script:…` or by the code itself, according to the version.
  const code = /^([A-Z]+)\b/.exec(error.message)?.[1] ?? ''
  const kind = kinds[code]
  if (kind !== undefined) return kind
  if (/\b(can't write against a read only replica)\b/i.test(error.message)) return 'wait'
  if (/\b(ACL failure|no permissions|NOPERM)\b/i.test(error.message)) return 'forbidden'
  return 'unknown'
}

/** Whether the server does not know a script. */
export function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT')
}

/**
 * The error without its command: ioredis attaches the arguments, which are somebody's data, or a password.
 */
export function withoutCommand(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error))
  const clean = new Error(error.message)
  clean.name = error.name
  if ('code' in error && typeof error.code === 'string') Object.assign(clean, { code: error.code })
  return clean
}

/** An error of the bus about a failed command. */
export function busError(code: SluiceErrorCode, message: string, cause?: unknown): SluiceError {
  return new SluiceError(code, `[redisBus] ${message}`, cause === undefined ? {} : { cause: withoutCommand(cause) })
}
