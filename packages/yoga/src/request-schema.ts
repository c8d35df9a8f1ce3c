import type { Plugin } from 'graphql-yoga'
import type { AnyYogaServer } from './yoga-server.ts'

type OnRequestParse = NonNullable<Plugin['onRequestParse']>
type ParseEvent = Parameters<OnRequestParse>[0]
type Params = Parameters<
  NonNullable<NonNullable<Exclude<Awaited<ReturnType<OnRequestParse>>, void>>['onRequestParseDone']>
>[0]['requestParserResult']

/**
 * Has Yoga find out the schema of a request that it has not parsed. Where Yoga was given its schema as a promise
 * or a function, it asks for it when it has parsed a request, and takes it up when it builds the operation: so
 * does the one plugin of Yoga's that has both of these hooks.
 *
 * `undefined` if the schema is known anyway.
 */
export function requestSchema(
  yoga: AnyYogaServer,
): ((request: Request, params: Params, serverContext: object) => Promise<void>) | undefined {
  const plugins = yoga.getEnveloped._plugins as unknown as readonly Plugin[]
  const hooks = plugins
    .filter(({ onEnveloped }) => onEnveloped !== undefined)
    .flatMap(({ onRequestParse }) => onRequestParse ?? [])
  if (hooks.length === 0) return undefined
  return async (request, params, serverContext) => {
    const event = {
      request,
      url: new URL(request.url),
      requestParser: () => params,
      serverContext,
      fetchAPI: yoga.fetchAPI,
      setRequestParser() {},
      endResponse() {},
    } as unknown as ParseEvent
    for (const hook of hooks) {
      const parsed = await hook(event)
      await parsed?.onRequestParseDone?.({ requestParserResult: params, setRequestParserResult() {} })
    }
  }
}
