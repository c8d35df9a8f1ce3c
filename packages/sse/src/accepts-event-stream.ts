/**
 * Whether an `accept` header lets the answer be an event stream. A client that says nothing of what it accepts is
 * given what this endpoint has.
 *
 * @see https://httpwg.org/specs/rfc9110.html#field.accept
 */
export function acceptsEventStream(accept: string | undefined): boolean {
  if (accept === undefined || accept.trim() === '') return true
  let best = { precision: -1, isAccepted: false }
  for (const range of accept.toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
    const precision = ['*/*', 'text/*', 'text/event-stream'].indexOf(type)
    if (precision <= best.precision) continue
    best = { precision, isAccepted: !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter)) }
  }
  return best.isAccepted
}
