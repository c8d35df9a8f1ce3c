import { boardFields, boardOf } from './board.ts'
import { orderFields, orderOf } from './order.ts'

/** What an event carries. Both are in every payload, whatever else is. */
export interface EventData {
  /** The number of the event among those of its server. */
  readonly sequence: number
  /** {@link nowMicros} when it was published. */
  readonly publishedAt: number
}

export type WorkloadName = 'order' | 'board'

/** A subscription field, what clients ask of it, and what they have to get. */
export interface Workload {
  readonly field: string
  /** The topic, or channel, that the field takes its events from. */
  readonly topic: string
  readonly query: string
  /** The data of an event: made by the server that publishes it, and by the client that checks it. */
  make(sequence: number, publishedAt: number): EventData
}

/** So that all events have the same size. */
export const FIRST_SEQUENCE = 1_000_000

export const workloads: Readonly<Record<WorkloadName, Workload>> = {
  order: {
    field: 'orderChanged',
    topic: 'orders',
    query: `subscription OrderChanged { orderChanged { ${orderFields} } }`,
    make: orderOf,
  },
  board: {
    field: 'boardChanged',
    topic: 'boards',
    query: `subscription BoardChanged { boardChanged { ${boardFields} } }`,
    make: boardOf,
  },
}

/** The schema of every server. */
export const typeDefs = /* GraphQL */ `
  type Query {
    hello: String
  }
  type Subscription {
    orderChanged: Order!
    boardChanged: Board!
  }
  type Order {
    id: ID!
    number: String!
    status: String!
    customer: String!
    email: String!
    currency: String!
    total: Float!
    tax: Float!
    itemCount: Int!
    weightGrams: Int!
    priority: Int!
    isGift: Boolean!
    isPaid: Boolean!
    warehouse: String!
    carrier: String!
    trackingCode: String!
    note: String!
    createdAt: String!
    sequence: Int!
    publishedAt: Float!
  }
  type Board {
    sequence: Int!
    publishedAt: Float!
    rows: [Row!]!
  }
  type Row {
    id: ID!
    item: String!
    price: Float!
    quantity: Int!
    isOpen: Boolean!
    updatedAt: String!
  }
`
