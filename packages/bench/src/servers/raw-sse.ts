import { Buffer } from 'node:buffer'
import { createServer, type ServerResponse } from 'node:http'
import type { StartServer } from './bench-server.ts'
import { listen } from './listen.ts'

const headers = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' }

/** The limit over SSE: one buffer, built once, and one `response.write` per response and event. */
export const startRawSse: StartServer = async ({ workload, starts }) => {
  const responses = new Set<ServerResponse>()
  const server = createServer((_request, response) => {
    response.writeHead(200, headers)
    response.write(':\n\n')
    responses.add(response)
    response.once('close', () => responses.delete(response))
    starts.count()
  })
  return {
    port: await listen(server),
    path: '/graphql/stream',
    publish(data) {
      const event = Buffer.from(`event: next\ndata: ${JSON.stringify({ data: { [workload.field]: data } })}\n\n`)
      for (const response of responses) response.write(event)
    },
  }
}
