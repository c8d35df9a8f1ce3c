import { expect, test } from 'vitest'
import { fromChannel } from '../channel/from-channel.ts'
import { HandSource } from '../subscription/__tests__/hand-source.ts'
import { alice, nextTurn, schemaOf, serve, take } from './service.ts'

const query = 'subscription { changed }'
const done = { done: true, value: undefined }

function version(name: string, source?: HandSource) {
  return schemaOf('changed: Json foreign: Json', {
    changed: fromChannel({ channel: 'c', share: 'tenant', resolve: () => name }),
    foreign: { subscribe: () => source, resolve: () => name },
  })
}

const eventContext = () => ({})

test('with "keep" running groups keep their schema, and new subscriptions get the new one', async () => {
  const [first, second] = [version('first'), version('second')]
  const { subscribe, publish, executor } = serve(first, { eventContext })
  const early = await subscribe(query)
  executor.setSchema(second)
  const late = await subscribe(query, alice, { args: { schema: second } })
  await publish('c', 1)
  expect([await take(early), await take(late)]).toEqual([
    { data: { changed: 'first' } },
    { data: { changed: 'second' } },
  ])
  expect(executor.metrics().groups.active).toBe(2)
})

test('with "end" the subscriptions of the old schema end with complete, after what waits for their readers', async () => {
  const source = new HandSource()
  const [first, second] = [version('first', source), version('second')]
  const { subscribe, publish, executor } = serve(first, { eventContext, onSchemaChange: 'end' })
  const early = await subscribe(query)
  const foreign = await subscribe('subscription { foreign }')
  const late = await subscribe(query, alice, { args: { schema: second } })
  await publish('c', 1)
  const pending = foreign.next()
  executor.setSchema(second)
  expect(await take(early)).toEqual({ data: { changed: 'first' } })
  expect(await early.next()).toEqual(done)
  expect(await pending).toEqual(done)
  expect(source.returnCount).toBe(1)
  await publish('c', 2)
  expect([await take(late), await take(late)]).toEqual([
    { data: { changed: 'second' } },
    { data: { changed: 'second' } },
  ])
  expect(executor.metrics().subscriptions.active).toBe(1)
})

test('the same schema again, and the first one, end nothing', async () => {
  const schema = version('first')
  const { subscribe, executor } = serve(schema, { schema: undefined, eventContext, onSchemaChange: 'end' })
  await subscribe(query)
  executor.setSchema(schema)
  executor.setSchema(schema)
  expect(executor.metrics().subscriptions.active).toBe(1)
})

test('register uses the schema of the moment', async () => {
  const { executor, publish } = serve(version('first'), { eventContext })
  const request = { connectionId: 'c', query, tenantId: 't' }
  await executor.register({ ...request, subscriptionId: '1' })
  executor.setSchema(version('second'))
  await executor.register({ ...request, subscriptionId: '2' })
  await publish('c', 1)
  const values = ['1', '2'].map((subscriptionId) => String(executor.nextMessage({ connectionId: 'c', subscriptionId })))
  expect(values).toEqual([expect.stringContaining('"first"'), expect.stringContaining('"second"')])
})

test('a schema that is refused changes nothing', async () => {
  const { executor, subscribe, publish } = serve(version('first'), { schema: undefined, onSchemaChange: 'end' })
  const good = schemaOf('changed: Json', { changed: fromChannel({ channel: 'c' }) })
  executor.setSchema(good)
  const stream = await subscribe(query, alice, { args: { schema: good } })
  expect(() => executor.setSchema(version('wide'))).toThrow(expect.objectContaining({ code: 'BAD_CONFIG' }))
  await publish('c', 1)
  await nextTurn()
  expect(await take(stream)).toEqual({ data: { changed: 1 } })
})
