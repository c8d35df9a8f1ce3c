import type { YogaServer } from 'graphql-yoga'

/** A Yoga server, whatever its contexts are. */
export type AnyYogaServer = YogaServer<Record<string, unknown>, Record<string, unknown>>
