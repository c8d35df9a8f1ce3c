import type { BusEvent, BusNotification } from '../bus/event-bus.ts'
import { type ChannelKey, isSameChannel, SHARED } from '../bus/channel-key.ts'
import { decodeEvent, type PublishedEvent } from '../bus/published-event.ts'
import { satisfies } from '../channel/match.ts'
import { Multimap } from '../collections/multimap.ts'
import type { ErrorReporter } from '../error-reporter.ts'
import { SluiceError } from '../errors.ts'
import type { Counters } from '../counters.ts'
import { DispatchedEvent } from './dispatched-event.ts'
import type { EventReceiver } from './event-receiver.ts'
import { MatchIndex } from './match-index.ts'

export interface RouteServices {
  readonly counters: Counters
  readonly report: ErrorReporter
  /** Executes what the receivers have accepted, as far as there is time. */
  readonly scheduler: { flush(): void }
}

/**
 * Who may receive an event of one channel. The groups on the channel are found by look-ups: by the event's type
 * and the values that they match, or, for an event that is for one user, by the user.
 */
export class ChannelRoute {
  readonly key: ChannelKey
  readonly #services: RouteServices
  readonly #groups = new Set<EventReceiver>()
  /** By type; those who take every type are under `undefined`. */
  readonly #byType = new Map<string | undefined, MatchIndex<EventReceiver>>()
  readonly #byUser = new Multimap<string, EventReceiver>()

  constructor(key: ChannelKey, services: RouteServices) {
    this.key = key
    this.#services = services
  }

  add(group: EventReceiver): void {
    this.#groups.add(group)
    for (const type of group.options.types ?? [undefined]) {
      let index = this.#byType.get(type)
      if (index === undefined) {
        index = new MatchIndex()
        this.#byType.set(type, index)
      }
      index.add(group.options.match, group)
    }
  }

  remove(group: EventReceiver): void {
    this.#groups.delete(group)
    for (const type of group.options.types ?? [undefined]) {
      const index = this.#byType.get(type)
      index?.delete(group.options.match, group)
      if (index?.isEmpty()) this.#byType.delete(type)
    }
  }

  /** The group has members of this user now. */
  addUser(userId: string, group: EventReceiver): void {
    this.#byUser.add(userId, group)
  }

  removeUser(userId: string, group: EventReceiver): void {
    this.#byUser.delete(userId, group)
  }

  /** The bus's listener: called synchronously, in the order of the channel. Never throws. */
  readonly listen = (notification: BusNotification): void => {
    try {
      if (notification.kind === 'event') this.#dispatch(notification.event)
      else if (notification.kind === 'gap') this.#tellGap(notification.reason)
      else if (notification.kind === 'status' && notification.status === 'closed') this.#end()
    } catch (error) {
      this.#services.report(error) // the bus broke its contract; the other channels go on
    }
  }

  #dispatch(busEvent: BusEvent): void {
    const { counters, report, scheduler } = this.#services
    counters.received += 1
    const groupCount = this.#groups.size
    if (groupCount === 0) return
    if (!isSameChannel(busEvent.channel, this.key)) {
      counters.rejectedTenant += groupCount
      report(
        new SluiceError(
          'FORBIDDEN',
          '[bus] an event of another channel was delivered to a subscription; it was refused.',
        ),
      )
      return
    }
    if (busEvent.userId !== undefined && this.key.tenantId === SHARED) {
      // The same user id at two tenants is two users.
      counters.rejectedUser += groupCount
      report(
        new SluiceError(
          'BAD_EVENT',
          '[bus] an event for one user came on a channel that all tenants share; it was refused.',
        ),
      )
      return
    }
    const event = this.#decode(busEvent)
    if (event === undefined) return
    if (event.userId === undefined) this.#acceptByMatch(event)
    else this.#acceptByUser(event, event.userId)
    scheduler.flush()
  }

  #acceptByMatch(event: PublishedEvent): void {
    const { counters } = this.#services
    const anyType = this.#byType.get(undefined)
    const itsType = this.#byType.get(event.type)
    // Before they are told: a group that is overrun by the event ends, and is none that it was kept from.
    const groupCount = this.#groups.size
    const ofType = (anyType?.size ?? 0) + (itsType?.size ?? 0)
    counters.passed += groupCount
    counters.filteredByType += groupCount - ofType
    let found = 0
    let dispatched: DispatchedEvent | undefined
    const accept = (group: EventReceiver) => {
      dispatched ??= new DispatchedEvent(event)
      group.accept(dispatched)
      found += 1
    }
    anyType?.find(event.data, accept)
    itsType?.find(event.data, accept)
    counters.filteredByMatch += ofType - found
  }

  #acceptByUser(event: PublishedEvent, userId: string): void {
    const { counters } = this.#services
    const candidates = this.#byUser.count(userId)
    counters.passed += candidates
    counters.rejectedUser += this.#groups.size - candidates
    counters.filteredByUser += this.#groups.size - candidates
    if (candidates === 0) return
    const dispatched = new DispatchedEvent(event)
    for (const group of this.#byUser.values(userId)) {
      const { types, match } = group.options
      if (types?.includes(event.type as string) === false) counters.filteredByType += 1
      else if (!satisfies(event.data, match)) counters.filteredByMatch += 1
      else group.accept(dispatched)
    }
  }

  #decode(busEvent: BusEvent): PublishedEvent | undefined {
    try {
      return decodeEvent(busEvent)
    } catch (cause) {
      this.#services.counters.dropped += 1
      this.#services.report(
        new SluiceError(
          'BAD_EVENT',
          '[bus] an event whose data is not JSON was dropped. Publish it with executor.publish.',
          { cause },
        ),
      )
      return undefined
    }
  }

  #tellGap(reason: string): void {
    const { counters, report } = this.#services
    counters.gaps += 1
    const error = new SluiceError(
      'HISTORY_GAP',
      `Events may be missing: the bus cannot give its history whole (${reason}).`,
    )
    report(error)
    for (const group of [...this.#groups]) {
      if (group.options.onGap === 'end') group.end(error)
      else group.tellGap(reason)
    }
  }

  /** Nothing will ever come again: whoever waits has to know. */
  #end(): void {
    const error = new SluiceError('BUS_CLOSED', 'The bus was closed. Subscribe again, elsewhere.')
    for (const group of [...this.#groups]) group.end(error)
  }
}
