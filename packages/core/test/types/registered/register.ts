import type { AppContext, OrderModel, Shipment } from '../models.ts'

export interface Greeting {
  readonly text: string
}

declare module '@sluice/core' {
  interface Register {
    context: AppContext
    channels: { greetings: Greeting; [order: `order:${string}`]: OrderModel }
    types: { created: OrderModel; shipped: Shipment }
  }
}
