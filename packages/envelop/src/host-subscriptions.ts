import type { Plugin } from '@envelop/core'
import {
  draining,
  type ResponseStream,
  type ResultMasker,
  type SluiceContext,
  SluiceError,
  type SubscriptionExecutor,
  SubscriptionSet,
} from '@sluice/core'
import {
  type ExecutionArgs,
  type ExecutionResult,
  getOperationAST,
  GraphQLError,
  type GraphQLSchema,
  OperationTypeNode,
} from 'graphql'
import { ResultHookCapture } from './result-hook-capture.ts'

/** The subscriptions of one Envelop server. */
export interface HostSubscriptions {
  readonly executor: SubscriptionExecutor
  readonly plugin: Plugin<SluiceContext>
  /** The server's error masking, once it is known: from then on it is applied once per group and event. */
  setMasker(mask: ResultMasker): void
  /**
   * The stream that the server's pipeline gave for the operation of this context, with the hooks of all plugins; once.
   * `undefined` if there is none.
   */
  takeStream(context: object): ResponseStream | undefined
  /** New subscriptions are refused, and those that run end with `complete`. */
  endAll(): void
}

/** The hooks with which an Envelop server hands its subscriptions to an executor. */
export function hostSubscriptions(executor: SubscriptionExecutor): HostSubscriptions {
  const running = new SubscriptionSet()
  const capture = new ResultHookCapture()
  let maskResult: ResultMasker | undefined
  let ended = false
  // A mistake in the first schema keeps the server from starting; one in a later schema must not stop it.
  let starting = true

  const subscribe = (args: ExecutionArgs): Promise<ResponseStream | ExecutionResult> =>
    ended
      ? Promise.resolve({ errors: [draining().toGraphQLError()] })
      : executor.subscribe(args, { maskResult, running })

  const plugin: Plugin<SluiceContext> = {
    onPluginInit({ plugins }) {
      capture.install(plugins as never)
      queueMicrotask(() => {
        starting = false
      })
    },
    onSchemaChange({ schema }) {
      try {
        executor.setSchema(schema as GraphQLSchema)
      } catch (error) {
        if (starting) throw error
        executor.reportError(error)
      }
    },
    onContextBuilding({ context, extendContext }) {
      extendContext({ sluice: executor.publisherFor(context) })
    },
    onExecute({ args, setResultAndStopExecution }) {
      const { document, operationName } = args as ExecutionArgs
      if (getOperationAST(document, operationName)?.operation !== OperationTypeNode.SUBSCRIPTION) return
      // It would call the field's resolver without an event, and nobody would be asked for a scope.
      setResultAndStopExecution({ errors: [executedSubscription()] })
    },
    onSubscribe({ args, setSubscribeFn }) {
      let reached = false
      const subscribeFn = (given: ExecutionArgs) => {
        reached = true
        return subscribe(given)
      }
      setSubscribeFn(subscribeFn)
      capture.expect(args, subscribeFn)
      return {
        onSubscribeResult({ result, setResult }) {
          if (reached || !(Symbol.asyncIterator in result)) return
          // Another engine took over after us: what it started has not been asked who it is for.
          const error = new SluiceError(
            'BAD_CONFIG',
            '[useSluice] another plugin replaced the subscribe function. Put useSluice() after plugins that set an engine.',
          )
          executor.reportError(error)
          setResult({ errors: [error.toGraphQLError()] })
          result[Symbol.asyncIterator]().return?.(undefined).then(undefined, executor.reportError)
        },
      }
    },
  }

  return {
    executor,
    plugin,
    setMasker(mask) {
      maskResult = mask
    },
    takeStream: (context) => capture.takeStream(context),
    endAll() {
      ended = true
      running.endAll()
    },
  }
}

function executedSubscription(): GraphQLError {
  return new GraphQLError('A subscription cannot be executed as a single response. Subscribe over WebSocket or SSE.', {
    extensions: { code: 'BAD_REQUEST' },
  })
}
