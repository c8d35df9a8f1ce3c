import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Frame } from '../../entry.ts'
import { scriptedReader } from './scripted-reader.ts'
import { nameOf, SimulatedChannel } from './simulated-channel.ts'

/** What can happen to one message on the wire. */
type Fate = 'arrive' | 'drop' | 'duplicate' | 'delay'

/** What can happen, to a channel, its wire, or the answers that are under way. */
type Step =
  | { readonly kind: 'publish'; readonly fate: Fate }
  | { readonly kind: 'flush' }
  | { readonly kind: 'loseTail'; readonly count: number }
  | { readonly kind: 'trim'; readonly count: number }
  | { readonly kind: 'deliverDelayed'; readonly index: number }
  | { readonly kind: 'answer'; readonly index: number }
  | { readonly kind: 'reconnect' }
  | { readonly kind: 'check' }

const wireFaults: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('publish' as const),
      fate: fc.constantFrom<Fate>('arrive', 'arrive', 'drop', 'duplicate', 'delay'),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('deliverDelayed' as const), index: fc.nat(9) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('answer' as const), index: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'reconnect' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'check' }) },
)

const lossOfHistory: fc.Arbitrary<Step> = fc.oneof(
  fc.constant<Step>({ kind: 'flush' }),
  fc.record({ kind: fc.constant('loseTail' as const), count: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant('trim' as const), count: fc.nat(3) }),
)

interface Outcome {
  readonly told: readonly string[]
  /** Everything that was ever published while the reader was there. */
  readonly published: readonly string[]
  readonly channel: SimulatedChannel
  readonly lossCount: number
  readonly state: string
}

/** Plays the steps, then lets the wire be whole: a reconnect, and every answer. */
function play(steps: readonly Step[]): Outcome {
  const channel = new SimulatedChannel()
  channel.publish()
  const { reader, questions, told, answerAll } = scriptedReader(channel, undefined, { pageCount: 3, maxCount: 6 })
  const published: string[] = []
  const delayed: Frame[] = []
  let lossCount = 0
  reader.subscribing()
  reader.acknowledged()
  answerAll()

  for (const step of steps) {
    switch (step.kind) {
      case 'publish': {
        const frame = channel.publish()
        published.push(nameOf(frame))
        if (step.fate === 'delay') delayed.push(frame)
        if (step.fate === 'arrive' || step.fate === 'duplicate') reader.takeFrame(frame)
        if (step.fate === 'duplicate') reader.takeFrame(frame)
        break
      }
      case 'deliverDelayed': {
        const [frame] = delayed.splice(step.index, 1)
        if (frame !== undefined) reader.takeFrame(frame)
        break
      }
      case 'answer':
        questions.splice(step.index, 1)[0]?.answer()
        break
      case 'reconnect':
        reader.detached()
        reader.subscribing()
        reader.acknowledged()
        break
      case 'check':
        if (reader.cursor !== undefined) reader.check(channel.top, reader.cursor)
        break
      case 'flush':
        channel.flush()
        lossCount += 1
        break
      case 'loseTail':
        channel.loseTail(step.count)
        lossCount += hasNoAnchor(channel) ? 1 : 0
        // A failover breaks the connections of those who were on the old master.
        reader.detached()
        reader.subscribing()
        reader.acknowledged()
        lossCount += 1
        break
      case 'trim':
        channel.trim(step.count)
        lossCount += hasNoAnchor(channel) ? 2 : 1
        break
    }
  }
  reader.detached()
  for (const frame of delayed) reader.takeFrame(frame)
  reader.subscribing()
  reader.acknowledged()
  answerAll()
  return { told, published, channel, lossCount, state: reader.state }
}

/**
 * Nothing is kept, so where a gap ends there is no entry to recognise: who asks the stream from there, before the next event
 * came over the wire, cannot be told that nothing was missed since, and hears of the gap once more.
 */
function hasNoAnchor({ kept, top }: SimulatedChannel): boolean {
  return kept.length === 0 && top.offset > 0
}

describe('whatever happens on the wire', () => {
  it('the reader tells everything that was published, once, in order, and no gap', () => {
    fc.assert(
      fc.property(fc.array(wireFaults, { maxLength: 120 }), (steps) => {
        const { told, published, state } = play(steps)
        expect(told).toEqual(published)
        expect(state).toBe('live')
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('whatever is lost of the history', () => {
  it('between two gaps the reader tells an unbroken stretch of one history, and at the end it has everything that is kept after the last', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 9, arbitrary: wireFaults }, { weight: 1, arbitrary: lossOfHistory }), {
          maxLength: 120,
        }),
        (steps) => {
          const { told, channel, lossCount, state } = play(steps)
          expect(state).toBe('live')
          const gaps = told.filter((name) => name.startsWith('gap:'))
          expect(gaps.length).toBeLessThanOrEqual(lossCount)
          const stretches = told.join(' ').split(/ ?gap:\w+ ?/)
          for (const stretch of stretches) expectUnbroken(stretch === '' ? [] : stretch.split(' '))
          // What was told last is what there is last.
          const tail = told.at(-1)
          if (tail !== undefined && !tail.startsWith('gap:') && channel.kept.length > 0) {
            expect(tail).toBe(channel.kept.at(-1))
          }
          // Nothing is told twice, not even across gaps.
          const events = told.filter((name) => !name.startsWith('gap:'))
          expect(new Set(events).size).toBe(events.length)
        },
      ),
      { numRuns: 3_000 },
    )
  })

  it('a hole is never told without a gap', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 6, arbitrary: wireFaults }, { weight: 1, arbitrary: lossOfHistory }), {
          maxLength: 80,
        }),
        (steps) => {
          const { told, published, channel } = play(steps)
          if (told.some((name) => name.startsWith('gap:'))) return
          // What was lost with its server before anybody had it might as well never have been published.
          const known = new Set([...told, ...channel.kept])
          expect(told).toEqual(published.filter((name) => known.has(name)))
          expectUnbroken(told)
        },
      ),
      { numRuns: 2_000 },
    )
  })
})

/** One epoch, offsets without a hole, times that do not go back. */
function expectUnbroken(names: readonly string[]): void {
  const entries = names.map((name) => {
    const [epoch = '', id = ''] = name.split('/')
    const [ms, offset] = id.split('-').map(Number)
    return { epoch, ms: ms as number, offset: offset as number }
  })
  for (const [index, entry] of entries.entries()) {
    const previous = entries[index - 1]
    if (previous === undefined) continue
    expect(entry.epoch).toBe(previous.epoch)
    expect(entry.offset).toBe(previous.offset + 1)
    expect(entry.ms).toBeGreaterThanOrEqual(previous.ms)
  }
}
