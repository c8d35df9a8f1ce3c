/** A payload of 20 fields and about 450 bytes. */
export interface Order {
  readonly id: string
  readonly number: string
  readonly status: string
  readonly customer: string
  readonly email: string
  readonly currency: string
  readonly total: number
  readonly tax: number
  readonly itemCount: number
  readonly weightGrams: number
  readonly priority: number
  readonly isGift: boolean
  readonly isPaid: boolean
  readonly warehouse: string
  readonly carrier: string
  readonly trackingCode: string
  readonly note: string
  readonly createdAt: string
  readonly sequence: number
  readonly publishedAt: number
}

export function orderOf(sequence: number, publishedAt: number): Order {
  return {
    id: `${sequence}`,
    number: `SO-${sequence}`,
    status: sequence % 2 === 0 ? 'PACKED' : 'PLACED',
    customer: 'customer-48213',
    email: 'ada.lovelace@example.com',
    currency: 'EUR',
    total: 1249.5,
    tax: 208.25,
    itemCount: 3,
    weightGrams: 1840,
    priority: 2,
    isGift: false,
    isPaid: true,
    warehouse: 'VIE-2',
    carrier: 'post',
    trackingCode: 'AT0012003400',
    note: 'Ring twice, please',
    createdAt: '2026-01-05T09:12:44.000Z',
    sequence,
    publishedAt,
  }
}

export const orderFields: string =
  'id number status customer email currency total tax itemCount weightGrams priority isGift isPaid warehouse carrier ' +
  'trackingCode note createdAt sequence publishedAt'
