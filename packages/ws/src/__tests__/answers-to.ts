import { type Message, rawClient } from './raw-client.ts'
import { openService, type ServiceOptions } from './service.ts'
import { until } from './until.ts'

/** Everything that the server sends for one operation, up to its last message. */
export async function answersTo(
  query: string,
  hooks: ServiceOptions['hooks'] = {},
  variables?: Record<string, unknown>,
): Promise<{ messages: Message[]; errors: unknown[] }> {
  await using service = await openService({ hooks })
  const client = await rawClient(service.url)
  client.subscribe('1', query, variables)
  await until(
    () =>
      client.messages.some(({ type }) => type === 'complete' || type === 'error') ||
      client.socket.readyState !== client.socket.OPEN,
  )
  return { messages: client.messages, errors: service.errors }
}
