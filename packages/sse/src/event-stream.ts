import type { IncomingMessage, ServerResponse } from 'node:http'
import { comment } from './events.ts'
import { onSocketClose } from './socket-close.ts'
import { takenBytes } from './taken-bytes.ts'

const headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  // It is one client's, whatever a cache in between goes by; and who compresses it keeps events back.
  'cache-control': 'private, no-store, no-transform',
  'x-accel-buffering': 'no', // nginx would keep events back until it has some kilobytes of them
}

/** One response that is an event stream: what is written to it, and how much of that waits. */
export class EventStream {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #maxPendingBytes: number
  readonly #waiting = new Set<() => void>()
  #onOver: (() => void) | undefined
  #isOver = false
  #isProbing = false
  #takenBytes = 0
  #stalledBeatCount = 0

  constructor(request: IncomingMessage, response: ServerResponse, maxPendingBytes: number) {
    this.#request = request
    this.#response = response
    this.#maxPendingBytes = maxPendingBytes
    const over = (): void => {
      if (this.#isOver) return
      this.#isOver = true
      unwatch()
      this.#wake()
      this.#onOver?.()
    }
    // A response that waits behind another on its connection (pipelining) has no socket, and is told nothing.
    const unwatch = onSocketClose(request.socket, over)
    response.once('close', over)
    response.on('error', () => {}) // the connection broke: `close` follows
    response.on('drain', () => this.#wake())
    if (response.closed || response.destroyed || request.socket.destroyed) over()
  }

  /** Nothing can be written any more, or everything has been read. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Calls the function, once, as soon as it is over. */
  whenOver(onOver: () => void): void {
    if (this.#isOver) onOver()
    else this.#onOver = onOver
  }

  /** Begins the response; some browsers do not tell of it before its body begins. */
  open(): void {
    if (this.#response.headersSent) return
    this.#response.writeHead(200, headers)
    this.#response.write(comment)
  }

  write(event: Uint8Array): void {
    this.#response.write(event)
  }

  /**
   * Whether more waits in this process than the limit allows. Before it says so it lets the kernel take what it can, so
   * that a burst within a tick does not make a fast reader look slow.
   */
  isFull(): boolean {
    if (this.#response.writableLength <= this.#maxPendingBytes) return false
    this.#response.socket?.uncork()
    return this.#response.writableLength > this.#maxPendingBytes
  }

  /** Resolves when the response is not full any more, or has ended, or is over. */
  async notFull(): Promise<void> {
    while (!this.#isOver && !this.#response.writableEnded && this.isFull()) await this.#progress()
  }

  /** Writes the last event. Who takes nothing of what still waits is cut, like everybody, by {@link beat}. */
  end(event: Uint8Array): void {
    this.open()
    this.#response.end(event)
  }

  /** Closes the connection, or over HTTP/2 the stream, whatever waits. */
  cut(): void {
    // Not by the response: one that waits behind another could not be closed, and would never be over.
    if (!this.#isOver) this.#request.socket.destroy()
  }

  /** Keeps the connection open. A client that has taken nothing for two beats, although something waits, is cut. */
  beat(): void {
    const { headersSent, socket, writableEnded, writableLength } = this.#response
    // What waits behind another response of its connection is not what its reader is late with.
    if (!headersSent || !socket) return
    const taken = takenBytes(socket)
    const isMoving = writableLength === 0 || taken > this.#takenBytes
    this.#takenBytes = taken
    this.#stalledBeatCount = isMoving ? 0 : this.#stalledBeatCount + 1
    if (this.#stalledBeatCount >= 2) this.cut()
    // After the end it would be an error, which over HTTP/2 takes the end away from its reader.
    else if (writableLength === 0 && !writableEnded) this.write(comment)
  }

  /** Resolves with the next sign that something left. */
  #progress(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.add(resolve)
      if (this.#response.writableNeedDrain || this.#isProbing) return
      // No `drain` will come: what waits is less than Node calls much. A comment behind it says when it has left.
      this.#isProbing = true
      this.#response.write(comment, () => {
        this.#isProbing = false
        this.#wake()
      })
    })
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}
