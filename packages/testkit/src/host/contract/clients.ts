import { extendSchema, type GraphQLFormattedError, type GraphQLSchema, parse } from 'graphql'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { OpenRealClient, RealClient, RealClientRequest } from '../clients/real-client.ts'
import { realClients } from '../clients/real-clients.ts'
import type { HostFactory } from '../host-factory.ts'
import type { Subscriber } from '../subscriber.ts'
import { type Fixture, headersOf, openHost, transportsOf, type Who } from './fixture.ts'
import { itemSchema, SECRET } from './item-schema.ts'

const acme = { tenantId: 'acme', userId: 'ann' }
const items = itemsWith('id text')

/** What an application is built with does with the host what it does with any other. */
export function clientsContract(factory: HostFactory): void {
  const transports = transportsOf(factory)
  for (const client of realClients.filter(({ transport }) => transports.includes(transport))) {
    describe(`the real client ${client.name}`, () => {
      deliversTo(client, factory)
      tellsErrorsTo(client, factory)
      endsFor(client, factory)
    })
  }
}

function deliversTo(client: RealClient, factory: HostFactory): void {
  it('gets the events in order, of an execution that it shares with another library', async () => {
    const fixture = await openHost(factory)
    const subscriber = open(client, fixture, acme).subscribe(items)
    // Some libraries always name the operation; whoever uses graphql-ws by itself often does not.
    const { operationName: _, ...unnamed } = client.addsTypename ? itemsWith('id text __typename') : items
    const other = fixture.subscribe('WebSocket', acme, unnamed)
    await fixture.active(2)
    const ids = ['1', '2', '3']
    for (const id of ids) await fixture.publish({ id, text: `text ${id}` })
    for (const each of [subscriber, other]) {
      const results = await each.received(ids.length)
      expect(results.map(({ errors }) => errors)).toEqual(ids.map(() => undefined))
      expect(results.map(({ data }) => data)).toEqual(ids.map((id) => itemOf(client, { id, text: `text ${id}` })))
    }
    const { events, executions, groups } = fixture.host.executor.metrics()
    expect([groups.active, executions, events.delivered]).toEqual([1, 3, 6])
  })
}

function tellsErrorsTo(client: RealClient, factory: HostFactory): void {
  it('gets the errors of a result beside its data, and goes on', async () => {
    const { maskedErrors } = factory.features
    const fixture = await openHost(factory)
    const subscriber = open(client, fixture, acme).subscribe(itemsWith('id broken refused'))
    await fixture.active(1)
    for (const id of ['1', '2']) await fixture.publish({ id })
    const results = await subscriber.received(2)
    const data = ['1', '2'].map((id) => itemOf(client, { id, broken: null, refused: null }))
    expect(results.map((result) => result.data)).toEqual(data)
    for (const { errors = [] } of results) {
      const refused = errors.find(({ extensions }) => extensions?.['code'] === 'REFUSED')
      const broken = errors.find((error) => error !== refused)
      expect(errors).toHaveLength(2)
      expect(refused?.message).toBe('Not for you')
      if (maskedErrors === 'none') expect(broken?.message).toBe(SECRET)
      else expect(broken?.message).toEqual(expect.stringMatching(/./))
    }
    if (maskedErrors !== 'none') expect(JSON.stringify(results)).not.toContain(SECRET)
  })

  it('is told of a refusal, once', async () => {
    const fixture = await openHost(factory)
    const subscriber = open(client, fixture, undefined).subscribe(items)
    const refused = await refusalOf(subscriber)
    expect(refused.map(({ extensions }) => extensions?.['code'])).toEqual(['UNAUTHENTICATED'])
    const { security, subscriptions } = fixture.host.executor.metrics()
    expect([security.rejected.scope, subscriptions.total]).toEqual([1, 0])
  })

  it('is told of an operation that the schema has no more', async () => {
    const fixture = await openHost(factory)
    const schema = extendSchema(itemSchema(), parse('extend type Item { gone: String }'))
    const subscriber = open(client, fixture, acme, schema).subscribe(itemsWith('id gone'))
    const refused = await refusalOf(subscriber)
    expect(refused).toHaveLength(1)
    expect(refused[0]?.message).toEqual(expect.stringMatching(/./))
    expect(fixture.host.executor.metrics().subscriptions.total).toBe(0)
  })
}

function endsFor(client: RealClient, factory: HostFactory): void {
  it('unsubscribes from what it has enough of, and from nothing else', async () => {
    const fixture = await openHost(factory)
    const library = open(client, fixture, acme)
    const [going, staying] = ['items', 'others'].map((channel) =>
      library.subscribe({ ...items, variables: { channel } }),
    )
    await fixture.active(2)
    for (const channel of ['items', 'others']) await fixture.publish({ id: '1' }, { channel })
    for (const subscriber of [going, staying]) await subscriber?.received(1)
    going?.complete()
    await fixture.active(1)
    for (const channel of ['items', 'others']) await fixture.publish({ id: '2' }, { channel })
    await staying?.received(2)
    expect(going?.results).toHaveLength(1)
    staying?.complete()
    await fixture.released()
  })

  it('completes when the server stops', async () => {
    const fixture = await openHost(factory)
    const subscriber = open(client, fixture, acme).subscribe(items)
    await fixture.active(1)
    await fixture.publish({ id: 'the last one' })
    await fixture.stop()
    expect(await subscriber.ended).toEqual({ kind: 'complete' })
    expect(subscriber.results).toHaveLength(1)
  })
}

/** A client of the host, until the test is over. */
function open(client: RealClient, { host }: Fixture, who: Who, schema: GraphQLSchema = itemSchema()): OpenRealClient {
  const url = { WebSocket: host.wsUrl, SSE: host.sseUrl }[client.transport]
  if (url === undefined) throw new Error('the host claims SSE and has to give sseUrl')
  const opened = client.open({ url, headers: headersOf(who), schema })
  onTestFinished(() => opened.dispose())
  return opened
}

function itemsWith(selection: string): RealClientRequest {
  const query = `subscription Items($channel: String!) { ofTenant(channel: $channel) { ${selection} } }`
  return { query, operationName: 'Items', variables: { channel: 'items' } }
}

function itemOf({ addsTypename }: RealClient, item: object): object {
  return { ofTenant: addsTypename ? { ...item, __typename: 'Item' } : item }
}

/** Libraries tell of it as an error or as a result without data, and some forget to say that this was the end. */
async function refusalOf(subscriber: Subscriber): Promise<readonly GraphQLFormattedError[]> {
  await Promise.race([subscriber.ended, subscriber.received(1)])
  const { end, results } = subscriber
  if (end?.kind === 'errors') return end.errors
  const [result] = results
  if (result?.errors === undefined || result.data != null)
    throw new Error(`it was not refused: ${JSON.stringify([end, results])}`)
  return result.errors
}
