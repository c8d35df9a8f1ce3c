/** What graphql-js takes for the value of a field without a resolver, before it calls it if it is a function. */
export function propertyOf(source: unknown, name: string): unknown {
  const hasProperties = (typeof source === 'object' && source !== null) || typeof source === 'function'
  return hasProperties ? Reflect.get(source, name) : undefined
}
