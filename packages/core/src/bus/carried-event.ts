import type { ChannelKey } from './channel-key.ts'
import { EncodedEvent } from './encoded-event.ts'
import type { BusEvent } from './event-bus.ts'

/**
 * The envelope that the memory bus keeps and hands out. Of an event from elsewhere it is a frozen copy, with a copy of
 * the bytes, so that nothing that the publisher does with its own afterwards reaches a listener or the history. (The
 * bytes are one array for all listeners. JavaScript cannot freeze it; the contract says not to write into it.) One
 * that was encoded in this process nobody can change, so it is carried as it is.
 */
export function carriedEvent(event: BusEvent, channel: ChannelKey): BusEvent {
  if (EncodedEvent.is(event)) return event
  const copy: Mutable<BusEvent> = {
    channel,
    type: event.type,
    // Not Buffer.from: a slice of Node's shared pool would keep the whole pool alive in the history.
    data: new Uint8Array(event.data),
    eventId: event.eventId,
    publishedAt: event.publishedAt,
  }
  if (event.userId !== undefined) copy.userId = event.userId
  if (event.headers !== undefined) copy.headers = Object.freeze({ ...event.headers })
  return Object.freeze(copy)
}

/** The length of an event's data in bytes, without making the bytes for it. */
export function dataBytesOf(event: BusEvent): number {
  return EncodedEvent.is(event) ? event.dataBytes : event.data.byteLength
}

/** Roughly what a kept event costs: its data, its strings at two bytes a character, and its objects. */
export function carriedBytes(event: BusEvent): number {
  let characters = event.type.length + event.eventId.length + (event.userId?.length ?? 0)
  if (event.headers !== undefined) {
    for (const [name, value] of Object.entries(event.headers)) characters += name.length + value.length
  }
  return keptDataBytes(event) + characters * 2 + objectBytes
}

/** A string of ASCII alone has one byte a character in memory, as it has in UTF-8; any other may have two. */
function keptDataBytes(event: BusEvent): number {
  if (!EncodedEvent.is(event)) return event.data.byteLength
  const { json, dataBytes } = event
  return json.length === dataBytes ? dataBytes : Math.max(dataBytes, json.length * 2)
}

/** The envelope, the notification, its position and its place in the ring, as measured on V8. */
const objectBytes = 512

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
