import { execute, type ExecutionResult, GraphQLError } from 'graphql'
import { describe, expect, test, vi } from 'vitest'
import { alice, bob, schemaOf, serve, take } from '../../__tests__/service.ts'
import { fromChannel } from '../../channel/from-channel.ts'
import type { SubscriptionExecutorOptions } from '../../options.ts'
import { rememberedResponse } from '../encoded-response.ts'

const constant = Object.freeze({ code: 'SOLD_OUT', detail: Object.freeze({ list: Object.freeze([1]) }) })

function setUp(options: SubscriptionExecutorOptions = {}) {
  const broken = () => {
    throw new GraphQLError('sold out', { extensions: { ...constant, own: { deep: [{ er: 1 }] } } })
  }
  const served = schemaOf(
    'changed: Item',
    { changed: fromChannel({ channel: 'c', share: 'tenant', resolve: (data) => ({ ...data, broken }) }) },
    'type Item { id: Int list: Json broken: Int }',
  )
  return serve(served, {
    eventContext: () => ({}),
    execute: async (args) => ({ ...(await execute(args)), extensions: { cost: { total: 7, parts: [1, 2] } } }),
    ...options,
  })
}

const query = 'subscription { changed { id list broken } }'
const maskError = ({ nodes, path }: GraphQLError) =>
  new GraphQLError('masked', { nodes: nodes ?? null, path: path ?? null, extensions: { ...constant, mine: [{}] } })
const maskResult = (result: ExecutionResult): ExecutionResult => ({
  ...result,
  errors: result.errors?.map(maskError) ?? [],
})

/** Tries to change everything that can be reached, and does not mind being stopped. */
function spoil(value: unknown, seen = new Set<unknown>()): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return
  seen.add(value)
  for (const key of Object.keys(value)) spoil(Reflect.get(value, key), seen)
  Reflect.set(value, 'spoilt', true)
  if (Array.isArray(value) && !Object.isFrozen(value)) value.push('spoilt')
  for (const key of Object.keys(value)) {
    if (!Reflect.set(value, key, 'spoilt')) Reflect.deleteProperty(value, key)
  }
}

describe('what a subscriber does to its result reaches no other', () => {
  test.each([
    ['unmasked', undefined],
    ['masked', maskResult],
  ])('%s', async (_, mask) => {
    const { subscribe, publish } = setUp()
    const streams = [
      await subscribe(query, alice, { how: { maskResult: mask } }),
      await subscribe(query, bob, { how: { maskResult: mask } }),
      await subscribe(query, bob, { how: { maskResult: mask } }),
    ]
    await publish('c', { id: 1, list: [{ a: [1] }] })
    const texts: string[] = []
    for (const stream of streams) {
      const result = await take(stream)
      texts.push(JSON.stringify(result))
      spoil(result)
    }
    expect(texts[0]).toContain(mask === undefined ? 'sold out' : 'masked')
    expect(texts).toEqual([texts[0], texts[0], texts[0]])
  })

  test('nor the event, which the next group still sees as it was published', async () => {
    const seen: unknown[] = []
    const resolve = (data: unknown) => {
      seen.push(structuredClone(data))
      spoil(data)
      return data
    }
    const field = fromChannel({ channel: 'c', resolve })
    const { subscribe, publish } = serve(schemaOf('changed: Json other: Json', { changed: field, other: field }))
    const streams = [await subscribe('subscription { changed }'), await subscribe('subscription { other }')]
    const data = { list: [{ a: 1 }] }
    await publish('c', data)
    spoil((await take(streams[0] as never)).data)
    expect(await take(streams[1] as never)).toEqual({ data: { other: { list: [{ a: 1 }] } } })
    expect(seen).toEqual([{ list: [{ a: 1 }] }, { list: [{ a: 1 }] }])
    expect(data).toEqual({ list: [{ a: 1 }] })
  })
})

describe('masking', () => {
  test('is done once per group, event and masker, and only for results with errors', async () => {
    const { subscribe, publish, executor } = setUp()
    const mask = vi.fn(maskResult)
    const how = { maskResult: mask }
    const streams = [
      await subscribe(query, alice, { how }),
      await subscribe(query, bob, { how }),
      await subscribe(query, bob),
    ]
    await publish('c', { id: 1 })
    const messages = await Promise.all(streams.map(async (stream) => (await take(stream)).errors?.[0]?.message))
    expect(messages).toEqual(['masked', 'masked', 'sold out'])
    expect(mask).toHaveBeenCalledTimes(1)
    expect(executor.metrics()).toMatchObject({ executions: 1, serializations: 2 })
    const whole = await subscribe('subscription { changed { id } }', alice, { how })
    await publish('c', { id: 2 })
    await take(whole)
    expect(mask).toHaveBeenCalledTimes(2)
  })

  test('that fails tells onError, once for all who have it, and shows nothing of the errors', async () => {
    const { subscribe, publish, executor, errors } = setUp()
    const failure = new Error('the masker is broken')
    const failing = () => {
      throw failure
    }
    const streams = [
      await subscribe(query, alice, { how: { maskResult: failing } }),
      await subscribe(query, alice, { how: { maskResult: failing } }),
    ]
    const other = await subscribe(query, bob)
    await publish('c', { id: 1 })
    for (const stream of streams) {
      const { data, errors: shown } = await take(stream)
      expect(data).toBeNull()
      expect(shown).toEqual([expect.objectContaining({ extensions: { code: 'INTERNAL_SERVER_ERROR' } })])
    }
    expect((await take(other)).data).toEqual({ changed: { id: 1, list: null, broken: null } })
    expect(errors).toEqual([failure])
    expect(executor.metrics().subscriptions.active).toBe(3)
  })

  test('of errors whose extensions point at each other ends', async () => {
    const node: Record<string, unknown> = {}
    node['edges'] = [
      { node, again: node },
      { node, again: node },
    ]
    const execution = () => ({ errors: [new GraphQLError('odd', { extensions: { node } })], data: null })
    const { subscribe, publish } = setUp({ execute: execution })
    const stream = await subscribe(query, alice, { how: { maskResult: (result) => result } })
    await publish('c', { id: 1 })
    expect((await take(stream)).errors?.[0]?.extensions).toEqual({ code: 'INTERNAL_SERVER_ERROR' })
  })
})

test('the bytes of a response are remembered for its untouched data, and for nothing else', async () => {
  const { subscribe, publish } = setUp({ execute: undefined })
  const streams = [
    await subscribe('subscription { changed { id } }'),
    await subscribe('subscription { changed { id } }', bob),
  ]
  await publish('c', { id: 1 })
  const [result, other] = (await Promise.all(streams.map(take))) as [ExecutionResult, ExecutionResult]
  const remembered = rememberedResponse({ ...result })
  expect(remembered?.bytes.toString()).toBe('{"data":{"changed":{"id":1}}}')
  expect(rememberedResponse(other)).toBe(remembered)
  const changed: ExecutionResult[] = [
    { data: structuredClone(result.data ?? null) },
    { data: { ...result.data } },
    { ...result, errors: [new GraphQLError('no')] },
    { ...result, extensions: {} },
    { ...result, hasNext: false } as ExecutionResult,
    { data: null },
    {},
  ]
  for (const candidate of changed) expect(rememberedResponse(candidate)).toBeUndefined()
})

test('a result with something beside its data is not remembered once that was taken away', async () => {
  const { subscribe, publish } = setUp({ execute: () => ({ data: { changed: null }, secret: 'x' }) as ExecutionResult })
  const stream = await subscribe(query)
  await publish('c', { id: 1 })
  const { data = null } = await take(stream)
  expect(rememberedResponse({ data })).toBeUndefined()
})

test('a result that JSON cannot hold is an error result for its group, and onError hears of it once', async () => {
  const { subscribe, publish, executor, errors } = serve(
    schemaOf('changed(big: Boolean): Json', {
      changed: fromChannel({ channel: 'c', share: 'tenant', resolve: (data, { big }) => (big ? 1n : data) }),
    }),
    { eventContext: () => ({}) },
  )
  const big = 'subscription { changed(big: true) }'
  const streams = [await subscribe(big), await subscribe(big, bob)]
  const other = await subscribe('subscription { changed }')
  await publish('c', 1)
  for (const stream of streams) {
    expect(await take(stream)).toEqual({
      errors: [expect.objectContaining({ extensions: { code: 'INTERNAL_SERVER_ERROR' } })],
      data: null,
    })
  }
  expect(await take(other)).toEqual({ data: { changed: 1 } })
  expect(errors).toEqual([expect.any(TypeError)])
  expect(executor.metrics().errors.byCode).toEqual({ UNKNOWN: 1 })
})
