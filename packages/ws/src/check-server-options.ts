import { SluiceError, type SubscriptionExecutor } from '@sluice/core'
import { isSchema } from 'graphql'
import type { SocketServerOptions } from './operation-settings.ts'

const functions = [
  'parse',
  'validate',
  'execute',
  'subscribe',
  'onConnect',
  'onDisconnect',
  'onPing',
  'onPong',
  'onClose',
  'onSubscribe',
  'onOperation',
  'onNext',
  'onError',
  'onComplete',
  'jsonMessageReviver',
  'jsonMessageReplacer',
] as const satisfies readonly (keyof SocketServerOptions)[]

/** @throws SluiceError BAD_CONFIG */
export function checkExecutor(who: string, executor: unknown): asserts executor is SubscriptionExecutor {
  const candidate = executor as Partial<SubscriptionExecutor> | null | undefined
  if (typeof candidate?.subscribe === 'function' && typeof candidate.openConnection === 'function') return
  throw new SluiceError(
    'BAD_CONFIG',
    `[${who}] the executor has to be what createSubscriptionExecutor gives, but it is ${describe(executor)}.`,
  )
}

/** @throws SluiceError BAD_CONFIG, naming the option */
export function checkServerOptions(who: string, options: SocketServerOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new SluiceError('BAD_CONFIG', `[${who}] the options have to be an object, but they are ${describe(options)}.`)
  }
  for (const name of functions) {
    if (isAbsent(options[name]) || typeof options[name] === 'function') continue
    throw new SluiceError(
      'BAD_CONFIG',
      `[${who}] the option "${name}" has to be a function, but it is ${describe(options[name])}.`,
    )
  }
  const { schema, connectionInitWaitTimeout, onSubscribe } = options
  if (isAbsent(schema) ? !onSubscribe : typeof schema !== 'function' && !isSchema(schema)) {
    throw new SluiceError(
      'BAD_CONFIG',
      `[${who}] the option "schema" has to be a GraphQLSchema or a function that gives one, but it is ${describe(schema)}.`,
    )
  }
  if (!isAbsent(connectionInitWaitTimeout) && typeof connectionInitWaitTimeout !== 'number') {
    throw new SluiceError(
      'BAD_CONFIG',
      `[${who}] the option "connectionInitWaitTimeout" has to be a number of milliseconds.`,
    )
  }
}

function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null
}

// Never the value itself: it may be a secret.
function describe(value: unknown): string {
  return isAbsent(value) ? String(value) : `a value of type ${typeof value}`
}
