import type { BusObserver, BusStatus } from './event-bus.ts'

/**
 * The observers of one bus, for whoever implements one. An observer that throws breaks neither the bus nor
 * the other observers: they hear its error instead.
 */
export class BusObservers {
  readonly #registrations = new Set<{ readonly observer: BusObserver }>()

  /** Registers an observer (the same one twice is two registrations); the returned function removes it. */
  add(observer: BusObserver): () => void {
    const registration = { observer }
    this.#registrations.add(registration)
    return () => {
      this.#registrations.delete(registration)
    }
  }

  /** Tells a change of status. */
  status(status: BusStatus): void {
    for (const { observer } of this.#registrations) {
      try {
        observer.onStatus?.(status)
      } catch (error) {
        this.#report(error, observer)
      }
    }
  }

  /** Tells what no call can return. */
  error(error: unknown): void {
    this.#report(error, undefined)
  }

  #report(error: unknown, except: BusObserver | undefined): void {
    for (const { observer } of this.#registrations) {
      if (observer === except) continue
      try {
        observer.onError?.(error)
      } catch {
        // The place where errors end failed itself: there is nobody left to tell.
      }
    }
  }
}
