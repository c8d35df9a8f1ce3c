import type { BusSubscription, EventBus } from '@sluice/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BusContractFactory } from '../bus-contract-factory.ts'
import { type RecordingListener, recordingListener } from '../recording-listener.ts'
import { freshChannel, makeEvent, openBackend } from './fixture.ts'

type Action = 'publish' | 'subscribe' | 'resume' | 'close'

interface Listening {
  readonly recording: RecordingListener
  /** The event after which it resumed. */
  readonly after: string | undefined
  /** The events that are not for it: of a live one, those that were accepted before it asked to subscribe. */
  readonly notItsOwn: readonly string[]
  subscription?: BusSubscription
  isClosed: boolean
}

/** Whatever happens at the same time, each listener hears one unbroken stretch of the one order. */
export function interleavingsContract(factory: BusContractFactory): void {
  const actions: Action[] = factory.capabilities.history
    ? ['publish', 'publish', 'subscribe', 'resume', 'close']
    : ['publish', 'publish', 'subscribe', 'close']
  const plan = fc.array(fc.array(fc.constantFrom(...actions), { minLength: 1, maxLength: 6 }), {
    minLength: 1,
    maxLength: 12,
  })

  describe('interleavings', () => {
    it('of publish, subscribe, resume and close leave every listener one stretch of one order', async () => {
      const { bus } = await openBackend(factory)
      await fc.assert(
        fc.asyncProperty(plan, (steps) => expectStretches(bus, steps)),
        { numRuns: 60 },
      )
    })
  })
}

/** The actions of one step happen at once, the steps one after another. */
async function expectStretches(bus: EventBus, steps: readonly (readonly Action[])[]): Promise<void> {
  const channel = freshChannel()
  const reference = recordingListener()
  const whole = await bus.subscribe(channel, { from: 'live' }, reference.listener)
  const listening: Listening[] = []
  const accepted: string[] = []
  let published = 0

  async function act(action: Action): Promise<void> {
    if (action === 'publish') {
      published += 1
      const eventId = `e${published}`
      await bus.publish(makeEvent(channel, { eventId }))
      accepted.push(eventId)
    } else if (action === 'close') {
      const open = listening.find(({ isClosed, subscription }) => !isClosed && subscription !== undefined)
      if (open === undefined) return
      open.isClosed = true
      await open.subscription?.close()
    } else {
      const last = action === 'resume' ? reference.events.at(Math.floor(reference.events.length / 2)) : undefined
      const recording = recordingListener()
      const entry: Listening = {
        recording,
        after: last?.event.eventId,
        notItsOwn: last === undefined ? [...accepted] : [],
        isClosed: false,
      }
      listening.push(entry)
      entry.subscription = await bus.subscribe(channel, { from: last?.position ?? 'live' }, recording.listener)
    }
  }

  for (const step of steps) await Promise.all(step.map(act))
  await bus.publish(makeEvent(channel, { eventId: 'last' }))
  await reference.receivedId('last')
  expect(reference.eventIds.toSorted()).toEqual([...accepted, 'last'].toSorted())
  for (const { recording, after, notItsOwn, isClosed, subscription } of listening) {
    if (!isClosed) await recording.receivedId('last')
    const heard = recording.eventIds
    const first =
      after === undefined ? reference.eventIds.indexOf(heard[0] ?? 'last') : reference.eventIds.indexOf(after) + 1
    const end = isClosed ? first + heard.length : reference.eventIds.length
    expect(heard).toEqual(reference.eventIds.slice(first, end))
    expect(heard.filter((eventId) => notItsOwn.includes(eventId))).toEqual([])
    expect(recording.gaps).toEqual([])
    await subscription?.close()
  }
  await whole.close()
}
