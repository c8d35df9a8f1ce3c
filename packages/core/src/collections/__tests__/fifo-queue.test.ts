import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FifoQueue } from '../fifo-queue.ts'

test('it gives what an array gives, whatever is done with it', () => {
  const step = fc.constantFrom('push', 'push many', 'shift', 'shift many', 'clear')
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const queue = new FifoQueue<number>()
      let model: number[] = []
      let last = 0
      const push = () => {
        last += 1
        queue.push(last)
        model.push(last)
      }
      const shift = () => expect(queue.shift()).toBe(model.shift())
      for (const action of steps) {
        if (action === 'push') push()
        else if (action === 'push many') for (let count = 0; count < 1500; count += 1) push()
        else if (action === 'shift') shift()
        else if (action === 'shift many') for (let count = 0; count < 1200; count += 1) shift()
        else {
          queue.clear()
          model = []
        }
        expect([queue.size, queue.peek()]).toEqual([model.length, model[0]])
      }
      while (model.length > 0) shift()
      expect([queue.size, queue.shift()]).toEqual([0, undefined])
    }),
    { numRuns: 30 },
  )
})
