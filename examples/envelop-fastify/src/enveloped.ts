import type { IncomingMessage } from 'node:http'
import { envelop, type GetEnvelopedFn, useEngine, useExtendContext, useMaskedErrors, useSchema } from '@envelop/core'
import { memoryBus } from '@sluice/core'
import { type SluicePlugin, useSluice } from '@sluice/envelop'
import { execute, parse, subscribe, validate } from 'graphql'
import type { Registry } from 'prom-client'
import { type Person, personOf } from './people.ts'
import { type SensorsContext, schema, type Viewer } from './schema.ts'

/** What every transport begins with. A browser's WebSocket cannot send headers: its token is one of the connectionParams. */
interface InitialContext {
  readonly req: IncomingMessage
  readonly connectionParams?: Readonly<Record<string, unknown>> | undefined
}

/** The context of a request. */
interface RequestContext extends SensorsContext {
  readonly viewer: Person | undefined
}

/** Envelop with Sluice on the in-memory bus, and no transport yet. */
export function createEnveloped(registry: Registry): {
  readonly sluice: SluicePlugin
  readonly getEnveloped: GetEnvelopedFn<SensorsContext>
} {
  const sluice = useSluice<RequestContext>({
    bus: memoryBus(),
    scope: ({ viewer }) => viewer,
    // The context of an event: what all have in common for whom it is executed.
    eventContext: ({ scope: { tenantId } }): { viewer: Viewer } => ({ viewer: { tenantId } }),
    metrics: { registry },
  })
  const getEnveloped = envelop({
    plugins: [
      useEngine({ parse, validate, execute, subscribe }),
      useSchema(schema),
      useExtendContext(({ req, connectionParams }: InitialContext) => ({
        viewer: personOf(req.headers.authorization ?? connectionParams?.['authorization']),
      })),
      useMaskedErrors(),
      sluice, // after useEngine
    ],
  })
  return { sluice, getEnveloped }
}
