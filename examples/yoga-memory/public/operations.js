// The operations of the board. The page, the terminal's clients and the audience subscribe with the same
// document: that is what makes them one group, and an event one execution. There is no tenant in any of them.

export const SUBSCRIPTION = /* GraphQL */ `
  subscription OrderChanged {
    orderChanged { id item price status revision }
  }
`

export const BOARD = /* GraphQL */ `
  query Board {
    board { revision orders { id item price status revision } }
  }
`

export const METER = /* GraphQL */ `
  query Meter {
    board { revision }
    meter { events executions deliveries subscribers audience { size received } }
  }
`

export const ADVANCE_ORDER = /* GraphQL */ `
  mutation AdvanceOrder($id: ID!, $to: OrderStatus!) {
    advanceOrder(id: $id, to: $to) { id status }
  }
`

export const CREATE_ORDER = /* GraphQL */ `
  mutation CreateOrder {
    createOrder { id }
  }
`

export const GROW_AUDIENCE = /* GraphQL */ `
  mutation GrowAudience($by: Int!) {
    growAudience(by: $by)
  }
`

export const DISMISS_AUDIENCE = /* GraphQL */ `
  mutation DismissAudience {
    dismissAudience
  }
`
