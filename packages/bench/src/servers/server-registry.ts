import type { StartServer } from './bench-server.ts'

/** What clients speak. */
export type Transport = 'ws' | 'sse'

export type ServerName =
  | 'raw-ws'
  | 'raw-ws-corked'
  | 'raw-sse'
  | 'graphql-ws'
  | 'yoga'
  | 'mercurius'
  | 'sluice-graphql-ws'
  | 'sluice-yoga'
  | 'sluice-apollo'
  | 'sluice-sse'
  | 'sluice-without'
  | 'sluice-yoga-without'

/** Each is loaded by the process that runs it, and by no other, so that nobody's memory is counted twice. */
const servers: Readonly<Record<ServerName, () => Promise<StartServer>>> = {
  'raw-ws': async () => (await import('./raw-ws.ts')).startRawWs,
  'raw-ws-corked': async () => (await import('./raw-ws.ts')).startRawWsCorked,
  'raw-sse': async () => (await import('./raw-sse.ts')).startRawSse,
  'graphql-ws': async () => (await import('./graphql-ws.ts')).startGraphqlWs,
  yoga: async () => (await import('./yoga.ts')).startYoga,
  mercurius: async () => (await import('./mercurius.ts')).startMercurius,
  'sluice-graphql-ws': async () => (await import('./sluice-graphql-ws.ts')).startSluiceGraphqlWs,
  'sluice-yoga': async () => (await import('./sluice-yoga.ts')).startSluiceYoga,
  'sluice-apollo': async () => (await import('./sluice-apollo.ts')).startSluiceApollo,
  'sluice-sse': async () => (await import('./sluice-sse.ts')).startSluiceSse,
  'sluice-without': async () => (await import('./sluice-without.ts')).startSluiceWithout,
  'sluice-yoga-without': async () => (await import('./sluice-yoga-without.ts')).startSluiceYogaWithout,
}

export function loadServer(name: ServerName): Promise<StartServer> {
  return servers[name]()
}
