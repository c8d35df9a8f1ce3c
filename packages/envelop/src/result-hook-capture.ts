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
  /** Those of each Envelop that has Sluice. */
  readonly #lists = new Set<readonly AnyPlugin[]>()
  /** By the context of the operation. */
  readonly #streams = new WeakMap<object, ResponseStream>()
  /** Contexts of several operations at a time. Whose a stream is cannot be told by them. */
  readonly #ambiguous = new WeakSet<object>()
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
          if (this.#isLast() && isObject(args.contextValue)) this.#keep(args.contextValue, stream)
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

  /** The stream of the one operation with this context, hooks and all, as Envelop gives it; once. */
  takeStream(context: object): ResponseStream | undefined {
    const stream = this.#streams.get(context)
    this.#streams.delete(context)
    return stream
  }

  #keep(context: object, stream: ResponseStream): void {
    if (this.#streams.delete(context)) this.#ambiguous.add(context)
    if (!this.#ambiguous.has(context)) this.#streams.set(context, stream)
  }

  #isLast(): boolean {
    return [...this.#lists].every((plugins) => plugins.at(-1) === this.#last)
  }

  /** Those before the last one: whoever stands behind it has put himself there, or was put there with a nested Envelop. */
  #replaceAll(plugins: AnyPlugin[]): void {
    this.#lists.add(plugins)
    for (const [index, plugin] of plugins.slice(0, plugins.indexOf(this.#last)).entries()) {
      if (plugin.onSubscribe === undefined || this.#replaced.has(plugin)) continue
      // Everything else about it stays its own, also what is called as a method of it from now on.
      const replacement = Object.create(plugin, {
        onSubscribe: { value: this.#capturing(plugin.onSubscribe), enumerable: true },
        ...methodsOf(plugin),
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

/** What Envelop, and Yoga, call as methods of a plugin after it was initialised. */
function methodsOf(plugin: object): PropertyDescriptorMap {
  const methods: PropertyDescriptorMap = {}
  for (const name of ['onSchemaChange', 'onYogaInit']) {
    const method: unknown = Reflect.get(plugin, name)
    if (typeof method === 'function') methods[name] = { value: method.bind(plugin) as unknown, enumerable: true }
  }
  return methods
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
