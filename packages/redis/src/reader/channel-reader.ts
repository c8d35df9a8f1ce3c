import type { GapReason } from '@sluice/core'
import { type Cursor, isSamePlace, lastOffset } from '../cursor.ts'
import type { Entry, Frame } from '../entry.ts'
import { FrameBuffer, type FrameBufferLimits } from './frame-buffer.ts'
import { cursorAtTop, type Page, type Top } from './page.ts'

/**
 * Where a reader is on its way to the wire.
 *
 * - `detached`: no wire. What it knows is its cursor.
 * - `subscribing`: the wire was asked for the channel.
 * - `buffering`: Redis acknowledged. Frames are kept while it asks where the channel is.
 * - `replaying`: the stream is read from the cursor on. Frames are kept.
 * - `live`: the frames are the events.
 */
export type ReaderState = 'detached' | 'subscribing' | 'buffering' | 'replaying' | 'live'

/** What a reader needs from others. Before it returns it may call the reader's `end`, and `becameLive` its `replay`; no more. */
export interface ReaderPorts {
  /** Where is the channel? Answered with {@link ChannelReader.takeTop}. */
  askTop(): void
  /** What comes after the cursor? Answered with {@link ChannelReader.takePage} and the same ticket. */
  askPage(cursor: Cursor, ticket: number): void
  /** The next event of the channel, without a hole since the one before. `cursor` is right after it. */
  tellEvent(entry: Entry, cursor: Cursor): void
  /** Events may be missing before the next one. `cursor` is where it goes on, `before` where it was. */
  tellGap(reason: GapReason, cursor: Cursor, before: Cursor): void
  /** The reader became `live`. */
  becameLive(): void
}

/**
 * Reads one channel: makes of a wire that drops, repeats, reorders and delays, and of a stream that can be asked at any
 * time, one sequence without a hole, or with a gap that is told.
 *
 * It is a state machine without I/O. Replay and live never move the cursor at the same time: in `replaying` only pages do, in
 * `live` only frames. A frame is the next one if its offset follows *and* it names the time of the entry that the
 * reader has as its predecessor's; whatever else comes, but for plain repetitions, sends the reader to the stream, which
 * is the truth.
 */
export class ChannelReader {
  readonly #ports: ReaderPorts
  readonly #buffer: FrameBuffer
  #state: ReaderState = 'detached'
  #cursor: Cursor | undefined
  /** Answers to what was asked before are of no interest any more. */
  #ticket = 0

  /** @param cursor where to begin; `undefined`: where the channel is when it is first asked */
  constructor(ports: ReaderPorts, limits: FrameBufferLimits, cursor?: Cursor) {
    this.#ports = ports
    this.#buffer = new FrameBuffer(limits)
    this.#cursor = cursor
  }

  get state(): ReaderState {
    return this.#state
  }

  /** The place after the last event that was told. */
  get cursor(): Cursor | undefined {
    return this.#cursor
  }

  /** The wire is being asked for the channel. */
  subscribing(): void {
    this.#leave('subscribing')
  }

  /** The wire has the channel from now on. */
  acknowledged(): void {
    this.#leave('buffering')
    this.#ports.askTop()
  }

  /** The wire is gone. */
  detached(): void {
    this.#leave('detached')
  }

  /** Nobody wants it any more: it tells nothing from here on. */
  end(): void {
    this.#leave('detached')
  }

  /** Where the channel was at some time after the question. */
  takeTop(top: Top): void {
    this.#cursor ??= cursorAtTop(top)
    if (this.#state !== 'buffering') return
    if (isSamePlace(this.#cursor, cursorAtTop(top))) this.#goLive()
    else this.replay()
  }

  /**
   * Compares with where the channel was after `asked` was the cursor: the way to notice that the last message was lost, or that
   * the history is another, when nothing else comes.
   */
  check(top: Top, asked: Cursor): void {
    const cursor = this.#cursor
    if (this.#state !== 'live' || cursor === undefined) return
    const isBehind = cursor.epoch === top.epoch && lastOffset(cursor) < top.offset
    const hasOtherHistory =
      asked.epoch !== top.epoch ||
      lastOffset(asked) > top.offset ||
      (!asked.isBefore && asked.offset === top.offset && asked.ms !== top.ms)
    if (isBehind || (hasOtherHistory && asked.epoch === cursor.epoch)) this.replay()
  }

  /** Goes to the stream, whatever the wire says. */
  replay(): void {
    if (this.#state !== 'buffering' && this.#state !== 'live') return
    this.#state = 'replaying'
    this.#askPage()
  }

  /** What came over the wire. */
  takeFrame(frame: Frame): void {
    if (this.#state === 'live') this.#tellFrame(frame)
    else if (this.#state === 'buffering' || this.#state === 'replaying') this.#buffer.add(frame)
  }

  /** The answer to the question with this ticket. */
  takePage(ticket: number, page: Page): void {
    if (this.#state !== 'replaying' || ticket !== this.#ticket) return
    let gap = page.gap
    for (const entry of page.entries) {
      // A hole within a page: somebody deleted from the stream. It is a gap like any other.
      if (gap === undefined && entry.offset !== lastOffset(this.#known) + 1) gap = 'trimmed'
      if (gap !== undefined) this.#tellGap(gap, { ...entry, isBefore: true })
      gap = undefined
      if (ticket !== this.#ticket) return
      this.#tellEvent(entry)
      if (ticket !== this.#ticket) return
    }
    if (page.hasMore) {
      this.#askPage()
      return
    }
    const end = cursorAtTop(page.top)
    // Nothing is left of the newest entries: they expired, or were deleted.
    if (gap === undefined && lastOffset(this.#known) < end.offset) gap = 'trimmed'
    if (gap !== undefined) this.#tellGap(gap, end)
    if (ticket === this.#ticket) this.#goLive()
  }

  get #known(): Cursor {
    return this.#cursor as Cursor
  }

  /** From the stream to the wire: what was kept comes first. */
  #goLive(): void {
    if (this.#buffer.hasOverflown) {
      this.#state = 'replaying'
      this.#askPage()
      return
    }
    this.#state = 'live'
    const ticket = this.#ticket
    for (const frame of this.#buffer.take()) {
      this.#tellFrame(frame)
      // It went back to the stream, which has the others too.
      if (this.#state !== 'live' || ticket !== this.#ticket) return
    }
    this.#ports.becameLive()
  }

  #tellFrame(frame: Frame): void {
    const cursor = this.#known
    if (follows(cursor, frame)) {
      this.#tellEvent(frame)
      return
    }
    // A repetition. What claims an old offset but a later time is none: the history is another.
    const isOld = frame.epoch === cursor.epoch && frame.offset <= lastOffset(cursor)
    const isSame = frame.offset === cursor.offset ? frame.ms === cursor.ms : frame.ms <= cursor.ms
    if (isOld && isSame) return
    this.replay()
  }

  #tellEvent(entry: Entry): void {
    const { epoch, ms, offset } = entry
    this.#cursor = { epoch, ms, offset, isBefore: false }
    this.#ports.tellEvent(entry, this.#cursor)
  }

  #tellGap(reason: GapReason, { epoch, ms, offset, isBefore }: Cursor): void {
    // Before the first entry of all there is a better name: it needs no anchor.
    const isStart = isBefore && offset === 1
    const before = this.#known
    this.#cursor = isStart ? { epoch, ms: 0, offset: 0, isBefore: false } : { epoch, ms, offset, isBefore }
    this.#ports.tellGap(reason, this.#cursor, before)
  }

  /** Questions under way are given up, and what was kept is of no use. */
  #leave(state: ReaderState): void {
    this.#state = state
    this.#ticket += 1
    this.#buffer.clear()
  }

  /** What is in the buffer stays: a page is at least as new as the question. */
  #askPage(): void {
    if (this.#buffer.hasOverflown) this.#buffer.clear()
    this.#ticket += 1
    this.#ports.askPage(this.#known, this.#ticket)
  }
}

/** Whether a frame is the next entry after a cursor, of the same history. */
function follows(cursor: Cursor, frame: Frame): boolean {
  if (frame.epoch !== cursor.epoch) return false
  if (cursor.isBefore) return frame.offset === cursor.offset && frame.ms === cursor.ms
  return frame.offset === cursor.offset + 1 && frame.previousMs === cursor.ms
}
