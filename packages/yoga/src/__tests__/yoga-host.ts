import { createServer } from 'node:http'
import { closeServer, type HostFactory, type HostIdentity, listen } from '@sluice/testkit'
import { GraphQLError, type GraphQLSchema } from 'graphql'
import { createYoga, type Plugin, type YogaInitialContext } from 'graphql-yoga'
import { useSluice } from '../index.ts'

/** The context that Yoga starts with, over HTTP and over WebSocket. */
export interface YogaContext extends YogaInitialContext {
  readonly connectionParams?: Readonly<Record<string, unknown>>
}

export function identityOf({ request, connectionParams }: YogaContext): HostIdentity {
  return { authorization: request.headers.get('authorization') ?? undefined, connectionParams }
}

/** Graphql-yoga's own plugin is not installed; this is what it comes down to. */
export function usePersisted(operations: ReadonlyMap<string, string>): Plugin {
  return {
    onParams({ params, setParams, setResult }) {
      const persisted = params.extensions?.['persistedQuery'] as { sha256Hash?: unknown } | undefined
      if (persisted === undefined) return
      const query = operations.get(String(persisted.sha256Hash))
      if (query === undefined)
        setResult({
          errors: [new GraphQLError('PersistedQueryNotFound', { extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } })],
        })
      else setParams({ ...params, query })
    },
  }
}

/** How Yoga is run in the host contract suite. */
export const yogaHost: HostFactory = {
  features: { sse: true, maskedErrors: 'perGroup', resultHooks: true, persistedOperations: true },

  async start({ schema, scope, executorOptions, maskErrors, rewriteResult, persistedOperations, log }) {
    const sluice = useSluice({ ...executorOptions, scope: (context: YogaContext) => scope(identityOf(context)) })
    let replace: (schema: GraphQLSchema) => void = () => {}
    const others: Plugin = {
      onPluginInit({ setSchema }) {
        replace = setSchema
      },
      onSubscribe({ args }) {
        if (rewriteResult === undefined) return undefined
        const { identity } = args.contextValue as unknown as { identity: HostIdentity }
        return {
          onSubscribeResult: () => ({
            onNext({ result, setResult }) {
              const rewritten = rewriteResult(result, identity)
              if (rewritten !== undefined) setResult(rewritten)
            },
          }),
        }
      },
    }
    const quiet = (): void => {}
    const yoga = createYoga({
      schema,
      context: (context: YogaContext) => ({ identity: identityOf(context) }),
      maskedErrors: maskErrors,
      logging: { debug: quiet, info: quiet, warn: quiet, error: log },
      plugins: [others, ...(persistedOperations === undefined ? [] : [usePersisted(persistedOperations)]), sluice],
    })
    const httpServer = createServer((request, response) => void yoga(request, response))
    sluice.attachWebSocket(httpServer)
    const address = await listen(httpServer)
    return {
      executor: sluice.executor,
      httpServer,
      wsUrl: `ws://${address}/graphql`,
      sseUrl: `http://${address}/graphql`,
      httpUrl: `http://${address}/graphql`,
      replaceSchema: (next) => replace(next),
      async stop() {
        await yoga.dispose()
        await closeServer(httpServer)
      },
    }
  },
}
