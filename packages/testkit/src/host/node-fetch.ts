import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'

/** What graphql-sse and urql ask of a response. */
export interface NodeResponse {
  readonly ok: boolean
  readonly status: number
  readonly statusText: string
  readonly headers: { get(name: string): string | null }
  readonly body: IncomingMessage
  text(): Promise<string>
}

interface NodeRequest {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal: AbortSignal
}

/**
 * As much of `fetch` as graphql-sse and urql use, on a connection of its own. Node's `fetch` keeps connections in a pool
 * that belongs to nobody, and opens another one when a response is aborted: then none could be counted.
 */
export async function nodeFetch(url: string, { method, headers, body, signal }: NodeRequest): Promise<NodeResponse> {
  const sent = request(url, { method, headers, signal, agent: false })
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  // What breaks the connection is told to whoever reads the response.
  sent.on('error', () => {})
  const { statusCode: status = 0, statusMessage: statusText = '' } = response
  return {
    ok: status >= 200 && status < 300,
    status,
    statusText,
    headers: {
      get(name) {
        const value = response.headers[name.toLowerCase()]
        return value === undefined ? null : String(value)
      },
    },
    body: response,
    async text() {
      let text = ''
      for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) text += chunk
      return text
    },
  }
}
