import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { alice, schemaOf, serve } from '../../__tests__/service.ts'
import { fromChannel } from '../../channel/from-channel.ts'

const lifeMs = 60_000

async function* numbers() {
  for (let number = 1; ; number += 1) yield await Promise.resolve({ counted: number })
}

const schema = schemaOf('own: Json shared: Json counted: Int', {
  own: fromChannel({ channel: 'news' }),
  shared: fromChannel({ channel: 'news', share: 'tenant' }),
  counted: { subscribe: numbers },
})

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

describe.each([
  ['a number', () => Date.now() + lifeMs],
  ['a Date', () => new Date(Date.now() + lifeMs)],
])('a scope that expires, given as %s', (_, expiresAt) => {
  const mortal = () => ({ ...alice, expiresAt: expiresAt() })

  test.each(['own', 'shared'])(
    'ends a subscription of a channel (%s) with EXPIRED instead of its next event',
    async (field) => {
      const { executor, publish, subscribe } = serve(schema, { eventContext: () => ({}) })
      const stream = await subscribe(`subscription { ${field} }`, mortal())
      const immortal = await subscribe(`subscription { ${field} }`)
      await publish('news', 1)
      expect(await stream.next()).toEqual({ done: false, value: { data: { [field]: 1 } } })
      vi.advanceTimersByTime(lifeMs)
      await publish('news', 2)
      await expect(stream.next()).rejects.toMatchObject({ extensions: { code: 'EXPIRED' } })
      expect(await stream.next()).toEqual({ done: true, value: undefined })
      expect(executor.metrics().subscriptions.active).toBe(1)
      expect(await immortal.next()).toEqual({ done: false, value: { data: { [field]: 1 } } })
      expect(await immortal.next()).toEqual({ done: false, value: { data: { [field]: 2 } } })
      await executor.dispose()
    },
  )

  test('ends a subscription of another source with EXPIRED instead of its next event', async () => {
    const { executor, subscribe } = serve(schema, { eventContext: () => ({}) })
    const stream = await subscribe('subscription { counted }', mortal())
    expect(await stream.next()).toEqual({ done: false, value: { data: { counted: 1 } } })
    vi.advanceTimersByTime(lifeMs)
    await expect(stream.next()).rejects.toMatchObject({ extensions: { code: 'EXPIRED' } })
    expect(await stream.next()).toEqual({ done: true, value: undefined })
    expect(executor.metrics().subscriptions.active).toBe(0)
    await executor.dispose()
  })
})

test('a scope that has expired is refused', async () => {
  const { attempt, executor } = serve(schema, { eventContext: () => ({}) })
  for (const expiresAt of [Date.now(), new Date(0), Number.NaN, 'tomorrow']) {
    expect(await attempt('subscription { own }', { ...alice, expiresAt })).toMatchObject({
      errors: [{ extensions: { code: 'EXPIRED' } }],
    })
  }
  await executor.dispose()
})
