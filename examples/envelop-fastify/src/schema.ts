import { makeExecutableSchema } from '@graphql-tools/schema'
import { fromChannel, type SluiceContext } from '@sluice/core'
import { GraphQLError, type GraphQLSchema } from 'graphql'
import { DEVICES, type Device, type Reading } from './devices.ts'

/** Who looks: in a request who asks, in an event all those for whom it is executed together. */
export interface Viewer {
  readonly tenantId: string
}

/** What resolvers get. `sluice` publishes to the tenant of who asks; the context of an event is without it. */
export interface SensorsContext extends SluiceContext {
  /** Nobody, if whoever asks has no token that we know. */
  readonly viewer: Viewer | undefined
}

/** What somebody is to look after, as it travels in events. */
interface Alarm {
  readonly deviceId: string
  readonly message: string
}

const typeDefs = /* GraphQL */ `
  type Query {
    devices: [Device!]!
  }

  type Device {
    id: ID!
    name: String!
  }

  type Reading {
    device: Device!
    celsius: Float!
  }

  type Alarm {
    device: Device!
    message: String!
  }

  type Mutation {
    "Tells one user of the tenant, and nobody else."
    raiseAlarm(device: ID!, user: ID!, message: String!): Alarm!
  }

  type Subscription {
    "The readings of one device, or of all that the tenant has."
    reading(device: ID): Reading!
    "The alarms for whoever subscribes."
    alarm: Alarm!
  }
`

// A device is looked up among those of the viewer's tenant: an event carries no more than its id.
const device = ({ deviceId }: Reading | Alarm, _args: unknown, { viewer }: SensorsContext): Device =>
  deviceOf(viewer, deviceId)

/** The schema of the sensors. */
export const schema: GraphQLSchema = makeExecutableSchema<SensorsContext>({
  typeDefs,
  resolvers: {
    Query: {
      devices: (_root, _args, { viewer }) => devicesOf(viewer),
    },
    Reading: { device },
    Alarm: { device },
    Mutation: {
      async raiseAlarm(_root, args: { device: string; user: string; message: string }, { viewer, sluice }) {
        const alarm: Alarm = { deviceId: deviceOf(viewer, args.device).id, message: args.message }
        await sluice.publish({ channel: 'alarms', type: 'raised', data: alarm, userId: args.user })
        return alarm
      },
    },
    Subscription: {
      // Everyone in a tenant sees the same readings. `match` is an index: without an argument it is any device.
      reading: fromChannel({
        channel: 'readings',
        share: 'tenant',
        match: ({ device }: { device?: string | null }) => ({ deviceId: device }),
      }),
      // An event that was published for a user reaches no other; `share` is for the windows that this user has open.
      alarm: fromChannel({ channel: 'alarms', share: 'user' }),
    },
  },
})

function devicesOf(viewer: Viewer | undefined): readonly Device[] {
  if (!viewer) throw refusal('UNAUTHENTICATED', 'Who is asking?')
  return DEVICES.filter(({ tenantId }) => tenantId === viewer.tenantId)
}

function deviceOf(viewer: Viewer | undefined, id: string): Device {
  const found = devicesOf(viewer).find((candidate) => candidate.id === id)
  if (!found) throw refusal('NOT_FOUND', `There is no device "${id}".`)
  return found
}

function refusal(code: string, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code } })
}
