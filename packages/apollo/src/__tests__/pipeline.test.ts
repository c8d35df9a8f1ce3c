import { type ApolloServerPlugin, type GraphQLRequestListener, HeaderMap } from '@apollo/server'
import { GraphQLError, type ValidationContext } from 'graphql'
import { describe, expect, it } from 'vitest'
import { openApollo, secret } from './open-apollo.ts'
import type { TestContext } from './apollo-host.ts'

const query = 'subscription { renamed { name } }'

/** Writes down which hooks Apollo Server calls. */
function witness(): { plugin: ApolloServerPlugin<TestContext>; called: string[] } {
  const called: string[] = []
  const listener: GraphQLRequestListener<TestContext> = {
    didResolveSource: async () => void called.push('didResolveSource'),
    parsingDidStart: async () => void called.push('parsingDidStart'),
    validationDidStart: async () => void called.push('validationDidStart'),
    didResolveOperation: async () => void called.push('didResolveOperation'),
    didEncounterErrors: async () => void called.push('didEncounterErrors'),
    responseForOperation: async () => {
      called.push('responseForOperation')
      return null
    },
    executionDidStart: async () => {
      called.push('executionDidStart')
      return { willResolveField: () => void called.push('willResolveField') }
    },
    willSendResponse: async () => void called.push('willSendResponse'),
  }
  const plugin: ApolloServerPlugin<TestContext> = {
    async requestDidStart({ contextValue }) {
      called.push('requestDidStart')
      Object.assign(contextValue, { tag: 'by a plugin' })
      return listener
    },
  }
  return { plugin, called }
}

const prepared = [
  'requestDidStart',
  'didResolveSource',
  'parsingDidStart',
  'validationDidStart',
  'didResolveOperation',
  'responseForOperation',
]

describe('the hooks of other plugins', () => {
  for (const [kind, document] of Object.entries({ query: '{ tag }', mutation: 'mutation { rename(name: "x") }' })) {
    it(`all run for a ${kind} over WebSocket, with a context that they may add to`, async () => {
      const { plugin, called } = witness()
      const { connect } = await openApollo({ apollo: { plugins: [plugin] } })
      expect(await connect().run({ query: document })).toEqual({
        data: kind === 'query' ? { tag: 'by a plugin' } : { rename: 'x' },
      })
      expect(called).toEqual([...prepared, 'executionDidStart', 'willResolveField', 'willSendResponse'])
    })
  }

  it('run for a subscription until it would be executed, and its executions are not theirs', async () => {
    const { plugin, called } = witness()
    const { active, connect, publish, subscribe } = await openApollo({
      apollo: { plugins: [plugin] },
      sluice: { scope: (context) => ({ tenantId: 'acme', tag: Reflect.get(context, 'tag') as unknown }) },
    })
    const subscribers = [connect().subscribe({ query: 'subscription { renamed { name } }' })]
    await active(1)
    expect(called).toEqual([...prepared, 'willSendResponse'])
    subscribers.push(subscribe(query))
    await active(2)
    called.length = 0
    await publish({ name: 'x' })
    for (const subscriber of subscribers)
      expect(await subscriber.received(1)).toEqual([{ data: { renamed: { name: 'x' } } }])
    expect(called).toEqual([])
  })

  it('decide the variables and the name of a subscription, as of a query', async () => {
    const pin: ApolloServerPlugin<TestContext> = {
      async requestDidStart() {
        return {
          async didResolveOperation({ request }) {
            request.variables = { ...request.variables, number: 7 }
          },
        }
      },
    }
    const { active, connect, publish, subscribe } = await openApollo({
      apollo: { plugins: [pin] },
      sluice: { execute: ({ variableValues }) => ({ data: { variables: { ...variableValues } } }) },
    })
    const document = 'subscription ($number: Int) { renamed(number: $number) { name } }'
    const subscribers = [
      connect().subscribe({ query: document, variables: { number: 1, junk: [[]] } }),
      subscribe(document),
    ]
    await active(2)
    await publish({ name: 'x' })
    // Nor is anything kept that the operation does not declare.
    for (const subscriber of subscribers)
      expect(await subscriber.received(1)).toEqual([{ data: { variables: { number: 7 } } }])
  })

  it('may answer instead of it, wherever they stand in the list', async () => {
    const limiter: ApolloServerPlugin<TestContext> = {
      async requestDidStart() {
        return {
          responseForOperation: async () => ({
            http: { headers: new HeaderMap() },
            body: { kind: 'single', singleResult: { errors: [{ message: 'Too many' }] } },
          }),
        }
      },
    }
    const { connect, server, sluice } = await openApollo({ pluginsAfter: [limiter] })
    expect(await connect().subscribe({ query }).refused()).toMatchObject([{ message: 'Too many' }])
    expect(await connect().run({ query: '{ hello }' })).toMatchObject({ errors: [{ message: 'Too many' }] })
    expect(sluice.executor.metrics().subscriptions.total).toBe(0)
    expect(server).toBeDefined()
  })

  it('may refuse an operation over WebSocket and SSE', async () => {
    const refuse: ApolloServerPlugin = {
      async requestDidStart() {
        return {
          async didResolveOperation() {
            throw new GraphQLError('Not in the list', { extensions: { code: 'UNLISTED' } })
          },
        }
      },
    }
    const { connect, sluice, subscribe } = await openApollo({ apollo: { plugins: [refuse] } })
    for (const subscriber of [connect().subscribe({ query }), subscribe(query)]) {
      expect(await subscriber.refused()).toMatchObject([
        { message: 'Not in the list', extensions: { code: 'UNLISTED' } },
      ])
    }
    expect(await connect().run({ query: '{ hello }' })).toMatchObject({
      errors: [{ extensions: { code: 'UNLISTED' } }],
    })
    expect(sluice.executor.metrics().subscriptions.total).toBe(0)
  })
})

describe("the server's own configuration", () => {
  it('of validation rules and introspection holds over WebSocket and SSE', async () => {
    const noNames = (context: ValidationContext) => ({
      Field: ({ name }: { name: { value: string } }) => {
        if (name.value === 'name') context.reportError(new GraphQLError('No names'))
      },
    })
    const { connect, subscribe } = await openApollo({ apollo: { validationRules: [noNames], introspection: false } })
    for (const subscriber of [connect().subscribe({ query }), subscribe(query)]) {
      expect(await subscriber.refused()).toMatchObject([
        { message: 'No names', extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } },
      ])
    }
    expect(await connect().run({ query: '{ __schema { queryType { kind } } }' })).toMatchObject({
      errors: [{ extensions: { validationErrorCode: 'INTROSPECTION_DISABLED' } }],
    })
  })

  it('of a field resolver and a root value holds for subscriptions', async () => {
    const { active, connect, publish } = await openApollo({
      apollo: { fieldResolver: (source, _args, _context, { fieldName }) => `${String(source[fieldName])}, resolved` },
    })
    const subscriber = connect().subscribe({ query })
    await active(1)
    await publish({ name: 'x' })
    expect(await subscriber.received(1)).toEqual([{ data: { renamed: { name: 'x, resolved' } } }])
    // Apollo Server puts resolvers of its own on all fields when it executes its first query.
    await connect().run({ query: '{ hello }' })
    await publish({ name: 'y' })
    expect((await subscriber.received(2))[1]).toEqual({ data: { renamed: { name: 'y, resolved' } } })
  })

  it('of no validation does not let another operation of the same name be executed', async () => {
    const { connect, post, sluice } = await openApollo({ apollo: { dangerouslyDisableValidation: true } })
    const twins = 'query A { hello } subscription A { renamed { name } }'
    expect(await post({ query: twins, operationName: 'A' })).toMatchObject({
      body: { errors: [{ extensions: { code: 'BAD_REQUEST' } }] },
    })
    const two = 'subscription A { renamed { name } } subscription A { renamed { tag } }'
    expect(await connect().subscribe({ query: two, operationName: 'A' }).refused()).toMatchObject([
      { extensions: { code: 'BAD_REQUEST' } },
    ])
    expect(sluice.executor.metrics().security.checks).toBe(0)
  })
})

describe('a subscription that is sent as a single request', () => {
  it('over HTTP is refused instead of executed without an event and a scope', async () => {
    const { post, server, sluice } = await openApollo()
    expect(await post({ query })).toMatchObject({
      status: 400,
      body: { errors: [{ extensions: { code: 'BAD_REQUEST' } }] },
    })
    const { body } = await server.executeOperation({ query })
    expect(body).toMatchObject({ kind: 'single', singleResult: { errors: [{ extensions: { code: 'BAD_REQUEST' } }] } })
    expect(sluice.executor.metrics().security.checks).toBe(0)
  })
})

describe('what comes by GET', () => {
  it('is a query or a subscription, and never a mutation', async () => {
    const { sluice, url } = await openApollo()
    const get = async (document: string) => {
      const response = await fetch(`${url}/stream?query=${encodeURIComponent(document)}`, {
        headers: { accept: 'text/event-stream', 'apollo-require-preflight': 'yes' },
      })
      return response.text()
    }
    expect(await get('{ hello }')).toContain('{"data":{"hello":"world"}}')
    const refused = await get('mutation { rename(name: "x") }')
    expect(refused).toContain('BAD_REQUEST')
    expect(sluice.executor.metrics().events.published).toBe(0)
  })

  it('is refused if a page of another site may have sent it', async () => {
    const { url } = await openApollo()
    const response = await fetch(`${url}/stream?query={hello}`, { headers: { accept: 'text/event-stream' } })
    expect(response.status).toBe(400)
    expect(await response.text()).not.toContain(secret)
  })
})
