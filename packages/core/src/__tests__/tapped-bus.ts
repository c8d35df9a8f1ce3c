import type { BusListener, BusNotification, EventBus, GapReason, Position } from '../bus/event-bus.ts'
import { type MemoryBus, memoryBus } from '../bus/memory-bus.ts'

/** A memory bus into whose channels a test can say anything, as a bus that misbehaves or lost its history would. */
export interface TappedBus extends EventBus {
  readonly inner: MemoryBus
  /** Tells every listener of the channels with this name. */
  tell(channelName: string, notification: BusNotification): void
  tellGap(channelName: string, reason?: GapReason): void
}

export const somewhere = 'somewhere' as Position

export function tappedBus(overrides: Partial<EventBus> = {}): TappedBus {
  const inner = memoryBus()
  const listeners = new Map<string, Set<BusListener>>()
  const tell = (channelName: string, notification: BusNotification) => {
    for (const listener of listeners.get(channelName) ?? []) listener(notification)
  }
  return {
    ...inner,
    async subscribe(channel, options, listener) {
      const subscription = await inner.subscribe(channel, options, listener)
      const ofName = listeners.get(channel.name) ?? new Set()
      listeners.set(channel.name, ofName.add(listener))
      const close = () => {
        ofName.delete(listener)
        return subscription.close()
      }
      return { position: subscription.position, close, [Symbol.asyncDispose]: close }
    },
    ...overrides,
    inner,
    tell,
    tellGap: (channelName, reason = 'trimmed') => tell(channelName, { kind: 'gap', reason, position: somewhere }),
  }
}
