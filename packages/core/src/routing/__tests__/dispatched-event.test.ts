import { expect, it } from 'vitest'
import { DispatchedEvent } from '../dispatched-event.ts'

it('A dispatched event has one context for each partition, built when it is first asked for', () => {
  const dispatched = new DispatchedEvent({ data: 1 })
  const built: string[] = []
  const contextOf = (partition: string) =>
    dispatched.contextOf(partition, () => {
      built.push(partition)
      return `context of ${partition}`
    })
  const asked = ['a', 'b', 'a', 'c', 'b', 'a', '', 'c', '']
  expect(asked.map(contextOf)).toEqual(asked.map((partition) => `context of ${partition}`))
  expect(built).toEqual(['a', 'b', 'c', ''])
})

it('A context that is undefined is not built again', () => {
  const dispatched = new DispatchedEvent({ data: 1 })
  let count = 0
  const build = () => {
    count += 1
    return undefined
  }
  for (const partition of ['a', 'a', 'b', 'b']) expect(dispatched.contextOf(partition, build)).toBeUndefined()
  expect(count).toBe(2)
})
