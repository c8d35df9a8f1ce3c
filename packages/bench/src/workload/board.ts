/** A payload of 50 rows and about 5 KB. */
export interface Board {
  readonly sequence: number
  readonly publishedAt: number
  readonly rows: readonly Row[]
}

interface Row {
  readonly id: string
  readonly item: string
  readonly price: number
  readonly quantity: number
  readonly isOpen: boolean
  readonly updatedAt: string
}

const ROW_COUNT = 50

export function boardOf(sequence: number, publishedAt: number): Board {
  return { sequence, publishedAt, rows: Array.from({ length: ROW_COUNT }, (_, index) => rowOf(sequence, index)) }
}

function rowOf(sequence: number, index: number): Row {
  return {
    id: `${1000 + index}`,
    item: `item-${1000 + index}`,
    price: 100 + ((sequence + index) % 100) + 0.5,
    quantity: 10 + index,
    isOpen: index % 3 === 0,
    updatedAt: '2026-01-05T09:12Z',
  }
}

export const boardFields: string = 'sequence publishedAt rows { id item price quantity isOpen updatedAt }'
