import type { Goal } from '../report/goal.ts'
import type { Contestant } from './socket-scenario.ts'

// The servers, by the names that the table has for them.
export const RAW_WS = 'raw ws broadcast'
export const RAW_SSE = 'raw SSE broadcast'
export const GRAPHQL_WS = 'graphql-ws + graphql-subscriptions'
export const YOGA_WS = 'Yoga + graphql-ws'

export const rawWs: Contestant = { label: RAW_WS, server: 'raw-ws' }
export const rawWsCorked: Contestant = { label: `${RAW_WS}, corked`, server: 'raw-ws-corked' }
export const rawSse: Contestant = { label: RAW_SSE, server: 'raw-sse' }
export const graphqlWs: Contestant = { label: GRAPHQL_WS, server: 'graphql-ws' }
export const yogaWs: Contestant = { label: YOGA_WS, server: 'yoga' }
export const yogaSse: Contestant = { label: 'Yoga SSE', server: 'yoga' }
export const mercurius: Contestant = { label: 'Mercurius', server: 'mercurius' }

export const sluiceGraphqlWs: Contestant = { label: 'Sluice · graphql-ws', server: 'sluice-graphql-ws' }
export const sluiceApollo: Contestant = { label: 'Sluice · Apollo', server: 'sluice-apollo' }
export const sluiceYoga: Contestant = { label: 'Sluice · Yoga', server: 'sluice-yoga' }
export const sluiceYogaSse: Contestant = { label: 'Sluice · Yoga SSE', server: 'sluice-yoga' }
export const sluiceSse: Contestant = { label: 'Sluice · node:http SSE', server: 'sluice-sse' }
export const sluiceUnshared: Contestant = {
  label: 'Sluice · unshared',
  server: 'sluice-graphql-ws',
  variant: { share: 'subscriber' },
}
export const sluiceCompiled: Contestant = {
  label: 'Sluice · unshared, compiled',
  server: 'sluice-graphql-ws',
  variant: { share: 'subscriber', isCompiled: true },
}

export function reaching(contestant: Contestant, ...goals: readonly Goal[]): Contestant {
  return { ...contestant, goals }
}

export function atMost(bound: number, reference: string): Goal {
  return { kind: 'ratio', reference, atMost: bound }
}

export function cheaper(bound: number, than: string): Goal {
  return { kind: 'cheaper', than, atLeast: bound }
}
