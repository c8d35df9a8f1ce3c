import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import type { Curl } from './markdown.ts'

/** What comes over an event stream. */
export interface EventStreamReader {
  /** The next result. Rejects when the stream ends without one. */
  next(): Promise<unknown>
  /** Resolves when the server completed it; rejects if it was cut. */
  readonly completed: Promise<void>
}

async function answerTo(url: string, { path, headers, body }: Curl): Promise<IncomingMessage> {
  const sent = request(new URL(path, url), { method: body === '' ? 'GET' : 'POST', headers, agent: false })
  onTestFinished(() => void sent.destroy())
  sent.on('error', () => {})
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  return response
}

/** What `curl` would print. */
export async function send(url: string, curl: Curl): Promise<string> {
  return await text(await answerTo(url, curl))
}

/** Resolves when the server has answered that the subscription runs. */
export async function readEventStream(url: string, curl: Curl): Promise<EventStreamReader> {
  const response = await answerTo(url, curl)
  const lines = linesOf(response)
  let tellCompleted = (): void => {}
  let fail = (_error: unknown): void => {}
  const completed = new Promise<void>((resolve, reject) => {
    tellCompleted = resolve
    fail = reject
  })
  completed.catch(() => {})
  const read = async function* (): AsyncGenerator {
    for await (const line of lines) {
      if (line.startsWith('data: {')) yield JSON.parse(line.slice('data: '.length))
      if (line === 'event: complete') tellCompleted()
    }
  }
  const results: unknown[] = []
  let wake = (): void => {}
  const reading = async (): Promise<void> => {
    for await (const result of read()) {
      results.push(result)
      wake()
    }
    throw new Error('the stream ended')
  }
  const ended = reading()
  ended.catch(fail)
  return {
    completed,
    async next() {
      while (results.length === 0) {
        const more = new Promise<void>((resolve) => {
          wake = resolve
        })
        await Promise.race([more, ended])
      }
      return results.shift()
    },
  }
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
    const lines = `${rest}${chunk}`.split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}
