import { fromChannel, type ScopedPublisher } from '@sluice/core'
import { GraphQLError, type GraphQLSchema } from 'graphql'
import { createSchema } from 'graphql-yoga'
import type { Person } from './people.ts'

export interface Message {
  readonly text: string
  readonly by: string
  /** The instance that took it. */
  readonly instance: string
}

interface ChatContext {
  readonly person: Person | undefined
  /** The request's publisher: it cannot leave the tenant of the request's scope. */
  readonly sluice: ScopedPublisher
}

/** @param instance the name of this instance */
export function createChatSchema(instance: string): GraphQLSchema {
  return createSchema<ChatContext>({
    typeDefs: `
      type Message { text: String! by: String! instance: String! }
      type Query { instance: String! }
      type Mutation { say(text: String!): Message! }
      type Subscription { said: Message! }
    `,
    resolvers: {
      Query: { instance: () => instance },
      Mutation: {
        async say(_root, { text }: { text: string }, { person, sluice }) {
          if (person === undefined) throw new GraphQLError('Who is it?', { extensions: { code: 'UNAUTHENTICATED' } })
          const message: Message = { text, by: person.userId, instance }
          await sluice.publish({ channel: 'chat', type: 'said', data: message })
          return message
        },
      },
      Subscription: { said: fromChannel({ channel: 'chat', share: 'tenant' }) },
    },
  })
}
