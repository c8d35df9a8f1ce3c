import { describe, expect, it } from 'vitest'
import type { Frame } from '../../entry.ts'
import { FrameBudget, FrameBuffer } from '../frame-buffer.ts'

const frame: Frame = { epoch: 'a', ms: 1, offset: 1, previousMs: 0, envelope: Buffer.of(), data: Buffer.alloc(744) }
const frameBytes = 1_000

describe('the buffers of many channels', () => {
  it('keep together what the budget allows, and the one that goes beyond it drops its own', () => {
    const budget = new FrameBudget(100 * frameBytes)
    const limits = { maxCount: 1_000, maxBytes: 1_000 * frameBytes, budget }
    const buffers = Array.from({ length: 50 }, () => new FrameBuffer(limits))
    for (let round = 0; round < 10; round += 1) for (const buffer of buffers) buffer.add(frame)
    expect(budget.usedBytes).toBeLessThanOrEqual(100 * frameBytes)
    expect(buffers.some(({ hasOverflown }) => hasOverflown)).toBe(true)
    const kept = buffers.reduce((count, buffer) => count + buffer.count, 0)
    expect(budget.usedBytes).toBe(kept * frameBytes)
    for (const buffer of buffers) expect(buffer.hasOverflown).toBe(buffer.count === 0)
  })

  it('give back what they were emptied of, however often', () => {
    const budget = new FrameBudget(10 * frameBytes)
    const buffer = new FrameBuffer({ maxCount: 5, maxBytes: 1_000_000, budget })
    for (let count = 0; count < 3; count += 1) buffer.add(frame)
    expect(budget.usedBytes).toBe(3 * frameBytes)
    expect(buffer.take()).toHaveLength(3)
    expect(budget.usedBytes).toBe(0)
    for (let count = 0; count < 20; count += 1) buffer.add(frame) // beyond its own limit
    expect(buffer.hasOverflown).toBe(true)
    expect(budget.usedBytes).toBe(0)
    buffer.clear()
    buffer.clear()
    expect([budget.usedBytes, buffer.hasOverflown]).toEqual([0, false])
  })
})
