/** What events carry, and what codegen's `mappers` makes of the type `Order`. */
export interface OrderModel {
  readonly id: string
  readonly status: OrderModelStatus
  readonly cents: number
  readonly customer: { readonly id: string; readonly tier: 'gold' | 'silver' }
}

export type OrderModelStatus = 'OPEN' | 'PAID' | 'SHIPPED'

export interface Shipment {
  readonly orderId: string
  readonly carrier: string
}

export interface AppContext {
  readonly prices: { format(cents: number): string }
  readonly may: (permission: string) => boolean
}
