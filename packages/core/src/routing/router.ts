import { type ChannelKey, encodeChannelKey } from '../bus/channel-key.ts'
import { refusedByBus } from '../bus/refused-by-bus.ts'
import type { BusSubscription, EventBus } from '../bus/event-bus.ts'
import { SluiceError } from '../errors.ts'
import { withTimeLimit } from '../time-limit.ts'
import { ChannelRoute, type RouteServices } from './channel-route.ts'

/** A right to the routes of some channels, which are open as long as somebody has one. */
export interface RouteLease {
  readonly routes: readonly ChannelRoute[]
  /** Gives it up; the last one on a channel ends the subscription at the bus. Idempotent. */
  release(): void
}

interface OpenRoute {
  readonly route: ChannelRoute
  readonly opening: AbortController
  /** Resolved when the bus acknowledged; `undefined` from then on. */
  ready: Promise<void> | undefined
  subscription: BusSubscription | undefined
  leaseCount: number
}

/** One subscription at the bus per channel, whatever the number of groups. */
export class Router {
  readonly #bus: EventBus
  readonly #services: RouteServices
  readonly #subscribeTimeoutMs: number
  readonly #routes = new Map<string, OpenRoute>()
  /** Subscriptions at the bus that are being closed. */
  readonly #closing = new Set<Promise<void>>()

  constructor(bus: EventBus, services: RouteServices, subscribeTimeoutMs: number) {
    this.#bus = bus
    this.#services = services
    this.#subscribeTimeoutMs = subscribeTimeoutMs
  }

  get channelCount(): number {
    return this.#routes.size
  }

  /**
   * Resolves when the bus has acknowledged all channels.
   *
   * @throws SluiceError BUS_UNAVAILABLE after `subscribeTimeoutMs`, and what the bus throws.
   */
  async acquire(channels: readonly ChannelKey[]): Promise<RouteLease> {
    const names = channels.map(encodeChannelKey)
    const opened = channels.map((channel, index) => this.#open(names[index] as string, channel))
    const lease = this.#lease(names, opened)
    const pending = opened.flatMap(({ ready }) => (ready === undefined ? [] : [ready]))
    if (pending.length === 0) return lease
    try {
      await withTimeLimit(Promise.all(pending), this.#subscribeTimeoutMs, () => {
        throw new SluiceError(
          'BUS_UNAVAILABLE',
          `The bus did not acknowledge the subscription within ${this.#subscribeTimeoutMs} ms.`,
        )
      })
      return lease
    } catch (error) {
      lease.release()
      throw error
    }
  }

  /** Resolves when nothing is being closed any more. */
  async closed(): Promise<void> {
    await Promise.all(this.#closing)
  }

  #open(name: string, channel: ChannelKey): OpenRoute {
    const known = this.#routes.get(name)
    if (known !== undefined) {
      known.leaseCount += 1
      return known
    }
    const route = new ChannelRoute(channel, this.#services)
    const opened: OpenRoute = {
      route,
      opening: new AbortController(),
      ready: undefined,
      subscription: undefined,
      leaseCount: 1,
    }
    this.#routes.set(name, opened)
    opened.ready = this.#subscribe(name, opened)
    // Whoever acquires it hears of a failure; it is not unhandled when they have given up.
    opened.ready.catch(() => undefined)
    return opened
  }

  async #subscribe(name: string, opened: OpenRoute): Promise<void> {
    const { route, opening } = opened
    try {
      const subscription = await this.#bus.subscribe(route.key, { from: 'live', signal: opening.signal }, route.listen)
      opened.ready = undefined
      if (opened.leaseCount === 0) this.#close(subscription)
      else opened.subscription = subscription
    } catch (cause) {
      // The next one tries anew.
      if (this.#routes.get(name) === opened) this.#routes.delete(name)
      throw cause instanceof SluiceError
        ? refusedByBus(cause)
        : new SluiceError('BUS_UNAVAILABLE', 'The bus refused the subscription.', { cause })
    }
  }

  #lease(names: readonly string[], opened: readonly OpenRoute[]): RouteLease {
    let held = true
    return {
      routes: opened.map(({ route }) => route),
      release: () => {
        if (!held) return
        held = false
        opened.forEach((one, index) => this.#giveUp(names[index] as string, one))
      },
    }
  }

  #giveUp(name: string, opened: OpenRoute): void {
    opened.leaseCount -= 1
    if (opened.leaseCount > 0) return
    if (this.#routes.get(name) === opened) this.#routes.delete(name)
    if (opened.subscription !== undefined) this.#close(opened.subscription)
    else opened.opening.abort(new SluiceError('BUS_UNAVAILABLE', 'Nobody waits for the subscription any more.'))
  }

  #close(subscription: BusSubscription): void {
    const closing = closeReported(subscription, this.#services.report)
    this.#closing.add(closing)
    void closing.then(() => this.#closing.delete(closing))
  }
}

/** Never rejects, whatever the bus does: who leaves a channel is not to be held there. */
async function closeReported(subscription: BusSubscription, report: RouteServices['report']): Promise<void> {
  try {
    await subscription.close()
  } catch (error) {
    report(error)
  }
}
