import { SubscriberLink, type SubscriberLinkOptions } from './subscriber-link.ts'
import type { Wire } from './wire.ts'

/** The wire of one server: all channels on one connection. */
export function singleWire(options: Omit<SubscriberLinkOptions, 'isSharded'>): Wire {
  const link = new SubscriberLink({ ...options, isSharded: false })
  return {
    start: () => link.start(),
    add: ({ wire }) => link.add(wire, 0),
    remove: ({ wire }) => link.remove(wire),
    get isUp() {
      return link.isUp
    },
    get channelCount() {
      return link.channelCount
    },
    stop: () => link.stop(),
  }
}
