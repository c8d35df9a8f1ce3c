import type {
  OnSubscribeHookResult,
  OnSubscribeResultResultOnEndHook,
  OnSubscribeResultResultOnNextHook,
  SubscribeErrorHook,
} from '@envelop/core'
import { isAsyncIterable, isPromise, type MaybePromise, type ResultHooks } from '@sluice/core'
import type { ExecutionArgs, ExecutionResult } from 'graphql'

export type AnyContext = Record<string, unknown>
export type SubscribeHooks = OnSubscribeHookResult<AnyContext>

/** What hooks have asked for, for the results of one subscription, in the order of the plugins. */
export class CapturedHooks {
  /** Whether it is Sluice that subscribes. If not, Envelop is told of the hooks as ever. */
  isOwn = false
  readonly #onNext: OnSubscribeResultResultOnNextHook<AnyContext>[] = []
  readonly #onEnd: OnSubscribeResultResultOnEndHook[] = []
  readonly #onError: SubscribeErrorHook[] = []

  /** The hooks of one plugin as Envelop is to see them: without what is called here instead. */
  capture({ onSubscribeResult, onSubscribeError }: SubscribeHooks): SubscribeHooks {
    if (onSubscribeError !== undefined) this.#onError.push(onSubscribeError)
    const isOwn = () => this.isOwn
    return {
      // Envelop asks for it when all plugins have been called, and it is known who subscribes.
      get onSubscribeError() {
        return isOwn() ? undefined : onSubscribeError
      },
      ...(onSubscribeResult && {
        onSubscribeResult: (event) => {
          const hooks = onSubscribeResult(event)
          if (!this.isOwn || !hooks || !isAsyncIterable(event.result)) return hooks
          if (hooks.onNext !== undefined) this.#onNext.push(hooks.onNext)
          if (hooks.onEnd !== undefined) this.#onEnd.push(hooks.onEnd)
          return undefined
        },
      }),
    } as SubscribeHooks
  }

  /** All of them. */
  resultHooks(args: ExecutionArgs): ResultHooks {
    return {
      onResult: this.#onNext.length === 0 ? undefined : (result) => this.#runOnNext(0, args, result),
      onEnd: () => {
        for (const onEnd of this.#onEnd) onEnd()
      },
      onError: (error) => {
        let told = error
        const setError = (next: unknown): void => {
          told = next
        }
        for (const onError of this.#onError) onError({ error: told, setError })
        return told
      },
    }
  }

  #runOnNext(first: number, args: ExecutionArgs, result: ExecutionResult): MaybePromise<ExecutionResult> {
    let current = result
    const setResult = (next: ExecutionResult): void => {
      current = next
    }
    for (let index = first; index < this.#onNext.length; index += 1) {
      const onNext = this.#onNext[index] as OnSubscribeResultResultOnNextHook<AnyContext>
      const running = onNext({ args: args as never, result: current, setResult })
      if (isPromise(running)) return running.then(() => this.#runOnNext(index + 1, args, current))
    }
    return current
  }
}
