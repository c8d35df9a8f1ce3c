/** Whether graphql-js awaits it: anything that has a method `then`. */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  if (value === null || value === undefined) return false
  return typeof (value as { readonly then?: unknown }).then === 'function'
}

/** For a promise that graphql-js will ask for anew: it hears of a rejection then. */
export function ignore(promise: PromiseLike<unknown>): void {
  promise.then(undefined, () => undefined)
}
