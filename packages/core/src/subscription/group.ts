import type { SluiceError } from '../errors.ts'
import type { CompiledMatch } from '../channel/match.ts'
import type { EncodedResponse } from '../delivery/encoded-response.ts'
import type { OverflowPolicy } from '../delivery/overflow.ts'
import type { ErrorReporter } from '../error-reporter.ts'
import type { ExecutorObserver } from '../executor-observer.ts'
import { isPromise, type MaybePromise } from '../maybe-promise.ts'
import type { Counters } from '../counters.ts'
import { slowConsumer } from '../delivery/slow-consumer.ts'
import type { ChannelRoute } from '../routing/channel-route.ts'
import type { DispatchedEvent } from '../routing/dispatched-event.ts'
import type { EventReceiver } from '../routing/event-receiver.ts'
import { FifoQueue } from '../collections/fifo-queue.ts'
import { Multimap } from '../collections/multimap.ts'
import type { Scheduler, Task } from './scheduler.ts'

/** A subscription as its group sees it. */
export interface GroupMember {
  readonly userId: string | undefined
  /** When it was subscribed: `performance.now()`. */
  readonly subscribedAt: number
  /** Set by the group: the number of the last event that arrived before the member did. */
  joinedAt: number
  /** Takes a response. Called in the hot path: it does not wait. */
  deliver(response: EncodedResponse): void
  /** The next response is to say that some before it are missing. */
  signalGap(reason: string): void
  /** The server ends it: with `complete`, or with an error. */
  end(error?: SluiceError): void
}

/** Executes the group's operation for one event; `undefined` if the event is not for this group. */
export type GroupExecution = (event: DispatchedEvent) => MaybePromise<EncodedResponse | undefined>

export interface GroupOptions {
  /** Whose members they are. */
  readonly tenantId: string
  /** `undefined` if nobody can join. */
  readonly key: string | undefined
  readonly types: readonly string[] | undefined
  readonly match: CompiledMatch
  readonly schema: object
  readonly onGap: 'signal' | 'end'
  readonly execute: GroupExecution
}

/** What all groups of an executor use. */
export interface GroupServices {
  readonly scheduler: Scheduler
  readonly counters: Counters
  readonly report: ErrorReporter
  readonly maxPendingEvents: number
  readonly overflowPolicy: OverflowPolicy
}

interface PendingEvent {
  readonly event: DispatchedEvent
  /** Members who joined later do not get it. */
  readonly sequence: number
  /** Set if events before it are missing. */
  gap: Gap | undefined
}

interface Gap {
  readonly reason: string
  /** It concerns members who joined before the event of this number. */
  readonly sequence: number
}

interface Delivery {
  readonly response: EncodedResponse
  readonly event: DispatchedEvent
  readonly sequence: number
  readonly members: IterableIterator<GroupMember>
}

/**
 * Subscriptions that are executed together: an event is executed once and encoded once for all of them.
 *
 * Events are executed one after the other, in the order in which they arrived, also when resolvers are
 * asynchronous. Who gets an event is fixed when it arrives: members carry the number of the event after which
 * they joined and stand in that order, so that one comparison per member tells.
 */
export class Group implements EventReceiver, Task {
  readonly options: GroupOptions
  /** Those of its channels. */
  readonly routes: readonly ChannelRoute[]
  readonly #services: GroupServices
  readonly #members = new Set<GroupMember>()
  readonly #membersByUser = new Multimap<string, GroupMember>()
  readonly #pending = new FifoQueue<PendingEvent>()
  /** Those who have got nothing yet, for an observer who wants to know when they do. */
  readonly #awaitingFirst = new Set<GroupMember>()
  #sequence = 0
  #gap: Gap | undefined
  /** Scheduled, or executing, or delivering: whoever has it schedules the group again. */
  #busy = false
  #delivery: Delivery | undefined

  constructor(options: GroupOptions, routes: readonly ChannelRoute[], services: GroupServices) {
    this.options = options
    this.routes = routes
    this.#services = services
  }

  get tenantId(): string {
    return this.options.tenantId
  }

  get size(): number {
    return this.#members.size
  }

  /** Adds a member; it gets what arrives from now on. Tells whether it is the first one of its user. */
  add(member: GroupMember): boolean {
    member.joinedAt = this.#sequence
    this.#members.add(member)
    if (this.#services.counters.observer !== undefined) this.#awaitingFirst.add(member)
    const { userId } = member
    return userId !== undefined && this.#membersByUser.add(userId, member)
  }

  /** Removes a member; it gets nothing from now on. Tells whether it was the last one of its user. */
  remove(member: GroupMember): boolean {
    this.#members.delete(member)
    this.#awaitingFirst.delete(member)
    if (this.#members.size === 0) this.#forgetPending()
    const { userId } = member
    return userId !== undefined && this.#membersByUser.delete(userId, member)
  }

  /** Takes an event that is for this group. It is executed when the scheduler is flushed. */
  accept(event: DispatchedEvent): void {
    if (this.#pending.size >= this.#services.maxPendingEvents && !this.#makeRoom()) return
    this.#sequence += 1
    this.#pending.push({ event, sequence: this.#sequence, gap: this.#gap })
    this.#services.counters.queuedEvents += 1
    this.#gap = undefined
    if (this.#busy) return
    this.#busy = true
    this.#services.scheduler.schedule(this)
  }

  /** Events may be missing before the next one. */
  tellGap(reason: string): void {
    // The gap has a number of its own, for those who join after it have missed nothing.
    this.#sequence += 1
    this.#gap = { reason, sequence: this.#sequence }
  }

  /** Ends every member. Members leave by themselves. */
  end(error?: SluiceError): void {
    for (const member of [...this.#members]) this.#endMember(member, error)
  }

  /** @internal The scheduler's turn: goes on with a delivery, or executes the next event. */
  run(): PromiseLike<void> | undefined {
    if (this.#delivery !== undefined) {
      this.#deliver(this.#delivery)
      return undefined
    }
    const next = this.#takePending()
    if (next === undefined) {
      this.#busy = false
      return undefined
    }
    if (next.gap !== undefined) this.#signalGap(next.gap)
    const response = this.options.execute(next.event)
    if (isPromise(response)) return response.then((late) => this.#finish(next, late))
    this.#finish(next, response)
    return undefined
  }

  #finish(pending: PendingEvent, response: EncodedResponse | undefined): void {
    const { event, sequence } = pending
    const { userId } = event.event
    const isWanted = userId === undefined || this.#membersByUser.has(userId)
    if (response === undefined || !isWanted) return this.#goOn()
    const members = userId === undefined ? this.#members.values() : this.#membersByUser.values(userId)
    this.#deliver({ response, event, sequence, members })
  }

  /** A loop over very many members is left after a slice, and gone on with in the group's next turn. */
  #deliver(delivery: Delivery): void {
    const { counters, scheduler } = this.#services
    let count = 0
    for (const member of delivery.members) {
      if (member.joinedAt >= delivery.sequence) break // it, and all behind it, joined after the event
      this.#hand(delivery.response, member)
      count += 1
      if (count % 128 === 0 && scheduler.isSliceOver()) {
        counters.delivered += count
        this.#delivery = delivery
        scheduler.schedule(this)
        return
      }
    }
    counters.delivered += count
    this.#delivery = undefined
    if (counters.observer !== undefined) this.#observe(delivery, counters.observer)
    this.#goOn()
  }

  /** Once per event; the loops are over those who have got their first response, once in their lives. */
  #observe({ event: { event }, sequence }: Delivery, observer: ExecutorObserver): void {
    const { publishedAt, userId } = event
    // The publisher's clock may be ahead of ours.
    if (publishedAt !== undefined) observer.delivered?.(Math.max(0, Date.now() - publishedAt))
    if (this.#awaitingFirst.size === 0) return
    const now = performance.now()
    const reached = userId === undefined ? this.#awaitingFirst : this.#membersByUser.values(userId)
    for (const member of reached) {
      if (member.joinedAt >= sequence) break
      if (this.#awaitingFirst.delete(member)) observer.firstDelivered?.(now - member.subscribedAt)
    }
  }

  #hand(response: EncodedResponse, member: GroupMember): void {
    try {
      member.deliver(response)
    } catch (error) {
      this.#services.report(error)
      this.#endMember(member)
    }
  }

  /** A member whose transport throws is no reason for the others not to hear. */
  #endMember(member: GroupMember, error?: SluiceError): void {
    try {
      member.end(error)
    } catch (failure) {
      this.#services.report(failure)
    }
  }

  #goOn(): void {
    if (this.#pending.size > 0) this.#services.scheduler.schedule(this)
    else this.#busy = false
  }

  #takePending(): PendingEvent | undefined {
    const next = this.#pending.shift()
    if (next !== undefined) this.#services.counters.queuedEvents -= 1
    return next
  }

  #forgetPending(): void {
    this.#services.counters.queuedEvents -= this.#pending.size
    this.#pending.clear()
  }

  #signalGap(gap: Gap): void {
    for (const member of this.#members) {
      if (member.joinedAt < gap.sequence) member.signalGap(gap.reason)
    }
  }

  /** Too many events wait: the overflow policy, applied to the group. Tells whether the new event may come in. */
  #makeRoom(): boolean {
    const { counters, overflowPolicy } = this.#services
    counters.dropped += 1
    switch (overflowPolicy) {
      case 'disconnect':
        counters.countError('SLOW_CONSUMER')
        this.end(slowConsumer('its group could not execute events as fast as they arrived'))
        return false
      case 'dropNewest':
        counters.gaps += 1
        this.tellGap('overflow')
        return false
      case 'dropOldest': {
        counters.gaps += 1
        const dropped = this.#takePending() as PendingEvent
        const next = this.#pending.peek()
        const gap = { reason: 'overflow', sequence: dropped.sequence }
        if (next === undefined) this.#gap ??= gap
        else next.gap ??= gap
        return true
      }
    }
  }
}
