import { type ChannelField, fromChannel, type SubscriptionExecutorOptions } from '@sluice/core'
import type { ServerSetup } from './bench-server.ts'
import { loadOptional } from './not-available.ts'

/** The tenant of every client. */
export const TENANT_ID = 'acme'

/** Who is behind a token, as the clients send it. */
export interface User {
  readonly tenantId: string
  readonly userId: string
}

export function userOf(authorization: unknown): User | null {
  if (typeof authorization !== 'string') return null
  return { tenantId: TENANT_ID, userId: authorization.slice('Bearer '.length) }
}

/** The resolvers of the workload's field, from a channel. */
export function channelResolvers({ workload, share, starts }: ServerSetup): {
  readonly Subscription: Readonly<Record<string, ChannelField<unknown, unknown, unknown>>>
} {
  const field = fromChannel<unknown, unknown, unknown>({ channel: workload.topic, share })
  return {
    Subscription: {
      [workload.field]: {
        ...field,
        subscribe: (...args) => {
          starts.count()
          return field.subscribe(...args)
        },
      },
    },
  }
}

/** What is executed for several needs a context of its own; what is executed for one has a copy of its subscriber's. */
export async function executionOptions({
  share,
  isCompiled,
}: Pick<ServerSetup, 'share' | 'isCompiled'>): Promise<Pick<SubscriptionExecutorOptions, 'eventContext' | 'execute'>> {
  const context: Pick<SubscriptionExecutorOptions, 'eventContext'> =
    share === 'subscriber' ? {} : { eventContext: ({ scope }) => ({ tenantId: scope.tenantId }) }
  if (!isCompiled) return context
  const { compiledExecute } = await loadOptional('@sluice/jit', () => import('@sluice/jit'))
  return { ...context, execute: compiledExecute() }
}
