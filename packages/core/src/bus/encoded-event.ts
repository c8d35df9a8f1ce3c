import { Buffer } from 'node:buffer'
import type { ChannelKey } from './channel-key.ts'
import type { BusEvent } from './event-bus.ts'

/** What an {@link EncodedEvent} is made of: an event's envelope, and its data as JSON. */
export interface EncodedEventParts extends Pick<BusEvent, 'channel' | 'type' | 'eventId' | 'publishedAt'> {
  readonly json: string
  readonly userId: BusEvent['userId'] | undefined
  readonly headers: BusEvent['headers'] | undefined
}

/**
 * An event that was encoded in this process. Its data stays the string that JSON.stringify gave: whoever decodes it
 * here needs no bytes, and whoever carries it elsewhere asks for `data`, which is new bytes each time.
 *
 * So nothing can be written into it: it is frozen with its channel and its headers, which are copies, and nobody
 * else has the bytes that somebody got. A bus may keep it and hand it out as it is.
 */
export class EncodedEvent implements BusEvent {
  readonly channel: ChannelKey
  readonly type: string
  /** Bytes of the reader's own: made at every look. Take them once. */
  declare readonly data: Uint8Array
  declare readonly userId?: string
  readonly eventId: string
  readonly publishedAt: number
  declare readonly headers?: Readonly<Record<string, string>>
  readonly #json: string
  readonly #dataBytes: number

  constructor({ channel, type, json, userId, eventId, publishedAt, headers }: EncodedEventParts) {
    this.channel = Object.freeze({ tenantId: channel.tenantId, name: channel.name })
    this.type = type
    // Its own and not the prototype's, so that `{ ...event }`, as a bus round a bus writes it, has the bytes in it.
    Object.defineProperty(this, 'data', dataProperty)
    if (userId !== undefined) this.userId = userId
    this.eventId = eventId
    this.publishedAt = publishedAt
    if (headers !== undefined) this.headers = Object.freeze({ ...headers })
    this.#json = json
    this.#dataBytes = Buffer.byteLength(json)
    Object.freeze(this)
  }

  /** Whether an event is one of these; a copy of one, made property by property, is not. */
  static is(event: BusEvent): event is EncodedEvent {
    return #json in event
  }

  /** The data as JSON: what the bytes of `data` say. */
  get json(): string {
    return this.#json
  }

  /** The length of `data` in bytes, without making them. */
  get dataBytes(): number {
    return this.#dataBytes
  }
}

const encoder = new TextEncoder()

const dataProperty = {
  enumerable: true,
  get(this: EncodedEvent): Uint8Array {
    return encoder.encode(this.json)
  },
}
