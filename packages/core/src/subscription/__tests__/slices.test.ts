import { expect, test } from 'vitest'
import { nextTurn, schemaOf, serve, take } from '../../__tests__/service.ts'
import { fromChannel } from '../../channel/from-channel.ts'
import type { EncodedResponse } from '../../delivery/encoded-response.ts'
import type { PushStream } from '../../delivery/response-stream.ts'

const schema = schemaOf('changed(work: Int): Json', {
  changed: fromChannel({
    channel: 'c',
    share: 'tenant',
    resolve: (data, { work }) => (work ? busyFor(work, data) : data),
  }),
})
const query = 'subscription { changed }'

function service() {
  return serve(schema, { eventContext: () => ({}) })
}

function busyFor<T>(ms: number, value?: T): T | undefined {
  const end = performance.now() + ms
  while (performance.now() < end);
  return value
}

interface SlowMember {
  readonly stream: PushStream
  readonly got: string[]
  readonly turns: number[]
}

/** Members for whom it takes a moment to be handed a response, with the turn of the event loop in which they were. */
async function slowMembers(
  subscribe: () => Promise<PushStream>,
  count: number,
  turn: () => number,
): Promise<SlowMember[]> {
  const members: SlowMember[] = []
  for (let n = 0; n < count; n += 1) {
    const member: SlowMember = { stream: await subscribe(), got: [], turns: [] }
    const next = ({ bytes }: EncodedResponse) => {
      busyFor(0.1)
      member.got.push(bytes.toString())
      member.turns.push(turn())
    }
    member.stream.pushTo({ next, complete: () => undefined, error: () => undefined })
    members.push(member)
  }
  return members
}

test('a delivery to very many leaves the event loop its turns, also to those who leave and join in between', async () => {
  const { subscribe, publish, executor } = service()
  let turn = 0
  const members = await slowMembers(
    () => subscribe(query),
    600,
    () => turn,
  )
  const leavers = members.filter((_, index) => index % 7 === 0)
  let late: PushStream | undefined
  const published = publish('c', 1)
  void publish('c', 2)
  for (; members.at(-1)?.got.length !== 2; turn += 1) {
    await nextTurn()
    if (turn === 0) {
      for (const { stream } of leavers) await stream.return(undefined)
      late = await subscribe(query)
      await publish('c', 3)
    }
    expect(turn).toBeLessThan(1000)
  }
  await published
  await executor.drain()
  const messages = [1, 2, 3].map((n) => `{"data":{"changed":${n}}}`)
  for (const member of members) {
    expect(member.got).toEqual(leavers.includes(member) ? messages.slice(0, member.got.length) : messages)
  }
  // The first slice reached some of those who left, and not all of them.
  expect(new Set(leavers.map(({ got }) => got.length))).toEqual(new Set([0, 1]))
  expect(members.at(-1)?.turns[0]).toBeGreaterThan(members[1]?.turns[0] as number)
  expect(await take(late as PushStream)).toEqual({ data: { changed: 3 } })
  expect(executor.metrics().executions).toBe(3)
})

test('executions of many groups leave the event loop its turns', async () => {
  const { subscribe, publish } = service()
  const streams: PushStream[] = []
  for (let n = 0; n < 20; n += 1) streams.push(await subscribe(`subscription { alias${n}: changed(work: 2) }`))
  let turns = 0
  let isDone = false
  const counting = (async () => {
    while (!isDone) {
      await nextTurn()
      turns += 1
    }
  })()
  await publish('c', 1)
  for (const stream of streams) await take(stream)
  isDone = true
  await counting
  expect(turns).toBeGreaterThan(2)
})

test('a reader that does not read holds up neither its group nor the others', async () => {
  const { subscribe, publish } = service()
  const asleep = await subscribe(query)
  const awake = await subscribe(query)
  for (let n = 0; n < 50; n += 1) {
    await publish('c', n)
    expect(await take(awake)).toEqual({ data: { changed: n } })
  }
  for (let n = 0; n < 50; n += 1) expect(await take(asleep)).toEqual({ data: { changed: n } })
})

test('what a resolver publishes is executed too, in its order', async () => {
  const resolve = (data: number) => {
    if (data < 3) void served.publish('c', data + 1)
    return data
  }
  const served = serve(schemaOf('changed: Int', { changed: fromChannel({ channel: 'c', resolve }) }))
  const stream = await served.subscribe(query)
  await served.publish('c', 1)
  for (const n of [1, 2, 3]) expect(await take(stream)).toEqual({ data: { changed: n } })
})
