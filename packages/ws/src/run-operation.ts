import { asPushStream, isAsyncIterable, type PushStream } from '@sluice/core'
import type { ExecutionArgs } from 'graphql'
import type { Operation } from './operation.ts'
import type { OperationSettings } from './operation-settings.ts'
import { pump } from './pump.ts'
import { ResultSender } from './result-sender.ts'
import { SocketSink } from './socket-sink.ts'

/**
 * An operation from beginning to end, with the hooks of graphql-ws in the order of graphql-ws. It never
 * rejects: what goes wrong ends the operation, and the others of the socket go on.
 */
export async function runOperation(operation: Operation, settings: OperationSettings): Promise<void> {
  const { ctx, id, payload } = operation
  const { onOperation } = settings.hooks
  try {
    const refusal = operation.connection.refusal()
    if (refusal !== undefined) {
      settings.executor.recordRefusal(refusal.code)
      return operation.refuse([refusal.toGraphQLError()])
    }
    const started = await settings.start(operation)
    if (started === undefined) return
    if ('errors' in started) return operation.refuse(started.errors)
    const { args, result } = started
    // Held from here on: whoever fails or goes away next, the stream is released.
    if (isAsyncIterable(result)) operation.hold(result)
    const replaced = (args && (await onOperation?.(ctx, id, payload, args, result))) || result
    if (replaced !== result && isAsyncIterable(replaced)) operation.hold(replaced)
    if (!operation.run(isAsyncIterable(replaced))) return
    operation.started()
    await deliver(operation, args, replaced, settings)
  } catch (error) {
    operation.fail(error)
  } finally {
    operation.started()
  }
}

async function deliver(
  operation: Operation,
  args: ExecutionArgs | undefined,
  result: object,
  settings: OperationSettings,
): Promise<void> {
  if (!isAsyncIterable(result)) {
    await operation.connection.notFull()
    await new ResultSender(operation, args, settings).send(result)
    return operation.finish()
  }
  if (operation.connection.isDraining) return operation.finish()
  const stream = pushStreamOf(result, settings)
  if (stream === undefined) await pump(operation, result, new ResultSender(operation, args, settings))
  else stream.pushTo(new SocketSink(operation, settings))
}

/**
 * The stream whose responses can go to the socket as bytes: the executor's own, as it came, and with nobody
 * who wants to see each message before it is sent.
 */
function pushStreamOf(result: AsyncIterable<unknown>, { hooks, replacer }: OperationSettings): PushStream | undefined {
  return hooks.onNext === undefined && replacer === undefined ? asPushStream(result) : undefined
}
