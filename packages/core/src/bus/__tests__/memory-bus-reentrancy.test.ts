import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BusSubscription } from '../event-bus.ts'
import { type MemoryBus, memoryBus } from '../memory-bus.ts'
import { eventOn, log, textOf } from './memory-bus-harness.ts'

const orders = { tenantId: 't1', name: 'orders' }

function publishIds(bus: MemoryBus, ...ids: readonly string[]): void {
  for (const eventId of ids) void bus.publish(eventOn('orders', { eventId }))
}

describe('memoryBus delivery', () => {
  it('calls the listeners before publish returns', async () => {
    const bus = memoryBus()
    const { heard, listener } = log()
    await bus.subscribe(orders, { from: 'live' }, listener)
    publishIds(bus, 'now')
    expect(heard).toEqual(['now'])
  })

  it('tells a nested publish after the current event has reached everybody, also across channels', async () => {
    const bus = memoryBus()
    const heard: string[] = []
    await bus.subscribe(orders, { from: 'live' }, (notification) => {
      heard.push(`first ${textOf(notification)}`)
      if (textOf(notification) !== 'outer') return
      publishIds(bus, 'inner')
      void bus.publish(eventOn('parcels', { eventId: 'elsewhere' }))
    })
    await bus.subscribe(orders, { from: 'live' }, (notification) => void heard.push(`second ${textOf(notification)}`))
    await bus.subscribe(
      { ...orders, name: 'parcels' },
      { from: 'live' },
      (notification) => void heard.push(`parcels ${textOf(notification)}`),
    )
    publishIds(bus, 'outer')
    expect(heard).toEqual(['first outer', 'second outer', 'first inner', 'second inner', 'parcels elsewhere'])
  })

  it('refuses, typed, what listeners publish in a circle', async () => {
    const bus = memoryBus({ maxNestedCount: 100 })
    const refused: unknown[] = []
    let called = 0
    await bus.subscribe(orders, { from: 'live' }, () => {
      called += 1
      if (called > 1) return
      for (let index = 0; index < 150; index += 1)
        bus.publish(eventOn('orders')).catch((error: unknown) => refused.push(error))
    })
    await bus.publish(eventOn('orders'))
    expect(called).toBe(101)
    expect(refused).toHaveLength(50)
    expect(refused[0]).toMatchObject({ code: 'BUS_UNAVAILABLE', retryable: true })
  })

  it('does not call a listener that another one closed during the same event', async () => {
    const bus = memoryBus()
    const { heard, listener } = log()
    let second: BusSubscription | undefined
    await bus.subscribe(orders, { from: 'live' }, () => void second?.close())
    second = await bus.subscribe(orders, { from: 'live' }, listener)
    publishIds(bus, 'e1', 'e2')
    expect(heard).toEqual([])
    expect(bus.stats().listenerCount).toBe(1)
  })

  it('tells a listener that was added during an event nothing of it, nor of what was published before it', async () => {
    const bus = memoryBus()
    const { heard, listener } = log()
    let added: Promise<BusSubscription> | undefined
    await bus.subscribe(orders, { from: 'live' }, (notification) => {
      if (textOf(notification) !== 'outer') return
      publishIds(bus, 'before')
      added = bus.subscribe(orders, { from: 'live' }, listener)
      publishIds(bus, 'after')
    })
    publishIds(bus, 'outer')
    await added
    expect(heard).toEqual(['after'])
  })

  it('replays to a listener that resumes during an event, then goes on without a repetition', async () => {
    const bus = memoryBus()
    const start = await bus.position(orders)
    const { heard, listener } = log()
    let added: Promise<BusSubscription> | undefined
    await bus.subscribe(orders, { from: 'live' }, (notification) => {
      if (textOf(notification) !== 'outer') return
      publishIds(bus, 'waiting')
      added = bus.subscribe(orders, { from: start }, listener)
    })
    publishIds(bus, 'outer', 'later')
    await added
    expect(heard).toEqual(['outer', 'waiting', 'later'])
  })

  it('tells what a listener publishes during its replay after the replay', async () => {
    const bus = memoryBus()
    const start = await bus.position(orders)
    publishIds(bus, 'e1', 'e2')
    const heard: string[] = []
    await bus.subscribe(orders, { from: start }, (notification) => {
      heard.push(textOf(notification))
      if (textOf(notification) === 'e1') publishIds(bus, 'e3')
    })
    expect(heard).toEqual(['e1', 'e2', 'e3'])
  })

  it('replays whole what a publish during the replay deletes from the history', async () => {
    const bus = memoryBus({ history: { maxCount: 2 } })
    const start = await bus.position(orders)
    publishIds(bus, 'e1', 'e2')
    const heard: string[] = []
    await bus.subscribe(orders, { from: start }, (notification) => {
      heard.push(textOf(notification))
      if (textOf(notification) === 'e1') publishIds(bus, 'e3', 'e4')
    })
    expect(heard).toEqual(['e1', 'e2', 'e3', 'e4'])
  })

  it('says nothing but its end once it was closed during an event', async () => {
    const bus = memoryBus()
    const { heard, listener } = log()
    await bus.subscribe(orders, { from: 'live' }, (notification) => {
      if (textOf(notification) !== 'outer') return
      publishIds(bus, 'never told')
      void bus.close()
    })
    await bus.subscribe(orders, { from: 'live' }, listener)
    const leaving = await bus.subscribe(orders, { from: 'live' }, listener)
    bus.observe({ onStatus: () => void leaving.close() })
    publishIds(bus, 'outer')
    expect(heard).toEqual(['status:closed'])
  })

  it('keeps one order for all listeners under random nested publishes, subscribes and closes', async () => {
    const action = fc.constantFrom('publish', 'subscribe', 'resume', 'close')
    const plan = fc.array(fc.array(action, { maxLength: 3 }), { maxLength: 25 })
    await fc.assert(
      fc.asyncProperty(plan, async (actions) => {
        const bus = memoryBus()
        const errors: unknown[] = []
        bus.observe({ onError: (error) => errors.push(error) })
        const start = await bus.position(orders)
        const reference = log()
        await bus.subscribe(orders, { from: 'live' }, reference.listener)
        const logs: { heard: string[]; resumed: boolean; closed: boolean; subscription?: BusSubscription }[] = []
        let step = 0
        const act = (): void => {
          for (const what of actions[step++] ?? []) {
            if (what === 'publish') void bus.publish(eventOn('orders'))
            else if (what === 'close') {
              const open = logs.find(({ closed, subscription }) => !closed && subscription !== undefined)
              if (open !== undefined) open.closed = true
              void open?.subscription?.close()
            } else {
              const entry: (typeof logs)[number] = { heard: [], resumed: what === 'resume', closed: false }
              logs.push(entry)
              const from = entry.resumed ? start : 'live'
              void bus
                .subscribe(orders, { from }, (notification) => {
                  expect(entry.closed).toBe(false)
                  entry.heard.push(textOf(notification))
                  act()
                })
                .then((subscription) => {
                  entry.subscription = subscription
                })
            }
          }
        }
        while (step < actions.length) {
          act()
          await bus.publish(eventOn('orders'))
        }
        for (const { heard, resumed, closed } of logs) {
          const first = resumed || heard.length === 0 ? 0 : reference.heard.indexOf(heard[0] as string)
          const end = closed ? first + heard.length : reference.heard.length
          if (heard.length > 0 || resumed) expect(heard).toEqual(reference.heard.slice(first, end))
        }
        expect(errors).toEqual([])
      }),
    )
  })
})
