import type { IncomingMessage, ServerResponse } from 'node:http'
import { comment } from './events.ts'
import { onSocketClose } from './socket-close.ts'

/** How long a client that was told of the end may take to read it, in milliseconds. */
const FINISH_TIMEOUT_MS = 5000

const headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  'x-accel-buffering': 'no', // nginx would keep events back until it has some kilobytes of them
}

/** One response that is an event stream: what is written to it, and how much of that waits. */
export class EventStream {
  readonly #response: ServerResponse
  readonly #maxPendingBytes: number
  readonly #waiting = new Set<() => void>()
  #onClosed: (() => void) | undefined
  #isOver = false
  #cutOff: NodeJS.Timeout | undefined
  #dispatchedBytes = 0
  #stalledBeatCount = 0

  constructor(request: IncomingMessage, response: ServerResponse, maxPendingBytes: number) {
    this.#response = response
    this.#maxPendingBytes = maxPendingBytes
    const closed = (): void => {
      if (this.#isOver) return
      this.#isOver = true
      clearTimeout(this.#cutOff)
      unwatch()
      this.#wake()
      this.#onClosed?.()
    }
    // A response that waits behind another on its connection (pipelining) has no socket, and is told nothing.
    const unwatch = onSocketClose(request.socket, closed)
    response.once('close', closed)
    response.on('error', () => {}) // the connection broke: `close` follows
    response.on('drain', () => this.#wake())
    if (response.closed || response.destroyed || request.socket.destroyed) closed()
  }

  /** Nothing can be written any more, or everything has been read. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Calls the function, once, as soon as it is over. */
  whenOver(onClosed: () => void): void {
    if (this.#isOver) onClosed()
    else this.#onClosed = onClosed
  }

  /** Begins the response; some browsers do not tell of it before its body begins. */
  open(): void {
    if (this.#response.headersSent) return
    const isHttp1 = this.#response.req.httpVersionMajor < 2
    this.#response.writeHead(200, isHttp1 ? { ...headers, connection: 'keep-alive' } : headers)
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

  /** Resolves when the response is not full any more, or over. */
  async notFull(): Promise<void> {
    while (!this.#isOver && this.isFull()) await new Promise<void>((resolve) => this.#waiting.add(resolve))
  }

  /** Writes the last event. Who does not read it in 5 s is cut. */
  end(event: Uint8Array): void {
    this.open()
    this.#response.end(event)
    this.#cutOff = setTimeout(() => this.cut(), FINISH_TIMEOUT_MS).unref()
  }

  /** The connection is closed, whatever waits. */
  cut(): void {
    this.#response.destroy()
  }

  /** Keeps the connection open. A client that has taken nothing for two beats, although something waits, is cut. */
  beat(): void {
    if (!this.#response.headersSent) return
    const { socket, writableLength } = this.#response
    const dispatchedBytes = (socket?.bytesWritten ?? 0) - (socket?.writableLength ?? 0)
    const isMoving = writableLength === 0 || dispatchedBytes > this.#dispatchedBytes
    this.#dispatchedBytes = dispatchedBytes
    this.#stalledBeatCount = isMoving ? 0 : this.#stalledBeatCount + 1
    if (this.#stalledBeatCount >= 2) this.cut()
    else if (isMoving) this.write(comment)
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}
