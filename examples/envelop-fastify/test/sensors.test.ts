import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type SubscribeOptions, send, subscribe, type Subscriber } from '../src/clients.ts'
import { demonstrate } from '../src/demonstrate.ts'
import { createMeasuringJob, type MeasuringJob } from '../src/measuring-job.ts'
import { PEOPLE, type Person, tokenOf } from '../src/people.ts'
import { type SensorsServer, startSensorsServer } from '../src/server.ts'
import { curlsIn } from './curl.ts'
import { startExample } from './example-process.ts'

const { ada, ben, gil } = PEOPLE
const readings = 'subscription { reading { device { name } celsius } }'
const alarms = 'subscription { alarm { device { name } message } }'
const transports = ['WebSocket', 'SSE'] as const

describe('npm run example:envelop', () => {
  it('with --once prints what each client received, and exits with 0', async () => {
    await using example = startExample('--once', '--port', '0')
    const { code, output } = await example.end
    expect({ code, lines: output.split('\n').map((line) => line.trim()) }).toEqual({
      code: 0,
      lines: [
        'Sluice example · the sensors of two tenants on Envelop and Fastify',
        '',
        'acme    ada  readings  WebSocket  ← Acme boiler 61 °C, Acme freezer -18 °C',
        'acme    ben  readings  SSE        ← Acme boiler 61 °C, Acme freezer -18 °C',
        'acme    ben  freezer   WebSocket  ← Acme freezer -18 °C',
        'globex  gil  readings  SSE        ← Globex boiler 58 °C',
        'acme    ada  alarms    SSE        ← nothing',
        'acme    ben  alarms    WebSocket  ← Acme freezer: it thaws',
        'globex  gil  alarms    SSE        ← Globex boiler: it whistles',
        'each received what is theirs and nothing else; 5 events, 6 executions, 8 deliveries',
        '',
      ],
    })
  })

  it('prints commands that work when they are pasted, and goes on measuring', async () => {
    await using example = startExample('--port', '0')
    const [followFreezer, followAlarms, raise] = curlsIn(await example.invitation)
    if (!followFreezer || !followAlarms || !raise) throw new Error('there are no three commands')
    const [freezer, alarms] = await Promise.all([fetch(followFreezer), fetch(followAlarms)])
    expect(await (await fetch(raise)).json()).toEqual({ data: { raiseAlarm: { message: 'it thaws' } } })
    const reader = freezer.body?.pipeThrough(new TextDecoderStream()).getReader()
    let measured = ''
    while (!measured.includes('event: next')) measured += (await reader?.read())?.value ?? expect.fail('no reading')
    expect(measured).toMatch(/\{"data":\{"reading":\{"celsius":-1\d(\.5)?\}\}\}/)
    example.kill('SIGINT')
    expect(await alarms.text()).toContain('{"data":{"alarm":{"device":{"name":"Acme freezer"},"message":"it thaws"}}}')
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('stays up until %s, takes leave, and exits with 0', async (signal) => {
    await using example = startExample('--port', '0')
    const url = /GraphQL +(\S+)\/graphql /.exec(await example.invitation)?.[1] ?? ''
    const subscribers = transports.map((transport) => subscribe({ url, transport, token: tokenOf(ada), query: alarms }))
    // Nothing tells over a socket that a subscription has begun but its first event.
    while (subscribers.some(({ received }) => received.length === 0)) {
      await send(url, tokenOf(ada), 'mutation { raiseAlarm(device: "boiler", user: "ada", message: "?") { message } }')
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

describe('the sensors', () => {
  let server: SensorsServer
  let job: MeasuringJob
  let subscribers: Subscriber<unknown>[]

  beforeEach(async () => {
    server = await startSensorsServer()
    job = createMeasuringJob(server.executor)
    subscribers = []
  })

  afterEach(async () => {
    for (const { close } of subscribers) close()
    await server.close()
  })

  const ask = (person: Person, query: string) => send(server.url, tokenOf(person), query)
  const raise = (person: Person, device: string, user: string) =>
    ask(person, `mutation { raiseAlarm(device: "${device}", user: "${user}", message: "to ${user}") { message } }`)

  function follow(person: Person, transport: SubscribeOptions['transport'], query: string): Subscriber<unknown> {
    const subscriber = subscribe({ url: server.url, transport, token: tokenOf(person), query })
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

  const reading = (name: string, celsius: number) => ({ data: { reading: { device: { name }, celsius } } })
  const alarm = (name: string, message: string) => ({ data: { alarm: { device: { name }, message } } })

  it.each(transports)('shows the readings of a tenant to this tenant only, over %s', async (transport) => {
    const acme = follow(ada, transport, readings)
    const globex = follow(gil, transport, readings)
    await begun()
    await job.measure()
    await job.measure()
    expect(await receivedBy(acme, globex)).toEqual([
      [
        reading('Acme boiler', 61),
        reading('Acme freezer', -18),
        reading('Acme boiler', 61.5),
        reading('Acme freezer', -17.5),
      ],
      [reading('Globex boiler', 58), reading('Globex boiler', 58.5)],
    ])
  })

  it.each(transports)(
    'shows those of the device that was asked for, whoever else has one of that id, over %s',
    async (transport) => {
      const ofDevice = (id: string) => `subscription { reading(device: "${id}") { device { name } celsius } }`
      const boiler = follow(ada, transport, ofDevice('boiler'))
      const freezer = follow(ada, transport, ofDevice('freezer'))
      const notTheirs = follow(gil, transport, ofDevice('freezer'))
      await begun()
      await job.measure()
      expect(await receivedBy(boiler, freezer, notTheirs)).toEqual([
        [reading('Acme boiler', 61)],
        [reading('Acme freezer', -18)],
        [],
      ])
    },
  )

  it.each(transports)('tells an alarm to its user only, over %s', async (transport) => {
    const everybody = [ada, ben, gil].map((person) => follow(person, transport, alarms))
    await begun()
    await raise(ada, 'freezer', 'ben')
    await raise(ben, 'boiler', 'ada')
    await raise(ada, 'boiler', 'gil') // Acme has no such user, and Globex's is none of Acme's
    expect(await receivedBy(...everybody)).toEqual([
      [alarm('Acme boiler', 'to ada')],
      [alarm('Acme freezer', 'to ben')],
      [],
    ])
  })

  it('executes a reading once for a tenant, and an alarm once for a user, whatever their transports', async () => {
    for (const transport of transports) {
      for (const person of [ada, ben]) follow(person, transport, readings)
      follow(ben, transport, alarms)
    }
    await begun()
    await job.measure()
    await raise(ada, 'freezer', 'ben')
    await receivedBy(...subscribers)
    expect(server.executor.metrics()).toMatchObject({ executions: 3, serializations: 3, events: { delivered: 10 } })
  })

  it('lets nobody raise an alarm for a device of another tenant', async () => {
    expect(await ask(gil, '{ devices { name } }')).toEqual({ data: { devices: [{ name: 'Globex boiler' }] } })
    expect(await raise(gil, 'freezer', 'gil')).toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] })
    expect(server.executor.metrics().events.published).toBe(0)
  })

  it.each(['', 'Bearer guessed'])('answers nobody with the token "%s"', async (token) => {
    for (const query of [
      '{ devices { id } }',
      'mutation { raiseAlarm(device: "boiler", user: "ada", message: "") { message } }',
    ]) {
      expect(await send(server.url, token, query)).toMatchObject({
        errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
      })
    }
    for (const transport of transports) {
      const { received, end, close } = subscribe({ url: server.url, transport, token, query: readings })
      expect(JSON.stringify([await end, received])).toContain('UNAUTHENTICATED')
      close()
    }
    expect(server.executor.metrics()).toMatchObject({ subscriptions: { total: 0 }, events: { published: 0 } })
  })

  it('says what is wrong with an operation over HTTP, and executes no subscription there', async () => {
    expect(await ask(ada, '{ devices')).toMatchObject({
      errors: [{ message: expect.stringContaining('Syntax Error') }],
    })
    expect(await ask(ada, '{ secrets }')).toMatchObject({ errors: [{ message: expect.stringContaining('"secrets"') }] })
    expect(await ask(ada, readings)).toMatchObject({
      errors: [{ message: expect.stringContaining('server-sent events') }],
    })
  })

  it('serves its metrics to Prometheus', async () => {
    follow(ada, 'SSE', readings)
    await begun()
    const response = await fetch(`${server.url}/metrics`)
    expect(response.headers.get('content-type')).toContain('text/plain')
    expect(await response.text()).toMatch(
      /^# TYPE graphql_subscriptions_active gauge\ngraphql_subscriptions_active 1$/m,
    )
  })

  it('is demonstrated honestly: what went astray is said', async () => {
    await job.measure() // nobody sees it, but what the demonstration lets the devices measure is warmer
    const printed: string[] = []
    await expect(demonstrate(server, job, (line) => printed.push(line))).rejects.toThrow(
      'ada should have received Acme boiler 61 °C, Acme freezer -18 °C, but got Acme boiler 61.5 °C, Acme freezer -17.5 °C',
    )
    expect(printed).toEqual([])
  })
})
