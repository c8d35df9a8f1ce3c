import { createServer, type IncomingMessage } from 'node:http'
import { createSubscriptionExecutor } from '@sluice/core'
import { useSluice as useSluiceInEnvelop } from '@sluice/envelop'
import { type SluiceContext, type SluiceInitialContext, useSluice, type UseSluiceOptions } from '@sluice/yoga'
import { createSchema, createYoga, type GraphQLParams, type YogaInitialContext } from 'graphql-yoga'
import type { WebSocket } from 'ws'
import { exactly } from '../exactly.ts'
import type { AppContext } from '../models.ts'

declare const verify: (token: unknown) => { tenantId: string; userId: string } | null
declare const app: AppContext

/** In Yoga `scope` is asked with what Yoga knows of the operation, over HTTP or WebSocket. */
export const sluice = useSluice({
  scope: ({ request, connectionParams, req, socket, params }) => {
    exactly<YogaInitialContext['request']>()(request)
    exactly<Readonly<Record<string, unknown>> | undefined>()(connectionParams)
    exactly<IncomingMessage | undefined>()(req)
    exactly<WebSocket | undefined>()(socket)
    exactly<GraphQLParams>()(params)
    return verify(connectionParams?.['authorization'] ?? request.headers.get('authorization'))
  },
  eventContext: ({ scope, event, initialContext }) => {
    exactly<string | undefined>()(event.type)
    exactly<SluiceInitialContext | undefined>()(initialContext)
    return { ...app, roles: scope.roles }
  },
})

export const yoga = createYoga({
  schema: createSchema<SluiceContext & AppContext>({ typeDefs: 'type Query { q: Int }' }),
  context: ({ connectionParams }: SluiceInitialContext) => (connectionParams ? app : app),
  plugins: [sluice],
})
const server = createServer(yoga)
sluice.attachWebSocket(server)
void yoga.fetch('http://localhost/graphql')

/** A function may ask for less, or, if it says so, for what the application's own context has. */
export const options: UseSluiceOptions = { scope: ({ request }: { request: Request }) => verify(request.url) }
useSluice(options)
useSluice({ scope: ({ may }: AppContext) => (may('subscribe') ? { tenantId: 'acme' } : null) })
useSluice({ scope: async () => null, onGap: 'end', overflow: { policy: 'dropOldest' } })
useSluice({ executor: createSubscriptionExecutor() })

useSluice({
  // @ts-expect-error -- there is no such member in Yoga's context
  scope: ({ session }) => session,
})
// @ts-expect-error -- a scope has a tenant
useSluice({ scope: () => ({ userId: '1' }) })
// @ts-expect-error -- no such option
useSluice({ scope: () => null, eventContexts: () => ({}) })

/** Envelop knows nothing of contexts. */
export const envelopPlugin = useSluiceInEnvelop({
  scope: ({ user }) => user.scope,
  eventContext: ({ initialContext }) => initialContext?.user,
})
useSluiceInEnvelop({ scope: ({ may }: AppContext) => (may('subscribe') ? { tenantId: 'acme' } : null) })
