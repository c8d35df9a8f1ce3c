import { Buffer } from 'node:buffer'
import { WebSocket } from 'ws'
import { headerLengthOf, writeHeader } from './text-frame.ts'

/** What is used of the stream under a WebSocket: a `net.Socket`, or a `tls.TLSSocket`. */
export interface UnderlyingSocket {
  readonly writableNeedDrain: boolean
  cork(): void
  uncork(): void
  write(bytes: Uint8Array): boolean
  on(event: 'drain', listener: () => void): unknown
}

/**
 * Up to this size prefix and response are copied together, which is cheaper than writing two buffers; above it
 * all sockets write the one shared buffer. Measured by the ladder of the benchmark.
 */
const MAX_COPIED_BYTES = 2048

// Constants, so that nothing is allocated per message. `binary: false`, or a Buffer would be a binary message.
const wholeMessage = { binary: false } as const
const firstFragment = { binary: false, fin: false } as const
const lastFragment = { binary: false, fin: true } as const

/**
 * Writes the messages of one socket. What is written within one tick leaves in one system call, at the end
 * of that tick.
 */
export class SocketWriter {
  readonly #socket: WebSocket
  readonly #underlying: UnderlyingSocket | undefined
  readonly #maxPendingBytes: number
  readonly #compresses: boolean
  /** Where whole frames may be written, past ws. */
  readonly #frames: UnderlyingSocket | undefined
  readonly #waiting: Set<() => void> = new Set()
  #corked = false
  #listed = false
  #probing = false

  constructor(socket: WebSocket, underlying: UnderlyingSocket | undefined, maxPendingBytes: number) {
    this.#socket = socket
    this.#underlying = underlying
    this.#maxPendingBytes = maxPendingBytes
    this.#compresses = socket.extensions.includes('permessage-deflate')
    this.#frames = takesFrames(socket, underlying) ? underlying : undefined
    underlying?.on('drain', () => this.#wake())
    socket.once('close', () => this.#wake())
  }

  /** Sends a message that consists of the subscriber's own prefix and of bytes that all subscribers share. */
  write(prefix: Buffer, shared: Buffer): void {
    const socket = this.#socket
    if (socket.readyState !== socket.OPEN) return
    this.#cork()
    if (this.#frames !== undefined && sendsByWs(socket)) writeFrame(this.#frames, prefix, shared)
    else this.#send(prefix, shared)
  }

  /** Sends a message. */
  writeText(message: string): void {
    const socket = this.#socket
    if (socket.readyState !== socket.OPEN) return
    this.#cork()
    socket.send(message)
  }

  /**
   * Whether more waits in this process than the limit allows. Before it says so it lets the kernel take what
   * it can, so that a burst within a tick does not make a fast reader look slow.
   */
  isFull(): boolean {
    if (this.#socket.bufferedAmount <= this.#maxPendingBytes) return false
    this.uncork()
    return this.#socket.bufferedAmount > this.#maxPendingBytes
  }

  /** Resolves when the socket is not full any more, or closed. */
  async notFull(): Promise<void> {
    while (this.#socket.readyState === this.#socket.OPEN && this.isFull()) await this.#progress()
  }

  /** Lets go what was written in this tick. */
  uncork(): void {
    if (!this.#corked) return
    this.#corked = false
    this.#underlying?.uncork()
  }

  /** @internal Called at the end of the tick. */
  endTick(): void {
    this.#listed = false
    this.uncork()
  }

  /** By ws, which makes the frames, and compresses them. */
  #send(prefix: Buffer, shared: Buffer): void {
    const size = prefix.length + shared.length
    // A compressed message is bytes of its own anyway; and ws decides by the first fragment whether a message
    // is worth compressing.
    if (size <= MAX_COPIED_BYTES || this.#compresses) {
      const message = Buffer.allocUnsafe(size)
      prefix.copy(message)
      shared.copy(message, prefix.length)
      this.#socket.send(message, wholeMessage)
    } else {
      // Nothing can come between the two: both are handed over before anyone else runs, and ws keeps the order.
      this.#socket.send(prefix, firstFragment)
      this.#socket.send(shared, lastFragment)
    }
  }

  #cork(): void {
    if (this.#corked) return
    this.#corked = true
    this.#underlying?.cork()
    if (this.#listed) return
    this.#listed = true
    if (writtenThisTick.push(this) === 1) process.nextTick(endTick)
  }

  /** Resolves with the next sign that something left. */
  #progress(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.add(resolve)
      if (this.#underlying?.writableNeedDrain === true || this.#probing) return
      // No `drain` will come: what waits is in ws, which compresses it. An unsolicited pong, which the
      // protocol allows and clients ignore, is queued behind it and says when that has left.
      this.#probing = true
      this.#socket.pong('', false, () => {
        this.#probing = false
        this.#wake()
      })
    })
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}

/**
 * Whether whole frames may be written into the stream itself. It has to be the very stream into which ws writes, with
 * no extension that changes frames or keeps them back. Then ws does nothing but to write what it is given, so that what
 * is written past it comes in its place.
 */
function takesFrames(socket: WebSocket, underlying: UnderlyingSocket | undefined): boolean {
  const isItsStream = underlying !== undefined && Reflect.get(socket, '_socket') === underlying
  return isItsStream && socket.extensions === ''
}

/** That of ws, before anybody who watches messages replaces it. */
const sendOfWs: unknown = Reflect.get(WebSocket.prototype, 'send')

/** Whether nobody has put himself in the way of `send`, which may happen at any time. */
function sendsByWs(socket: WebSocket): boolean {
  return socket.send === sendOfWs
}

/** One frame, whatever its size. Corked, it is one system call. */
function writeFrame(stream: UnderlyingSocket, prefix: Buffer, shared: Buffer): void {
  const size = prefix.length + shared.length
  const headerLength = headerLengthOf(size)
  const isCopied = size <= MAX_COPIED_BYTES
  const frame = Buffer.allocUnsafe(headerLength + (isCopied ? size : prefix.length))
  writeHeader(frame, size)
  prefix.copy(frame, headerLength)
  if (isCopied) shared.copy(frame, headerLength + prefix.length)
  stream.write(frame)
  if (!isCopied) stream.write(shared)
}

// One list and one nextTick for all sockets of the process: a burst to a thousand sockets queues one callback.
let writtenThisTick: SocketWriter[] = []

function endTick(): void {
  const writers = writtenThisTick
  writtenThisTick = []
  for (const writer of writers) writer.endTick()
}
