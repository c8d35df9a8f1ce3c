import {
  atMost,
  cheaper,
  GRAPHQL_WS,
  graphqlWs,
  mercurius,
  RAW_SSE,
  RAW_WS,
  rawSse,
  rawWs,
  rawWsCorked,
  reaching,
  sluiceApollo,
  sluiceCompiled,
  sluiceGraphqlWs,
  sluiceSse,
  sluiceUnshared,
  sluiceYoga,
  sluiceYogaSse,
  YOGA_WS,
  yogaSse,
  yogaWs,
} from './contestants.ts'
import { inProcessScenario } from './in-process-scenario.ts'
import type { Scenario } from './scenario.ts'
import { socketScenario } from './socket-scenario.ts'

const shared = [atMost(1.15, RAW_WS), cheaper(5, GRAPHQL_WS), cheaper(5, YOGA_WS)] as const

/** The scenarios of the bar, with what each has to reach. */
export const bar: readonly Scenario[] = [
  socketScenario('P1', 'shared', [
    {
      title: 'shared, 450 B',
      transport: 'ws',
      workload: 'order',
      load: { eventsPerTick: 1 },
      reference: RAW_WS,
      contestants: [
        rawWs,
        graphqlWs,
        yogaWs,
        mercurius,
        reaching(sluiceGraphqlWs, ...shared),
        reaching(sluiceApollo, ...shared),
      ],
    },
    {
      title: 'shared, 5 KB',
      transport: 'ws',
      workload: 'board',
      load: { eventsPerTick: 1 },
      reference: RAW_WS,
      contestants: [rawWs, graphqlWs, sluiceGraphqlWs],
    },
  ]),
  socketScenario('P2', 'burst', [
    {
      title: 'burst, 8 a tick',
      transport: 'ws',
      workload: 'order',
      load: { eventsPerTick: 8 },
      reference: RAW_WS,
      contestants: [
        rawWs,
        rawWsCorked,
        graphqlWs,
        yogaWs,
        mercurius,
        reaching(sluiceGraphqlWs, atMost(0.45, RAW_WS), cheaper(15, GRAPHQL_WS), cheaper(15, YOGA_WS)),
      ],
    },
  ]),
  socketScenario('P3', 'Yoga with its default plugins', [
    {
      title: 'Yoga, WebSocket',
      transport: 'ws',
      workload: 'order',
      load: { eventsPerTick: 1 },
      reference: RAW_WS,
      contestants: [rawWs, yogaWs, reaching(sluiceYoga, atMost(1.6, RAW_WS), cheaper(4, YOGA_WS))],
    },
    {
      title: 'Yoga, SSE',
      transport: 'sse',
      workload: 'order',
      load: { eventsPerTick: 1 },
      reference: RAW_SSE,
      contestants: [rawSse, yogaSse, reaching(sluiceYogaSse, atMost(1.6, RAW_SSE)), sluiceSse],
    },
  ]),
  socketScenario('P4', 'unshared', [
    {
      title: 'unshared',
      transport: 'ws',
      workload: 'order',
      load: { eventsPerTick: 1 },
      reference: GRAPHQL_WS,
      contestants: [
        graphqlWs,
        reaching(sluiceUnshared, atMost(1, GRAPHQL_WS)),
        reaching(sluiceCompiled, cheaper(3, GRAPHQL_WS)),
      ],
    },
  ]),
  inProcessScenario({
    id: 'P5',
    title: 'routing',
    experiment: 'routing',
    operation: 'publish',
    cases: [
      {
        server: '1 of 10,000 channels',
        reference: 'Sluice · 1 of 100 channels',
        goals: [atMost(1.5, 'Sluice · 1 of 100 channels')],
      },
    ],
  }),
  inProcessScenario({
    id: 'P6',
    title: 'filter',
    experiment: 'filter',
    operation: 'publish',
    cases: [
      {
        server: '1 of 10,000 subscriptions',
        reference: 'Sluice · 1 of 100 subscriptions',
        goals: [atMost(2, 'Sluice · 1 of 100 subscriptions')],
      },
    ],
  }),
  inProcessScenario({
    id: 'P7',
    title: 'memory',
    experiment: 'heap',
    operation: 'subscription',
    cases: [{ server: 'one more in a group', goals: [{ kind: 'heap', atMost: 2048 }] }],
  }),
  socketScenario('P8', 'resubscribe', [
    {
      title: 'resubscribe',
      transport: 'ws',
      workload: 'order',
      load: 'resubscribe',
      reference: GRAPHQL_WS,
      contestants: [graphqlWs, reaching(sluiceGraphqlWs, cheaper(3, GRAPHQL_WS))],
    },
  ]),
  inProcessScenario({
    id: 'P9',
    title: 'security check',
    experiment: 'security',
    operation: 'event and scope',
    cases: [
      { server: 'refused, another user', goals: [{ kind: 'cpu', below: 1 }] },
      { server: 'allowed, not expired', goals: [{ kind: 'cpu', below: 1 }] },
    ],
  }),
  inProcessScenario({
    id: 'P10',
    title: 'dispatch to 100',
    experiment: 'dispatch',
    operation: 'dispatch',
    cases: [
      {
        server: 'graphql-js',
        goals: [
          { kind: 'cpu', below: 500 },
          { kind: 'perCpuSecond', atLeast: 10_000 },
        ],
      },
      { server: 'compiled', goals: [{ kind: 'perCpuSecond', atLeast: 50_000 }] },
    ],
  }),
]
