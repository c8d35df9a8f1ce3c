import { Buffer } from 'node:buffer'
import type { BusEvent, BusListener, BusNotification } from '../event-bus.ts'

let made = 0

/** An event of tenant t1 with one byte of data and an id of its own. */
export function eventOn(name: string, overrides: Partial<BusEvent> = {}): BusEvent {
  made += 1
  return {
    channel: { tenantId: 't1', name },
    type: 'changed',
    data: Buffer.from('1'),
    eventId: `e${made}`,
    publishedAt: made,
    ...overrides,
  }
}

/** A listener that writes down what it hears: event ids, gaps and statuses as text. */
export function log(): { readonly heard: string[]; readonly listener: BusListener } {
  const heard: string[] = []
  return { heard, listener: (notification) => void heard.push(textOf(notification)) }
}

/** One word for a notification. */
export function textOf(notification: BusNotification): string {
  switch (notification.kind) {
    case 'event':
      return notification.event.eventId
    case 'gap':
      return `gap:${notification.reason}`
    case 'status':
      return `status:${notification.status}`
    case 'advance':
      return 'advance'
  }
}
