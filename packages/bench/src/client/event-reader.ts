import { Buffer } from 'node:buffer'

/** What arrives on an event stream. The buffers are valid during the call only. */
export interface EventHandlers {
  next(data: Buffer): void
  /** Any other event that has a name. */
  other(event: string): void
}

const NOTHING = Buffer.alloc(0)
const EVENT_END = '\n\n'
const NEXT = Buffer.from('event: next\ndata: ')

/** Reads server-sent events as GraphQL servers write them: lines end with a line feed, and data is one line. */
export class EventReader {
  readonly #handlers: EventHandlers
  #rest: Buffer = NOTHING

  constructor(handlers: EventHandlers) {
    this.#handlers = handlers
  }

  /** Takes what arrived; it may be reused after the call. */
  push(chunk: Buffer): void {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let offset = 0
    for (;;) {
      const end = data.indexOf(EVENT_END, offset)
      if (end === -1) break
      this.#take(data.subarray(offset, end))
      offset = end + EVENT_END.length
    }
    this.#rest = offset === data.length ? NOTHING : Buffer.from(data.subarray(offset))
  }

  #take(event: Buffer): void {
    if (event.length > NEXT.length && NEXT.compare(event, 0, NEXT.length) === 0) {
      const data = event.subarray(NEXT.length)
      if (!data.includes('\n')) return this.#handlers.next(data)
    }
    const lines = event.toString().split('\n')
    const name = lines.find((line) => line.startsWith('event:'))
    if (name !== undefined) this.#handlers.other(`${name.slice('event:'.length).trim()}: ${event.toString()}`)
    else if (lines.some((line) => !line.startsWith(':') && line !== '')) this.#handlers.other(event.toString())
  }
}
