import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { onTestFinished } from 'vitest'

export interface RawRequest {
  readonly sent: ClientRequest
  /** What was read so far. */
  readonly body: string
  readonly response: Promise<IncomingMessage>
  /** Resolves with the whole body when the response was read to its end. */
  readonly text: Promise<string>
}

/** A POST on a connection of its own, with nothing in between that would read or retry. */
export function postRaw(address: string, content: unknown, accept = 'text/event-stream'): RawRequest {
  const headers = { accept, 'content-type': 'application/json' }
  const sent = request(`http://${address}`, { method: 'POST', headers, agent: false })
  onTestFinished(() => void sent.destroy())
  sent.on('error', () => {})
  sent.end(JSON.stringify(content))
  let body = ''
  const response = once(sent, 'response').then(([message]) => {
    const incoming = message as IncomingMessage
    incoming.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk
    })
    incoming.on('error', () => {})
    return incoming
  })
  const text = response.then(async (incoming) => {
    await once(incoming, 'end')
    return body
  })
  for (const each of [response, text]) each.catch(() => {})
  return {
    sent,
    get body() {
      return body
    },
    response,
    text,
  }
}
