import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type SubscribeOptions, send, subscribe, type Subscriber } from '../src/clients.ts'
import { demonstrate } from '../src/demonstrate.ts'
import { PEOPLE, type Person, tokenOf } from '../src/people.ts'
import { type DeskServer, startDeskServer } from '../src/server.ts'
import { curlsIn } from './curl.ts'
import { startExample } from './example-process.ts'

const { ada, abe, cleo, gil, gwen } = PEOPLE
const ticketChanged = 'subscription { ticketChanged { id status note } }'
const transports = ['WebSocket', 'SSE'] as const

describe('npm run example:apollo', () => {
  it('with --once prints what each client received, and exits with 0', async () => {
    await using example = startExample('--once', '--port', '0')
    const { code, output } = await example.end
    expect({ code, lines: output.split('\n').map((line) => line.trim()) }).toEqual({
      code: 0,
      lines: [
        'Sluice example · a support desk of two companies on Apollo Server',
        '',
        'acme    ada   staff     WebSocket          ← #101 OPEN, #101 ANSWERED "refund up to 40 EUR"',
        'acme    abe   staff     WebSocket          ← #101 OPEN, #101 ANSWERED "refund up to 40 EUR"',
        'acme    cleo  customer  SSE                ← #101 OPEN, #101 ANSWERED',
        'globex  gil   staff     WebSocket, urgent  ← #201 ANSWERED "batch 7, recall it"',
        'globex  gwen  customer  SSE                ← #201 OPEN, #201 ANSWERED',
        'each received what is theirs and nothing else; 4 events, 7 executions, 9 deliveries',
        '',
      ],
    })
  })

  it('prints commands that work when they are pasted', async () => {
    await using example = startExample('--port', '0')
    const [follow, answer] = curlsIn(await example.invitation)
    if (!follow || !answer) throw new Error('there are no two commands')
    const stream = await fetch(follow)
    expect(await (await fetch(answer)).json()).toEqual({
      data: { answerTicket: { id: '201', status: 'ANSWERED', note: 'batch 7, recall it' } },
    })
    example.kill('SIGINT')
    expect(await stream.text()).toContain('{"data":{"ticketChanged":{"id":"201","status":"ANSWERED","note":null}}}')
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('stays up until %s, takes leave, and exits with 0', async (signal) => {
    await using example = startExample('--port', '0')
    const url = /GraphQL +(\S+)\/graphql /.exec(await example.invitation)?.[1] ?? ''
    const subscribers = transports.map((transport) =>
      subscribe({ url, transport, token: tokenOf(ada), query: ticketChanged }),
    )
    // Nothing tells over a socket that a subscription has begun but its first event.
    while (subscribers.some(({ received }) => received.length === 0)) {
      await send(url, tokenOf(ada), 'mutation { openTicket(subject: "?") { id } }')
    }
    example.kill(signal)
    expect(await Promise.all(subscribers.map(({ end }) => end))).toEqual([undefined, undefined])
    expect(await example.end).toMatchObject({ code: 0 })
  })

  it('with --help says what there is', async () => {
    await using example = startExample('--help')
    expect(await example.end).toEqual({
      code: 0,
      output: expect.stringMatching(/--port <number>[^]*--host <name>[^]*--once/),
    })
  })

  it.each([
    [['--prot', '4000'], /--prot/],
    [['--port', 'http'], /--port takes a number from 0 to 65535, not "http"/],
    [['--port', '65536'], /--port takes a number from 0 to 65535, not "65536"/],
    [['--host='], /--host takes a name or an address/],
    [['extra'], /extra/],
  ])('refuses %j with 2', async (args, message) => {
    await using example = startExample(...args)
    expect(await example.end).toEqual({ code: 2, output: expect.stringMatching(message) })
  })

  it('says so if the port that was asked for is in use', async () => {
    const other = createServer().listen(0, 'localhost')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    try {
      await using example = startExample('--once', '--port', String(port))
      expect(await example.end).toEqual({
        code: 1,
        output: expect.stringContaining(`localhost:${port} is in use. Choose another port with --port`),
      })
    } finally {
      other.close()
    }
  })
})

describe('the support desk', () => {
  let server: DeskServer
  let subscribers: Subscriber<unknown>[]

  beforeEach(async () => {
    server = await startDeskServer()
    subscribers = []
  })

  afterEach(async () => {
    for (const { close } of subscribers) close()
    await server.close()
  })

  const ask = (person: Person, query: string) => send(server.url, tokenOf(person), query)

  function follow(options: Pick<SubscribeOptions, 'transport' | 'token'> & { readonly query?: string }) {
    const subscriber = subscribe({ url: server.url, query: ticketChanged, ...options })
    subscribers.push(subscriber)
    return subscriber
  }

  /** Resolves when everybody is subscribed. */
  const begun = () =>
    vi.waitFor(() => expect(server.executor.metrics().subscriptions.active).toBe(subscribers.length), { interval: 5 })

  /** Stops the server, which delivers first what was published: what has not come then, never comes. */
  async function receivedBy(...whom: Subscriber<unknown>[]) {
    await server.close()
    for (const { end } of whom) expect(await end).toBe(undefined)
    return whom.map(({ received }) => received)
  }

  it.each(transports)('shows a note to the staff, and no customer and no other company, over %s', async (transport) => {
    const [staff, customer, otherStaff, otherCustomer] = [ada, cleo, gil, gwen].map((person) =>
      follow({ transport, token: tokenOf(person) }),
    ) as [Subscriber<unknown>, Subscriber<unknown>, Subscriber<unknown>, Subscriber<unknown>]
    await begun()
    await ask(cleo, 'mutation { openTicket(subject: "?") { id } }')
    await ask(ada, 'mutation { answerTicket(id: 101, note: "secret") { id } }')
    await ask(gwen, 'mutation { openTicket(subject: "?") { id } }')

    const changed = (id: string, status: string, note: string | null) => ({
      data: { ticketChanged: { id, status, note } },
    })
    expect(await receivedBy(staff, customer, otherStaff, otherCustomer)).toEqual([
      [changed('101', 'OPEN', null), changed('101', 'ANSWERED', 'secret')],
      [changed('101', 'OPEN', null), changed('101', 'ANSWERED', null)],
      [changed('201', 'OPEN', null)],
      [changed('201', 'OPEN', null)],
    ])
  })

  it('executes an event once for all staff and once for all customers, whatever their transports', async () => {
    for (const person of [ada, abe, cleo]) {
      for (const transport of transports) follow({ transport, token: tokenOf(person) })
    }
    await begun()
    await ask(cleo, 'mutation { openTicket(subject: "?") { id } }')
    await receivedBy(...subscribers)
    expect(server.executor.metrics()).toMatchObject({ executions: 2, serializations: 2, events: { delivered: 6 } })
  })

  it('sends what is urgent enough', async () => {
    const query = 'subscription { ticketChanged(minPriority: 2) { id } }'
    const subscriber = follow({ transport: 'WebSocket', token: tokenOf(ada), query })
    await begun()
    for (const priority of [1, 2, 3]) {
      await ask(cleo, `mutation { openTicket(subject: "?", priority: ${priority}) { id } }`)
    }
    expect(await receivedBy(subscriber)).toEqual([
      [{ data: { ticketChanged: { id: '102' } } }, { data: { ticketChanged: { id: '103' } } }],
    ])
  })

  it('shows its notes to the staff in queries, too, and lets nobody else answer', async () => {
    await ask(cleo, 'mutation { openTicket(subject: "?") { id } }')
    await ask(ada, 'mutation { answerTicket(id: 101, note: "secret") { id } }')
    expect(await ask(abe, '{ tickets { note } }')).toEqual({ data: { tickets: [{ note: 'secret' }] } })
    expect(await ask(cleo, '{ tickets { note } }')).toEqual({ data: { tickets: [{ note: null }] } })
    expect(await ask(gil, '{ tickets { note } }')).toEqual({ data: { tickets: [] } })

    const answer = 'mutation { answerTicket(id: 101, note: "mine") { id } }'
    expect(await ask(cleo, answer)).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] })
    expect(await ask(gil, answer)).toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] })
    expect(server.executor.metrics().events.published).toBe(2)
  })

  it.each(['', 'Bearer guessed'])('answers nobody with the token "%s"', async (token) => {
    for (const query of ['{ tickets { id } }', 'mutation { openTicket(subject: "?") { id } }']) {
      expect(await send(server.url, token, query)).toMatchObject({
        errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
      })
    }
    for (const transport of transports) {
      const { received, end } = follow({ transport, token })
      expect(JSON.stringify([await end, received])).toContain('UNAUTHENTICATED')
    }
    expect(server.executor.metrics()).toMatchObject({ subscriptions: { total: 0 }, events: { published: 0 } })
  })

  it('serves its metrics to Prometheus', async () => {
    follow({ transport: 'SSE', token: tokenOf(cleo) })
    await begun()
    const response = await fetch(`${server.url}/metrics`)
    expect(response.headers.get('content-type')).toContain('text/plain')
    expect(await response.text()).toMatch(
      /^# TYPE graphql_subscriptions_active gauge\ngraphql_subscriptions_active 1$/m,
    )
  })

  it('is demonstrated honestly: what went astray is said', async () => {
    await ask(cleo, 'mutation { openTicket(subject: "one that the demonstration does not know") { id } }')
    const printed: string[] = []
    await expect(demonstrate(server, (line) => printed.push(line))).rejects.toThrow(
      'ada should have received #101 OPEN, #101 ANSWERED "refund up to 40 EUR", but got #102 OPEN, #101 ANSWERED',
    )
    expect(printed).toEqual([])
  })
})
