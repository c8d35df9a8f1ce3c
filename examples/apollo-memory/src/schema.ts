import { makeExecutableSchema } from '@graphql-tools/schema'
import { fromChannel, type SluiceContext } from '@sluice/core'
import { GraphQLError, type GraphQLSchema } from 'graphql'
import { createDesks, type Desk, type Ticket, type TicketChange } from './tickets.ts'

/** Who looks at tickets: in a request who asks, in an event all those for whom it is executed together. */
export interface Viewer {
  readonly tenantId: string
  readonly role: string | undefined
}

/** What resolvers get. `sluice` publishes to the tenant of who asks; the context of an event is without it. */
export interface DeskContext extends SluiceContext {
  /** Nobody, if whoever asks has no token that we know. */
  readonly viewer: Viewer | undefined
}

const typeDefs = /* GraphQL */ `
  type Query {
    tickets: [Ticket!]!
  }

  type Ticket {
    id: ID!
    subject: String!
    status: TicketStatus!
    "The higher, the more urgent."
    priority: Int!
    "What the staff tell each other; null for customers."
    note: String
  }

  enum TicketStatus { OPEN ANSWERED }

  type Mutation {
    openTicket(subject: String!, priority: Int! = 1): Ticket!
    "For the staff."
    answerTicket(id: ID!, note: String, priority: Int): Ticket!
  }

  type Subscription {
    ticketChanged(minPriority: Int! = 1): Ticket!
  }
`

/** The schema of the support desk, with its tickets in memory. */
export function createDeskSchema(): GraphQLSchema {
  const desks = createDesks()

  function deskOf({ viewer }: DeskContext): Desk {
    const desk = viewer && desks.get(viewer.tenantId)
    if (!desk) throw refusal('UNAUTHENTICATED', 'Who is asking?')
    return desk
  }

  return makeExecutableSchema<DeskContext>({
    typeDefs,
    resolvers: {
      Query: {
        tickets: (_root, _args, context) => deskOf(context).tickets,
      },
      Ticket: {
        // The event has the note in it, whoever receives it. Here is decided who sees it: once for all staff, and once
        // for all customers.
        note: ({ note }: Ticket, _args, { viewer }) => (viewer?.role === 'staff' ? note : null),
      },
      Mutation: {
        async openTicket(_root, { subject, priority }: Pick<Ticket, 'subject' | 'priority'>, context) {
          const ticket = deskOf(context).open(subject, priority)
          await context.sluice.publish({ channel: 'tickets', type: 'opened', data: ticket })
          return ticket
        },
        async answerTicket(_root, { id, ...change }: TicketChange & Pick<Ticket, 'id'>, context) {
          const desk = deskOf(context)
          if (context.viewer?.role !== 'staff') throw refusal('FORBIDDEN', 'The staff answer tickets.')
          const ticket = desk.answer(id, change)
          if (!ticket) throw refusal('NOT_FOUND', `There is no ticket ${id}.`)
          await context.sluice.publish({ channel: 'tickets', type: 'answered', data: ticket })
          return ticket
        },
      },
      Subscription: {
        ticketChanged: fromChannel({
          channel: 'tickets',
          // Inside a tenant, all staff are executed together, and all customers: whoever is not staff is a customer.
          share: ({ roles }) => (roles?.includes('staff') ? 'staff' : 'customer'),
          filter: ({ priority }: Ticket, { minPriority }: { minPriority: number }) => priority >= minPriority,
        }),
      },
    },
  })
}

function refusal(code: string, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code } })
}
