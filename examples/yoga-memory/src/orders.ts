import type { Tenant } from './tenants.ts'

export const STATUSES = ['CREATED', 'PAID', 'PACKED', 'SHIPPED', 'DELIVERED'] as const
export type OrderStatus = (typeof STATUSES)[number]

/** An order as it is stored, and as it travels in events: JSON, with the price as a number. */
export interface Order {
  readonly id: string
  readonly item: string
  readonly cents: number
  readonly status: OrderStatus
  /** The revision of the shop's board that this change made. */
  readonly revision: number
}

/** One tenant's orders. There is one `Shop` per tenant, and none of them knows another's. */
export interface Shop {
  readonly tenant: Tenant
  /** Counts the changes of this board, so that a page can tell whether it has seen them all. */
  readonly revision: number
  /** Newest first. */
  readonly orders: readonly Order[]
  /** Takes the next thing from the catalogue into a new order. */
  create(): Order
  /**
   * Moves an order to its next status. If that is not where it is to go, it stays as it is: whoever sends the
   * same change twice makes it once. `undefined` if this shop has no such order.
   */
  advance(id: string, to: OrderStatus): Order | undefined
}

/** A board shows this many orders; the oldest make room. The page keeps to the same number. */
const maxOrderCount = 24

/** A shop with the first orders of its day. */
export function createShop(tenant: Tenant): Shop {
  const seeded: readonly OrderStatus[] = ['CREATED', 'PAID', 'SHIPPED']
  let revision = 0
  let nextNumber = tenant.firstOrder
  let orders: readonly Order[] = []

  function add(status: OrderStatus): Order {
    const [item, cents] = tenant.catalogue[nextNumber % tenant.catalogue.length] as readonly [string, number]
    const order: Order = { id: String(nextNumber), item, cents, status, revision }
    nextNumber += 1
    orders = [order, ...orders].slice(0, maxOrderCount)
    return order
  }

  for (const status of seeded) add(status)

  return {
    tenant,
    get revision() {
      return revision
    },
    get orders() {
      return orders
    },
    create() {
      revision += 1
      return add('CREATED')
    },
    advance(id, to) {
      const order = orders.find((candidate) => candidate.id === id)
      if (!order || STATUSES[STATUSES.indexOf(order.status) + 1] !== to) return order
      revision += 1
      const advanced: Order = { ...order, status: to, revision }
      orders = orders.map((candidate) => (candidate.id === id ? advanced : candidate))
      return advanced
    },
  }
}
