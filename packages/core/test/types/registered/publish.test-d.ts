import { createSubscriptionExecutor, type Scope, SHARED } from '@sluice/core'
import { useSluice as useSluiceInEnvelop } from '@sluice/envelop'
import { type SluiceInitialContext, useSluice } from '@sluice/yoga'
import { exactly } from '../exactly.ts'
import type { AppContext, OrderModel, Shipment } from '../models.ts'

declare const order: OrderModel
declare const shipment: Shipment
declare const id: string
const tenantId = 'acme'

export const executor = createSubscriptionExecutor({
  scope: (context) => (exactly<AppContext>()(context), context.may('subscribe') ? { tenantId } : null),
  eventContext: ({ initialContext }) => (exactly<AppContext | undefined>()(initialContext), {}),
})

// By the channel, which goes before the type; by the type; and whatever is not registered is untyped.
void executor.publish({ tenantId, channel: 'greetings', type: 'created', data: { text: 'hello' } })
void executor.publish({ tenantId, channel: `order:${id}`, type: 'moved', data: order })
void executor.publish({ tenantId, channel: 'order:1', type: 'moved', data: order, userId: '1', eventId: 'e' })
void executor.publish({ tenantId: SHARED, channel: 'orders', type: 'shipped', data: shipment })
void executor.publish({ tenantId, channel: 'orders', type: 'lost', data: { whatever: 1 } })
void executor.publish({ tenantId, channel: id, type: id, data: 1 })
// @ts-expect-error -- a greeting has a text
void executor.publish({ tenantId, channel: 'greetings', type: 'said', data: { txt: 'hello' } })
// @ts-expect-error -- a shipment is no greeting
void executor.publish({ tenantId, channel: 'greetings', type: 'shipped', data: shipment })
// @ts-expect-error -- a shipment is no order
void executor.publish({ tenantId, channel: `order:${id}`, type: 'moved', data: shipment })
// @ts-expect-error -- an order is no shipment
void executor.publish({ tenantId, channel: 'orders', type: 'shipped', data: order })
// @ts-expect-error -- the option is called "userId"
void executor.publish({ tenantId, channel: 'orders', type: 'shipped', data: shipment, user: '1' })

const publisher = executor.publisher({ tenantId })
void publisher.publish({ channel: 'orders', type: 'shipped', data: shipment })
// @ts-expect-error -- an order is no shipment
void publisher.publish({ channel: 'orders', type: 'shipped', data: order })

/** In Yoga: what Yoga knows, and the registered context. */
useSluice({
  scope: (context): Scope => {
    exactly<SluiceInitialContext & AppContext>()(context)
    return { tenantId: context.request.url, roles: context.may('all') ? ['admin'] : [] }
  },
  eventContext: ({ initialContext }) => ({ prices: initialContext?.prices, params: initialContext?.params }),
})
useSluiceInEnvelop({
  scope: (context) => (exactly<AppContext>()(context), { tenantId }),
})
// @ts-expect-error -- a scope has a tenant
useSluiceInEnvelop({ scope: () => ({ userId: '1' }) })
