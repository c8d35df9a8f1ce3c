import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { Tally } from '../src/redis/tally.ts'

function message(sequence: number, publishedAt = 0): Buffer {
  return Buffer.from(JSON.stringify({ id: '1', type: 'next', payload: { data: { o: { sequence, publishedAt } } } }))
}

describe('a tally', () => {
  it('counts what is lost, repeated and out of order, at every client', () => {
    const tally = new Tally(2)
    tally.begin(10)
    for (const sequence of [9, 10, 12, 11, 12]) tally.receive(0, message(sequence), 1_000)
    tally.receive(1, message(12), 1_000)
    expect(tally.end(3)).toEqual({
      deliveryCount: 4,
      lostCount: 2,
      repeatedCount: 1,
      disorderedCount: 1,
      latencyMicros: { p50: 1_000, p99: 1_000 },
    })
  })

  it('tells when everything has arrived, or that the time is over', async () => {
    const tally = new Tally(2)
    tally.begin(1)
    expect(await tally.arrived(1, 5)).toBe(false)
    const arrived = tally.arrived(1, 10_000)
    tally.receive(0, message(1, 400), 1_000)
    tally.receive(1, message(1, 800), 1_000)
    expect(await arrived).toBe(true)
    expect(await tally.arrived(1, 0)).toBe(true)
    expect(tally.end(1).latencyMicros.p50).toBe(400)
  })

  it('refuses a message that is none of an event', () => {
    const tally = new Tally(1)
    tally.begin(1)
    expect(() => tally.receive(0, Buffer.from('{"type":"error"}'), 0)).toThrow(/has no "sequence"/)
  })
})
