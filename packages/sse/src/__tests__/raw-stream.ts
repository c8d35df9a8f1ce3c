import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { until } from '@sluice/testkit'
import { onTestFinished } from 'vitest'

/** What a request is made of; by default it is a POST of JSON that accepts an event stream. */
export interface RawRequest {
  readonly url: string
  readonly method?: string
  /** `undefined` takes a header away. */
  readonly headers?: Readonly<Record<string, string | undefined>>
  /** What is no text is sent as JSON. */
  readonly body?: unknown
}

/** A response on a connection of its own, read as it comes, with nothing in between that would parse or retry. */
export interface RawStream {
  readonly sent: ClientRequest
  readonly response: Promise<IncomingMessage>
  /** What was read so far. */
  readonly text: string
  /** The whole events that were read so far, comments left out. */
  readonly events: readonly string[]
  /** The data of the `next` events among them. */
  readonly results: readonly Readonly<Record<string, unknown>>[]
  /** Resolves with everything, when the response was read to its end; rejects if it broke off. */
  readonly ended: Promise<string>
  /** Resolves when there are so many events. */
  has(count: number): Promise<readonly string[]>
  /** Breaks the connection. */
  leave(): void
}

export function openStream({ url, method = 'POST', headers = {}, body }: RawRequest): RawStream {
  const given = {
    accept: 'text/event-stream',
    ...(method === 'POST' && { 'content-type': 'application/json' }),
    ...headers,
  }
  const sent = request(url, {
    method,
    agent: false,
    headers: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  })
  onTestFinished(() => void sent.destroy())
  sent.on('error', () => {})
  sent.end(body === undefined || typeof body === 'string' ? body : JSON.stringify(body))
  let text = ''
  const response = once(sent, 'response').then(([message]) => {
    const incoming = message as IncomingMessage
    incoming.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    incoming.on('error', () => {})
    return incoming
  })
  const ended = response.then(async (incoming) => {
    if (!incoming.readableEnded) await once(incoming, 'end')
    return text
  })
  for (const each of [response, ended]) each.catch(() => {})

  const stream: RawStream = {
    sent,
    response,
    get text() {
      return text
    },
    get events() {
      return eventsIn(text)
    },
    get results() {
      return stream.events.filter((event) => event.startsWith('event: next\n')).map(resultOf)
    },
    ended,
    async has(count) {
      await until(
        () => stream.events.length >= count,
        () => `${count} events have come: ${JSON.stringify(text.slice(0, 2000))}`,
      )
      return stream.events
    },
    leave: () => void sent.destroy(),
  }
  return stream
}

/** The answer to a request that is no event stream. */
export interface RawAnswer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

export async function ask(given: RawRequest): Promise<RawAnswer> {
  const stream = openStream(given)
  const { statusCode: status = 0, headers } = await stream.response
  return { status, headers, text: await stream.ended }
}

/** The URL of a GET. */
export function withQuery(url: string, params: Readonly<Record<string, string>>): string {
  return `${url}?${new URLSearchParams(params).toString()}`
}

/** The whole events of a stream, comments left out. */
export function eventsIn(text: string): string[] {
  const blocks = text.split('\n\n')
  return blocks.slice(0, -1).filter((block) => block !== ':')
}

export function resultOf(event: string): Readonly<Record<string, unknown>> {
  return JSON.parse(event.slice('event: next\ndata: '.length)) as Readonly<Record<string, unknown>>
}
