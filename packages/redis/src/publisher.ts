import { randomBytes } from 'node:crypto'
import type { BusEvent, PublishReceipt } from '@sluice/core'
import { closed, type Commands, forbidden } from './connection/commands.ts'
import { busError, failureKind, withoutCommand } from './connection/reply-error.ts'
import { formatPosition, parseEntryId } from './cursor.ts'
import { encodeEnvelope } from './envelope.ts'
import { channelNames, eventIdKey, type KeySpace } from './keys.ts'
import type { RedisBusLimits } from './redis-bus-options.ts'
import { publishScript } from './scripts/publish-script.ts'

interface Pending {
  readonly keys: readonly string[]
  readonly args: readonly (string | number | Uint8Array)[]
  readonly bytes: number
  /** By the clock of {@link performance}. */
  readonly deadline: number
  readonly resolve: (receipt: PublishReceipt) => void
  readonly reject: (error: Error) => void
  /** Whether it is on its way, on the connection that is up. */
  isSent: boolean
  /** Whether it may have been executed on a connection that broke. */
  isUncertain: boolean
  /** Why it was not taken yet. */
  failure: unknown
}

/** How long a server that will be able to take an event has until it is sent again. */
const retryDelayMs = 100

/**
 * Publishes, within limits: so many events and bytes wait for the server at most, each for so long at most.
 *
 * An event whose reply was lost is sent again, in the order of publishing, on the next connection: its id is remembered by
 * the server, so it is published once. What could not be settled in time is BUS_UNAVAILABLE if it was never sent, and else
 * BUS_OUTCOME_UNKNOWN.
 */
export class Publisher {
  readonly #commands: Commands
  readonly #space: KeySpace
  readonly #limits: RedisBusLimits
  readonly #command: 'PUBLISH' | 'SPUBLISH'
  /** In the order of publishing, which is the order of their deadlines too. */
  readonly #pending = new Set<Pending>()
  readonly #settled = new Set<Promise<unknown>>()
  /** What is pending, and what is settled by its time limit but still on its way: it is in memory all the same. */
  #heldCount = 0
  #heldBytes = 0
  #timer: NodeJS.Timeout | undefined
  #retryTimer: NodeJS.Timeout | undefined

  constructor(commands: Commands, space: KeySpace, limits: RedisBusLimits, command: 'PUBLISH' | 'SPUBLISH') {
    this.#commands = commands
    this.#space = space
    this.#limits = limits
    this.#command = command
  }

  /** Events that are in memory. */
  get heldCount(): number {
    return this.#heldCount
  }

  publish(event: BusEvent): Promise<PublishReceipt> {
    const { maxPayloadBytes, maxPendingPublishes, maxPendingBytes, publishTimeoutMs } = this.#limits
    // Asked for once: what core has encoded makes its bytes when they are asked for.
    const { data } = event
    const { byteLength } = data
    if (byteLength > maxPayloadBytes) {
      return Promise.reject(
        busError(
          'EVENT_TOO_LARGE',
          `the event has ${byteLength} bytes of data, more than ${maxPayloadBytes}; publish less or raise maxPayloadBytes`,
        ),
      )
    }
    if (this.#heldCount >= maxPendingPublishes || this.#heldBytes + byteLength > maxPendingBytes) {
      return Promise.reject(
        busError(
          'BUS_UNAVAILABLE',
          `${this.#heldCount} events with ${this.#heldBytes} bytes wait to be published; publish slower, or raise maxPendingPublishes or maxPendingBytes`,
        ),
      )
    }
    const settled = new Promise<PublishReceipt>((resolve, reject) => {
      const pending: Pending = {
        ...this.#call(event, data),
        bytes: byteLength,
        deadline: performance.now() + publishTimeoutMs,
        resolve,
        reject,
        isSent: false,
        isUncertain: false,
        failure: undefined,
      }
      this.#pending.add(pending)
      this.#heldCount += 1
      this.#heldBytes += byteLength
      this.#timer ??= setTimeout(() => this.#expire(), publishTimeoutMs)
      if (this.#commands.isUp) this.#send(pending)
    })
    this.#settled.add(settled)
    const forget = (): void => void this.#settled.delete(settled)
    settled.then(forget, forget)
    return settled
  }

  /** There is a connection: sends what waits. */
  connected(): void {
    for (const pending of this.#pending) if (!pending.isSent) this.#send(pending)
  }

  /** Resolves when everything that is pending now has settled. */
  async drain(): Promise<void> {
    await Promise.allSettled(this.#settled)
  }

  /** Settles everything that is pending, as BUS_CLOSED or BUS_OUTCOME_UNKNOWN. */
  close(): void {
    clearTimeout(this.#timer)
    clearTimeout(this.#retryTimer)
    for (const pending of this.#pending) {
      const isUncertain = pending.isSent || pending.isUncertain
      this.#reject(pending, isUncertain ? outcomeUnknown('the bus was closed before the reply came') : closed())
    }
  }

  #call(event: BusEvent, data: Uint8Array): Pick<Pending, 'keys' | 'args'> {
    const { history, recordTtlMs, dedupWindowMs } = this.#limits
    const { partition, meta, stream, wire } = channelNames(this.#space, event.channel)
    const keys = [meta, stream]
    if (dedupWindowMs > 0) keys.push(eventIdKey(this.#space, event.channel, event.eventId, partition))
    return {
      keys,
      args: [
        newEpoch(),
        encodeEnvelope(event),
        // A copy: the publisher may reuse its own array once `publish` has returned.
        Buffer.from(data),
        history.maxCount,
        Number.isFinite(history.maxAgeMs) ? history.maxAgeMs : 0,
        recordTtlMs,
        dedupWindowMs,
        this.#command,
        wire,
      ],
    }
  }

  #send(pending: Pending): void {
    pending.isSent = true
    this.#commands.run(publishScript, pending.keys, pending.args).then(
      (reply) => this.#replied(pending, reply),
      (error: unknown) => this.#failed(pending, error),
    )
  }

  #failed(pending: Pending, error: unknown): void {
    pending.isSent = false
    if (!this.#pending.has(pending)) {
      this.#release(pending)
      return
    }
    pending.failure = error
    const kind = failureKind(error)
    if (kind === 'lost') {
      pending.isUncertain = true
      // Without its id being remembered it might be published twice.
      if (this.#limits.dedupWindowMs === 0) this.#reject(pending, outcomeUnknown('the connection broke', error))
      else this.#retrySoon()
    } else if (kind === 'wait') {
      if (/^READONLY|read only replica/i.test(withoutCommand(error).message)) {
        this.#commands.restart(new Error('the server became a replica'))
      }
      this.#retrySoon()
    } else if (pending.isUncertain || kind === 'unknown') {
      this.#reject(pending, outcomeUnknown(withoutCommand(error).message, error))
    } else if (kind === 'forbidden') {
      this.#reject(pending, forbidden(error))
    } else {
      const { message } = withoutCommand(error)
      this.#reject(pending, busError('BUS_UNAVAILABLE', `Redis refused the event: ${message}`, error))
    }
  }

  /** If the connection is gone {@link connected} is called before. Everything at once, so that the order stays. */
  #retrySoon(): void {
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = undefined
      if (this.#commands.isUp) this.connected()
    }, retryDelayMs)
  }

  #replied(pending: Pending, reply: unknown): void {
    pending.isSent = false
    if (!this.#pending.has(pending)) {
      this.#release(pending)
      return
    }
    this.#remove(pending)
    const [isKnown, where] = reply as [number, Buffer]
    const [epoch = '', id = ''] = where.toString().split(' ')
    pending.resolve({
      position: formatPosition({ epoch, ...parseEntryId(id), isBefore: false }),
      duplicate: isKnown === 1,
    })
  }

  #reject(pending: Pending, error: Error): void {
    this.#remove(pending)
    pending.reject(error)
  }

  #remove(pending: Pending): void {
    this.#pending.delete(pending)
    if (!pending.isSent) this.#release(pending)
    if (this.#pending.size > 0) return
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #release(pending: Pending): void {
    this.#heldCount -= 1
    this.#heldBytes -= pending.bytes
  }

  #expire(): void {
    this.#timer = undefined
    const now = performance.now()
    const { publishTimeoutMs } = this.#limits
    for (const pending of this.#pending) {
      if (pending.deadline > now) {
        this.#timer = setTimeout(() => this.#expire(), pending.deadline - now)
        return
      }
      const isUncertain = pending.isSent || pending.isUncertain
      this.#reject(
        pending,
        isUncertain
          ? outcomeUnknown(`no reply came within ${publishTimeoutMs} ms`, pending.failure)
          : busError('BUS_UNAVAILABLE', `Redis did not take the event within ${publishTimeoutMs} ms`, pending.failure),
      )
    }
  }
}

/** A new epoch, in case the channel has none: 24 hexadecimal digits. */
export function newEpoch(): string {
  return randomBytes(12).toString('hex')
}

function outcomeUnknown(why: string, cause?: unknown): Error {
  return busError('BUS_OUTCOME_UNKNOWN', `${why}; publish again with the same eventId`, cause)
}
