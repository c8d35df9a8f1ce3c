import { Link } from '../connection/link.ts'
import type { RedisConnection } from '../connection/redis-client.ts'
import { forbidden } from '../connection/commands.ts'
import { busError, failureKind, withoutCommand } from '../connection/reply-error.ts'
import type { WireListener } from './wire.ts'

export interface SubscriberLinkOptions {
  readonly open: () => RedisConnection
  readonly heartbeatMs: number
  /** SSUBSCRIBE instead of SUBSCRIBE: then all channels of one command have to be in one slot. */
  readonly isSharded: boolean
  readonly listener: WireListener
  /** {@link SubscriberLink.isUp} is another. */
  readonly onChange: () => void
  readonly onTrouble: (error: Error) => void
  /** A channel is elsewhere by now. */
  readonly onMoved?: () => void
}

interface Wanted {
  readonly name: string
  /** Channels of different groups are not subscribed to by one command. */
  readonly group: number
  state: 'waiting' | 'asked' | 'acknowledged'
}

/** Channels that one command asks for at most. */
const maxBatchCount = 256

/**
 * The channels of one connection. It does what `autoResubscribe` does not: whoever wants a channel is told when Redis has
 * acknowledged it, also after each reconnect. Opening and closing go out in the order in which they were asked for.
 */
export class SubscriberLink {
  readonly #options: SubscriberLinkOptions
  readonly #link: Link
  readonly #wanted = new Map<string, Wanted>()
  /** Those of {@link #wanted} that Redis is still to be asked for. */
  readonly #waiting = new Set<Wanted>()
  /** By name, with the group. */
  readonly #unwanted = new Map<string, number>()
  #isFlushing = false

  constructor(options: SubscriberLinkOptions) {
    this.#options = options
    this.#link = new Link({
      open: options.open,
      heartbeatMs: options.heartbeatMs,
      probe: (connection) => connection.ping(),
      onUp: (connection) => {
        this.#listen(connection)
        this.#flushSoon()
        options.onChange()
      },
      onDown: () => {
        this.#unwanted.clear()
        for (const wanted of this.#wanted.values()) {
          const wasKnown = wanted.state !== 'waiting'
          this.#wait(wanted)
          if (wasKnown) options.listener.onDetached(wanted.name)
        }
        options.onChange()
      },
      onTrouble: options.onTrouble,
    })
  }

  get isUp(): boolean {
    return this.#link.connection !== undefined
  }

  get channelCount(): number {
    return this.#wanted.size
  }

  start(): void {
    this.#link.start()
  }

  restart(reason: Error): void {
    this.#link.restart(reason)
  }

  stop(): Promise<void> {
    return this.#link.stop()
  }

  add(name: string, group: number): void {
    // If it is being given up it is asked for again, which Redis acknowledges all the same.
    this.#unwanted.delete(name)
    const known = this.#wanted.get(name)
    if (known !== undefined) this.#waiting.delete(known)
    const wanted: Wanted = { name, group, state: 'waiting' }
    this.#wanted.set(name, wanted)
    this.#wait(wanted)
    this.#flushSoon()
  }

  remove(name: string): void {
    const wanted = this.#wanted.get(name)
    if (wanted === undefined) return
    this.#wanted.delete(name)
    if (this.#waiting.delete(wanted)) return
    this.#unwanted.set(name, wanted.group)
    this.#flushSoon()
  }

  #wait(wanted: Wanted): void {
    wanted.state = 'waiting'
    this.#waiting.add(wanted)
  }

  #listen(connection: RedisConnection): void {
    const { listener, isSharded, onMoved } = this.#options
    connection.on(isSharded ? 'smessageBuffer' : 'messageBuffer', (channel: Buffer, payload: Buffer) => {
      if (this.#link.connection === connection) listener.onMessage(channel.toString(), payload)
    })
    connection.on('moved', () => onMoved?.())
  }

  /** Once per turn of the event loop, so that what is asked for at once goes out as one command. */
  #flushSoon(): void {
    if (this.#isFlushing || !this.isUp) return
    this.#isFlushing = true
    queueMicrotask(() => {
      this.#isFlushing = false
      const { connection } = this.#link
      if (connection !== undefined) this.#flush(connection)
    })
  }

  #flush(connection: RedisConnection): void {
    for (const names of batches([...this.#unwanted].map(([name, group]) => ({ name, group })))) {
      const command = this.#options.isSharded ? connection.sunsubscribe : connection.unsubscribe
      // If it fails the connection is gone, and the subscription with it.
      command.apply(connection, names).catch(() => undefined)
    }
    this.#unwanted.clear()
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wanted of waiting) {
      wanted.state = 'asked'
      this.#options.listener.onSubscribing(wanted.name)
    }
    const byName = new Map(waiting.map((wanted) => [wanted.name, wanted]))
    for (const names of batches(waiting)) {
      void this.#subscribe(
        connection,
        names.map((name) => byName.get(name) as Wanted),
      )
    }
  }

  async #subscribe(connection: RedisConnection, batch: readonly Wanted[]): Promise<void> {
    const command = this.#options.isSharded ? connection.ssubscribe : connection.subscribe
    try {
      await command.apply(
        connection,
        batch.map(({ name }) => name),
      )
    } catch (error) {
      if (this.#link.connection === connection) this.#failed(connection, batch, error)
      return
    }
    if (this.#link.connection !== connection) return
    for (const wanted of batch) {
      // Somebody may have removed it meanwhile, and added it again: then it is another one.
      if (this.#wanted.get(wanted.name) !== wanted) continue
      wanted.state = 'acknowledged'
      this.#options.listener.onAcknowledged(wanted.name)
    }
  }

  #failed(connection: RedisConnection, batch: readonly Wanted[], error: unknown): void {
    const kind = failureKind(error)
    if (kind === 'lost') return // told by the end of the connection
    if (kind === 'wait') {
      // The channels are elsewhere, or will be: whoever knows decides, and whatever is still here is asked for again.
      for (const wanted of batch) if (this.#wanted.get(wanted.name) === wanted) this.#wait(wanted)
      if (withoutCommand(error).message.startsWith('MOVED')) this.#options.onMoved?.()
      else this.#link.restart(withoutCommand(error))
      return
    }
    // One that may not be had spoils the command for all.
    if (batch.length > 1) {
      for (const wanted of batch) void this.#subscribe(connection, [wanted])
      return
    }
    const [wanted] = batch
    if (wanted === undefined || this.#wanted.get(wanted.name) !== wanted) return
    this.#wanted.delete(wanted.name)
    this.#options.listener.onRefused(
      wanted.name,
      kind === 'forbidden'
        ? forbidden(error)
        : busError('BUS_UNAVAILABLE', `Redis refused a subscription: ${withoutCommand(error).message}`, error),
    )
  }
}

/** The names in groups of one command each. */
function batches(channels: readonly { readonly name: string; readonly group: number }[]): string[][] {
  const byGroup = new Map<number, string[][]>()
  for (const { name, group } of channels) {
    let groups = byGroup.get(group)
    if (groups === undefined) byGroup.set(group, (groups = [[]]))
    let last = groups.at(-1) as string[]
    if (last.length >= maxBatchCount) groups.push((last = []))
    last.push(name)
  }
  return [...byGroup.values()].flat()
}
