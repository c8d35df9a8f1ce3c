import { describe, expect, it } from 'vitest'
import type { Position } from '../event-bus.ts'
import { EventIdWindow } from '../event-id-window.ts'

const at = (text: string): Position => text as Position

describe('EventIdWindow', () => {
  it('knows an id on its channel for the window and no longer', () => {
    const window = new EventIdWindow({ windowMs: 100, maxCount: 10 })
    window.remember('orders', 'e1', at('p1'), 0)
    expect(window.find('orders', 'e1', 99)).toBe('p1')
    expect(window.find('parcels', 'e1', 99)).toBeUndefined()
    expect(window.find('orders', 'e1', 100)).toBeUndefined()
  })

  it('knows each id for a whole window, whenever the maps take turns', () => {
    const window = new EventIdWindow({ windowMs: 100, maxCount: 1_000 })
    for (let now = 0; now < 400; now += 1) {
      window.remember('orders', `e${now}`, at(`p${now}`), now)
      const oldest = Math.max(0, now - 99)
      expect(window.find('orders', `e${oldest}`, now)).toBe(`p${oldest}`)
    }
    expect(window.count).toBeLessThanOrEqual(200)
  })

  it.each([1, 2, 3, 10])('never holds more than %i ids and always the latest half', (maxCount) => {
    const window = new EventIdWindow({ windowMs: 100, maxCount })
    for (let index = 0; index < 50; index += 1) {
      window.remember('orders', `e${index}`, at(`p${index}`), 0)
      expect(window.count).toBeLessThanOrEqual(maxCount)
      for (let back = 0; back < Math.max(1, Math.floor(maxCount / 2)) && back <= index; back += 1) {
        expect(window.find('orders', `e${index - back}`, 0)).toBe(`p${index - back}`)
      }
    }
  })

  it('remembers nothing if it is told so', () => {
    for (const limits of [
      { windowMs: 0, maxCount: 10 },
      { windowMs: 100, maxCount: 0 },
    ]) {
      const window = new EventIdWindow(limits)
      window.remember('orders', 'e1', at('p1'), 0)
      expect(window.count).toBe(0)
    }
  })

  it('does not take one id and channel for another whose letters run together', () => {
    const window = new EventIdWindow({ windowMs: 100, maxCount: 10 })
    window.remember('1:ab', 'c', at('p1'), 0)
    expect(window.find('b', 'c1:a', 0)).toBeUndefined()
    expect(window.find('ab', 'c1:', 0)).toBeUndefined()
  })
})
