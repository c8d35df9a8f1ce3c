import { inspect } from 'node:util'
import { createSubscriptionExecutor, SHARED, type SubscriptionExecutor } from '@sluice/core'
import { type Subscriber, until } from '@sluice/testkit'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { SECRET } from '../packages/testkit/src/host/contract/item-schema.ts'
import { onExpress, onNodeHttp, startApollo } from './apollo-server.ts'
import { clientsOf, type Transport, transports } from './clients.ts'
import { startFastify } from './fastify-server.ts'
import { startGraphqlWs, startNodeHttp } from './hand-made-servers.ts'
import { type Leak, literal, singleLeaks, subscriptionLeaks, type Told, unlucky } from './leaks.ts'
import {
  channelFields,
  internalError,
  leakyBus,
  type LeakyData,
  type LeakyField,
  leakySchema,
  sourceField,
  withFilter,
} from './leaky-schema.ts'
import { recordingProxy } from './recording-proxy.ts'
import type { ServerAddress, StartServer, TestServer } from './test-server.ts'
import { ann, contextOfUser, type User, type UserContext } from './users.ts'
import { startYoga } from './yoga-server.ts'

interface MaskingServer {
  readonly name: string
  readonly start: StartServer
  /** Its own masking leaves out what is found by validation, over HTTP as everywhere. */
  readonly showsValidation?: boolean
  /** It writes single results as events itself, and never ends one that JSON cannot hold. */
  readonly writesSingleResults?: boolean
}

const servers: readonly MaskingServer[] = [
  { name: 'GraphQL Yoga', start: startYoga, showsValidation: true, writesSingleResults: true },
  { name: 'Apollo Server on Express', start: startApollo(onExpress) },
  { name: 'Apollo Server on node:http', start: startApollo(onNodeHttp) },
  { name: 'Apollo Server without the option server', start: startApollo(onNodeHttp, false) },
  { name: 'Envelop on Fastify', start: startFastify, showsValidation: true },
  { name: 'graphql-ws by hand', start: startGraphqlWs },
  { name: 'node:http by hand', start: startNodeHttp },
]

for (const { name, start, showsValidation = false, writesSingleResults = false } of servers) {
  describe(`the masking of ${name}`, () => {
    let server: TestServer
    /** What `onError` of the executor and the server's own log heard. */
    const heard: unknown[] = []

    beforeAll(async () => {
      const hear = (error: unknown): void => void heard.push(error)
      server = await start({
        schema: leakySchema(),
        context: contextOf,
        log: hear,
        sluice: { bus: leakyBus(), scope: scopeOf, eventContext, onError: hear },
      })
    })
    afterAll(async () => {
      await server.stop()
    })

    for (const transport of transports) {
      for (const leak of subscriptionLeaks.filter(({ what }) => !(showsValidation && what === literal))) {
        it(`lets nothing of ${leak.what} through over ${transport}, for any share`, async () => {
          const proxy = await recordingProxy(server.address)
          const subscribe = subscriberOn(transport, { ...server, address: proxy.address }, leak.user ?? ann)
          heard.length = 0
          const { total } = server.executor.metrics().subscriptions
          const fields = fieldsOf(leak)
          // Two of each: what is masked for a whole group has to be masked for its second member too.
          const subscribers = [...fields, ...fields].map((field) => ({
            field,
            subscriber: subscribe(requestOf(leak, field)),
          }))
          if (leak.told !== 'in a refusal') {
            await until(
              () => server.executor.metrics().subscriptions.total === total + subscribers.length,
              () => `all run: ${inspect(subscribers, { depth: 5 })}`,
            )
            await publishTwo(server.executor, leak)
          }
          for (const { field, subscriber } of subscribers) {
            await expectTold(subscriber, leak.told, field)
            expect(toldTo(subscriber), field).not.toContain(SECRET)
            subscriber.complete()
          }
          await until(() => server.executor.metrics().subscriptions.active === 0, 'nothing is left')
          expectNoSecretIn(proxy.received())
          expectHeard(heard, leak.heard)
        })
      }

      for (const { what, operation, variableValues, user = ann, heard: expected } of singleLeaks) {
        if (showsValidation && what === literal) continue
        if (writesSingleResults && transport === 'SSE' && /toJSON|JSON cannot hold/.test(what)) continue
        it(`lets nothing of ${what} through over ${transport}, in a query or mutation`, async () => {
          const proxy = await recordingProxy(server.address)
          const clients = clientsOf({ ...server, address: proxy.address })
          for (const kind of ['query', 'mutation']) {
            heard.length = 0
            const query = `${kind} ${operation}`
            const subscriber = clients.subscribe(transport, user, {
              query,
              ...(variableValues && { variables: variableValues }),
            })
            await subscriber.ended
            expect(errorsOf(subscriber), kind).not.toEqual([])
            expect(toldTo(subscriber), kind).not.toContain(SECRET)
            expectHeard(heard, expected)
          }
          expectNoSecretIn(proxy.received())
        })
      }
    }

    for (const transport of showsValidation ? transports : []) {
      it(`shows over ${transport} what a custom scalar says of a literal exactly as it does over HTTP`, async () => {
        const clients = clientsOf(server)
        for (const query of ['query { guarded(value: "x") }', 'mutation { guarded(value: "x") }']) {
          const [error] = (await clients.post(ann, query)).errors ?? []
          const subscriber = clients.subscribe(transport, ann, query)
          await subscriber.ended
          expect(error?.message).toContain(SECRET)
          expect(errorsOf(subscriber)).toMatchObject([{ message: error?.message }])
        }
      })
    }
  })
}

/** What register tells nobody, masked or not: these are its own matters. */
const hiddenByRegister = /eventContext|filter|toJSON|JSON cannot hold|share|bus|source/

describe('the masking of executor.register', () => {
  for (const leak of subscriptionLeaks) {
    if (leak.user !== undefined) continue // register is told who it is
    for (const maskErrors of [undefined, false]) {
      const isHidden = maskErrors !== false || hiddenByRegister.test(leak.what)
      const how = maskErrors === false ? 'where it is off' : 'by default'
      it(`${isHidden ? 'tells nothing' : 'tells as graphql-js does'} of ${leak.what}, ${how}`, async () => {
        const heard: unknown[] = []
        const executor = createSubscriptionExecutor({
          schema: leakySchema(),
          bus: leakyBus(),
          eventContext,
          onError: (error) => heard.push(error),
        })
        onTestFinished(() => executor.dispose())
        for (const field of fieldsOf(leak)) {
          const told = await messagesOf(executor, leak, field, maskErrors)
          if (isHidden) expect(told, field).not.toContain(SECRET)
          else expect(told, field).toContain(SECRET)
        }
        if (isHidden) expectHeard(heard, leak.heard)
        else expect(heard).toEqual([])
      })
    }
  }
})

/** Everything that register, or its messages up to that of the second event, say. */
async function messagesOf(
  executor: SubscriptionExecutor,
  leak: Leak,
  field: LeakyField,
  maskErrors: boolean | undefined,
): Promise<string> {
  const { query, variables } = requestOf(leak, field)
  const told: unknown[] = []
  try {
    const registration = await executor.register({
      connectionId: 'a connection',
      subscriptionId: field,
      query,
      variables,
      tenantId: ann.tenantId,
      userId: ann.userId,
      maskErrors,
    })
    await publishTwo(executor, leak)
    for await (const message of registration) {
      told.push(String(message))
      if (String(message).includes('"id":"2"')) break
    }
  } catch (error) {
    told.push(error, (error as { readonly errors?: unknown }).errors)
  }
  return inspect(told, { depth: 9 })
}

/** Subscribes on one socket, or on a response of its own each time. */
function subscriberOn(transport: Transport, server: ServerAddress, user: User) {
  const clients = clientsOf(server)
  if (transport === 'SSE') return (request: RequestOf) => clients.subscribe('SSE', user, request)
  const socket = clients.connect(user)
  return (request: RequestOf) => socket.subscribe(request)
}

function contextOf(authorization: string | undefined): UserContext {
  const context = contextOfUser(authorization)
  if (context.user?.userId === unlucky.context.userId) throw internalError()
  return context
}

function scopeOf({ user }: UserContext) {
  if (user?.userId === unlucky.scope.userId) throw internalError()
  return user?.userId === unlucky.scopeLater.userId ? Promise.reject(internalError()) : user
}

function eventContext({ event }: { readonly event: { readonly data: unknown } }) {
  const { fails } = event.data as LeakyData
  if (fails === 'context') throw internalError()
  return fails === 'context, later' ? Promise.reject(internalError()) : {}
}

function fieldsOf({ fields = [...channelFields, sourceField] }: Leak): readonly LeakyField[] {
  return fields
}

type RequestOf = ReturnType<typeof requestOf>

function requestOf(leak: Leak, field: LeakyField) {
  const { isFiltered = false, args = '', variables = '', variableValues = {}, selection = '', fails } = leak
  const name = isFiltered ? withFilter(field) : field
  const channel = leak.channel ?? (field === sourceField && fails !== undefined ? fails : 'items')
  return {
    query: `subscription ${variables} { ${name}(channel: "${channel}" ${args}) { id ${selection} } }`,
    variables: { ...variableValues },
  }
}

/** The event that fails, and another; to the tenant, and to all. */
async function publishTwo(executor: SubscriptionExecutor, { fails = 'resolvers' }: Leak): Promise<void> {
  const items: readonly LeakyData[] = [{ id: '1', fails }, { id: '2' }]
  for (const data of items) {
    await executor.publish({ tenantId: ann.tenantId, channel: 'items', type: 'item', data })
    await executor.publish({ tenantId: SHARED, channel: 'items', type: 'item', data })
  }
}

async function expectTold(subscriber: Subscriber, how: Told, field: string): Promise<void> {
  switch (how) {
    case 'in a refusal':
      expect(await subscriber.refused(), field).not.toEqual([])
      return
    case 'nowhere':
      expect((await subscriber.received(1)).map(isSecond), field).toEqual([true])
      return
    case 'in a result': {
      const [failed, second] = await subscriber.received(2)
      expect(failed?.errors?.length, field).toBeGreaterThan(0)
      expect(second !== undefined && isSecond(second), field).toBe(true)
      return
    }
    case 'in a result or the end':
      await until(
        () => subscriber.end !== undefined || subscriber.results.some(isSecond),
        () => `${field} goes on or ends: ${toldTo(subscriber)}`,
      )
      expect(errorsOf(subscriber), field).not.toEqual([])
  }
}

/** Whether it is the result for the event that does not fail, and says so. */
function isSecond({ data, errors }: Subscriber['results'][number]): boolean {
  return errors === undefined && JSON.stringify(data).includes('"id":"2"')
}

/** Whatever errors a subscriber was told, wherever. */
function errorsOf({ end, results }: Subscriber): readonly unknown[] {
  return [...results.flatMap(({ errors = [] }) => errors), ...(end?.kind === 'errors' ? end.errors : [])]
}

/** All that the client's library told. */
function toldTo({ end, results }: Subscriber): string {
  return inspect([end, results], { depth: 9, showHidden: true })
}

function expectNoSecretIn(bytes: string): void {
  const index = bytes.indexOf(SECRET)
  // What stands before it says where it came from.
  expect(index === -1 ? '' : bytes.slice(Math.max(0, index - 300), index + 100)).toBe('')
}

function expectHeard(heard: readonly unknown[], what: string = SECRET): void {
  expect(inspect(heard, { depth: 9, showHidden: true })).toContain(what)
}
