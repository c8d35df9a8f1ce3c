import type { OnSubscribeHook, Plugin } from '@envelop/core'
import { isAsyncIterable, isPromise, type ResponseStream, withResultHooks } from '@sluice/core'
import { type AnyContext, CapturedHooks, type SubscribeHooks } from './captured-hooks.ts'

type AnyPlugin = Plugin<AnyContext>

/**
 * Takes over where the hooks of plugins are called for the results of subscriptions.
 *
 * Envelop puts iterators of its own around a stream if a plugin wants to see its results, with some promises per
 * subscriber and result. Instead the hooks are called as a result passes: the same hooks, in the same order, with the
 * same arguments, for each subscriber and result. Envelop gives no other way to this than the list of plugins.
 */
export class ResultHookCapture {
  readonly #captured = new WeakMap<object, CapturedHooks>()
  readonly #replaced = new WeakSet<AnyPlugin>()
  readonly #own = new WeakMap<object, unknown>()
  #plugins: readonly AnyPlugin[] = []
  /** By the context of the operation. */
  readonly #streams = new WeakMap<object, ResponseStream>()
  /** The hooks of the last plugin come after those of all others, and when it is initialised all others are there. */
  readonly #last: AnyPlugin = {
    onPluginInit: ({ plugins }) => this.#replaceAll(plugins),
    onSubscribe: ({ args, subscribeFn }) => {
      const hooks = this.#hooksOf(args)
      hooks.isOwn = this.#own.get(args) === subscribeFn
      return {
        onSubscribeResult: ({ result, setResult }) => {
          this.#captured.delete(args)
          if (!hooks.isOwn || !isAsyncIterable(result)) return
          const stream = withResultHooks(result, hooks.resultHooks(args))
          setResult(stream)
          // Hooks of a plugin that has put itself behind this one are not among these.
          if (this.#plugins.at(-1) === this.#last && isObject(args.contextValue))
            this.#streams.set(args.contextValue, stream)
        },
      }
    },
  }

  /** For `onPluginInit`. */
  install(plugins: AnyPlugin[]): void {
    if (!plugins.includes(this.#last)) plugins.push(this.#last)
  }

  /** A subscription with these arguments is Sluice's, if nobody replaces this function. */
  expect(args: object, subscribeFn: unknown): void {
    this.#own.set(args, subscribeFn)
  }

  /** The stream of an operation with this context, hooks and all, as Envelop gives it; once. */
  takeStream(context: object): ResponseStream | undefined {
    const stream = this.#streams.get(context)
    this.#streams.delete(context)
    return stream
  }

  #replaceAll(plugins: AnyPlugin[]): void {
    this.#plugins = plugins
    for (const [index, plugin] of plugins.entries()) {
      if (plugin.onSubscribe === undefined || plugin === this.#last || this.#replaced.has(plugin)) continue
      // Everything else about it stays its own.
      const replacement = Object.create(plugin, {
        onSubscribe: { value: this.#capturing(plugin.onSubscribe), enumerable: true },
      }) as AnyPlugin
      this.#replaced.add(replacement)
      plugins[index] = replacement
    }
  }

  #capturing(onSubscribe: OnSubscribeHook<AnyContext>): OnSubscribeHook<AnyContext> {
    return (event) => {
      const capture = (hooks: SubscribeHooks | void) => hooks && this.#hooksOf(event.args).capture(hooks)
      const hooks = onSubscribe(event)
      return isPromise(hooks) ? hooks.then(capture) : capture(hooks)
    }
  }

  #hooksOf(args: object): CapturedHooks {
    let hooks = this.#captured.get(args)
    if (hooks === undefined) {
      hooks = new CapturedHooks()
      this.#captured.set(args, hooks)
    }
    return hooks
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
