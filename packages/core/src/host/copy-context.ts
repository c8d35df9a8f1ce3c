/**
 * A shallow copy of a context, with its prototype. An own property called `__proto__`, which JSON of a client can bring into an
 * object, is left out: to whoever copies it further with `Object.assign` it would be the prototype.
 */
export function copyContext<TContext extends object>(given: TContext): TContext {
  const { ['__proto__']: _, ...descriptors } = Object.getOwnPropertyDescriptors(given) as PropertyDescriptorMap
  return Object.create(Object.getPrototypeOf(given) as object | null, descriptors) as TContext
}
