import type { BusEvent, BusListener, BusNotification, Position } from '@sluice/core'

/** An event as a listener heard it. */
export interface HeardEvent {
  readonly event: BusEvent
  readonly position: Position
}

/** A gap as a listener heard it. */
export type HeardGap = Extract<BusNotification, { readonly kind: 'gap' }>

/** A listener that writes down what it hears and can be waited for, so that no test has to sleep. */
export interface RecordingListener {
  /** Give this to `bus.subscribe`. */
  readonly listener: BusListener
  readonly notifications: readonly BusNotification[]
  readonly events: readonly HeardEvent[]
  readonly gaps: readonly HeardGap[]
  /** The ids of the events, in the order heard. */
  readonly eventIds: readonly string[]
  /** Resolves once so many events were heard (at once, if they were); to all that were heard by then. */
  received(count: number): Promise<readonly HeardEvent[]>
  /** Resolves once the event with this id was heard. */
  receivedId(eventId: string): Promise<void>
  /** Resolves once a notification that `test` likes was heard. */
  heard(test: (notification: BusNotification) => boolean): Promise<BusNotification>
}

/** @param also what the listener does besides writing down, for example throw or close */
export function recordingListener(also?: BusListener): RecordingListener {
  const notifications: BusNotification[] = []
  const events: HeardEvent[] = []
  const gaps: HeardGap[] = []
  const waiting = new Set<() => void>()

  /** Resolves with the first thing that `look` finds, now or after one of the next notifications. */
  function until<T>(look: () => T | undefined): Promise<T> {
    return new Promise((resolve) => {
      const check = (): void => {
        const found = look()
        if (found === undefined) return
        waiting.delete(check)
        resolve(found)
      }
      waiting.add(check)
      check()
    })
  }

  return {
    listener(notification) {
      notifications.push(notification)
      if (notification.kind === 'event') events.push({ event: notification.event, position: notification.position })
      if (notification.kind === 'gap') gaps.push(notification)
      for (const check of waiting) check()
      also?.(notification)
    },
    notifications,
    events,
    gaps,
    get eventIds() {
      return events.map(({ event }) => event.eventId)
    },
    received: (count) => until(() => (events.length >= count ? events : undefined)),
    async receivedId(eventId) {
      await until(() => events.find(({ event }) => event.eventId === eventId))
    },
    heard: (test) => until(() => notifications.find(test)),
  }
}
