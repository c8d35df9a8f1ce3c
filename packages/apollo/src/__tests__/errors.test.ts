import { GraphQLError, type GraphQLFormattedError } from 'graphql'
import { describe, expect, it } from 'vitest'
import { openApollo, secret } from './open-apollo.ts'

const broken = 'subscription { renamed { name broken } }'

describe('formatError', () => {
  it('is called once per error, group and event, for whatever the number of subscribers and transports', async () => {
    const seen: GraphQLFormattedError[] = []
    const { active, connect, publish, subscribe } = await openApollo({
      apollo: {
        formatError(formatted) {
          seen.push(formatted)
          return { message: 'hidden', extensions: { code: 'HIDDEN', at: formatted.path } }
        },
      },
    })
    const subscribers = [
      ...Array.from({ length: 20 }, () => connect().subscribe({ query: broken })),
      ...Array.from({ length: 5 }, () => subscribe(broken)),
    ]
    await active(25)
    for (const name of ['x', 'y']) await publish({ name })
    for (const subscriber of subscribers) {
      expect(await subscriber.received(2)).toEqual(
        ['x', 'y'].map((name) => ({
          data: { renamed: { name, broken: null } },
          errors: [{ message: 'hidden', extensions: { code: 'HIDDEN', at: ['renamed', 'broken'] } }],
        })),
      )
    }
    expect(seen).toMatchObject([
      { message: secret, path: ['renamed', 'broken'], extensions: { code: 'INTERNAL_SERVER_ERROR' } },
      { message: secret, path: ['renamed', 'broken'], extensions: { code: 'INTERNAL_SERVER_ERROR' } },
    ])
  })

  it('that throws lets nothing through', async () => {
    const { active, connect, publish } = await openApollo({
      apollo: {
        formatError() {
          throw new Error(secret)
        },
      },
    })
    const subscriber = connect().subscribe({ query: broken })
    await active(1)
    await publish({ name: 'x' })
    const [result] = await subscriber.received(1)
    expect(result?.errors).toEqual([
      { message: 'Internal server error', extensions: { code: 'INTERNAL_SERVER_ERROR' } },
    ])
  })

  it('is applied to what a context function and a source stream say to the client', async () => {
    const hidden = { message: 'hidden', extensions: { code: 'HIDDEN' } }
    const source = await openApollo({ apollo: { formatError: () => hidden } })
    const query = 'subscription { failing { name } }'
    const socket = source.connect().subscribe({ query })
    expect(await socket.ended).toEqual({ kind: 'errors', errors: [hidden] })
    const stream = source.subscribe(query)
    expect(await stream.ended).toEqual({ kind: 'complete' })
    expect(stream.results).toEqual([{ data: { failing: { name: 'first' } } }, { errors: [hidden] }])
    const refusing = await openApollo({
      apollo: { formatError: () => hidden },
      sluice: {
        context: () => {
          throw new GraphQLError(secret, { extensions: { http: { status: 401 } } })
        },
      },
    })
    for (const subscriber of [refusing.connect().subscribe({ query: broken }), refusing.subscribe(broken)])
      expect(await subscriber.refused()).toEqual([hidden])
    expect(Object.isFrozen(hidden)).toBe(false) // it is the application's
  })

  it('is applied to the errors for which a subscription is refused', async () => {
    const { connect, subscribe } = await openApollo({
      apollo: { formatError: ({ message, extensions }) => ({ message: `${message}!`, extensions: extensions ?? {} }) },
    })
    const query = 'subscription { refusing { name } }'
    for (const subscriber of [connect().subscribe({ query }), subscribe(query)]) {
      // What is for Apollo's HTTP responses is not for clients.
      expect(await subscriber.refused()).toEqual([{ message: 'not today!', extensions: { code: 'CLOSED' } }])
    }
  })
})

describe('the errors of a subscription', () => {
  it('have a stack trace exactly where the server shows them', async () => {
    for (const isShown of [true, false]) {
      const { active, connect, publish } = await openApollo({ apollo: { includeStacktraceInErrorResponses: isShown } })
      const subscriber = connect().subscribe({ query: broken })
      await active(1)
      await publish({ name: 'x' })
      const [result] = await subscriber.received(1)
      const { stacktrace } = (result?.errors?.[0]?.extensions ?? {}) as { stacktrace?: string[] }
      if (isShown) expect(stacktrace?.[0]).toContain(secret)
      else expect(stacktrace).toBeUndefined()
    }
  })

  it('say that a wrong variable is the client’s, as for a query', async () => {
    const { connect, subscribe } = await openApollo()
    const query = 'subscription ($number: Int) { renamed(number: $number) { name } }'
    const refused = await connect()
      .subscribe({ query, variables: { number: 'none' } })
      .refused()
    expect(refused).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
    const wrong = await subscribe('subscription { renamed(number: "none") { name } }').refused()
    expect(wrong).toMatchObject([{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }])
    const question = 'query ($number: Int!) { echo(number: $number) }'
    expect(await connect().run({ query: question, variables: { number: 'none' } })).toMatchObject({
      errors: [{ extensions: { code: 'BAD_USER_INPUT' } }],
    })
  })

  it('are masked if this version of the server keeps its configuration elsewhere', async () => {
    const { active, connect, errors, publish, server } = await openApollo()
    const { includeStacktraceInErrorResponses: _, ...internals } = Reflect.get(server, 'internals') as object & {
      includeStacktraceInErrorResponses: boolean
    }
    Reflect.set(server, 'internals', internals)
    const subscriber = connect().subscribe({ query: broken })
    await active(1)
    await publish({ name: 'x' })
    const [result] = await subscriber.received(1)
    expect(result?.errors).toMatchObject([{ message: 'Internal server error' }])
    expect(errors).toHaveLength(1)
  })
})

describe('a context function that fails', () => {
  it('is told without its message, and reported', async () => {
    const { connect, errors, subscribe } = await openApollo({
      sluice: {
        context: () => {
          throw new Error(secret)
        },
      },
    })
    for (const subscriber of [
      connect().subscribe({ query: broken }),
      connect().subscribe({ query: '{ hello }' }),
      subscribe(broken),
    ]) {
      const refused = await subscriber.refused()
      expect(refused).toMatchObject([{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }])
      expect(JSON.stringify(refused)).not.toContain(secret)
    }
    expect(errors).toHaveLength(3)
  })
})
