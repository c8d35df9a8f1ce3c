import type { MetricsSnapshot } from '@sluice/core'
import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { collectMetrics } from '../collect-metrics.ts'
import { scrape } from './exposition.ts'
import { serve } from './service.ts'

const alice = { tenantId: 't', userId: 'alice' }
const bob = { tenantId: 't', userId: 'bob' }

test('before anything happens, whatever has a fixed set of names is there with 0', async () => {
  await using service = serve()
  expect((await scrape(service.metrics)).values()).toEqual({
    graphql_subscriptions_connections_active: 0,
    graphql_subscriptions_connections_opened_total: 0,
    graphql_subscriptions_active: 0,
    graphql_subscriptions_started_total: 0,
    'graphql_subscriptions_ended_total{reason="client"}': 0,
    'graphql_subscriptions_ended_total{reason="complete"}': 0,
    'graphql_subscriptions_ended_total{reason="source"}': 0,
    'graphql_subscriptions_unshared_active{reason="subscriber"}': 0,
    'graphql_subscriptions_unshared_active{reason="source"}': 0,
    'graphql_subscriptions_unshared_active{reason="scope"}': 0,
    'graphql_subscriptions_unshared_active{reason="variables"}': 0,
    graphql_subscriptions_groups_active: 0,
    graphql_subscriptions_events_published_total: 0,
    graphql_subscriptions_events_received_total: 0,
    graphql_subscriptions_events_delivered_total: 0,
    'graphql_subscriptions_events_filtered_total{reason="type"}': 0,
    'graphql_subscriptions_events_filtered_total{reason="match"}': 0,
    'graphql_subscriptions_events_filtered_total{reason="user"}': 0,
    'graphql_subscriptions_events_filtered_total{reason="filter"}': 0,
    graphql_subscriptions_events_dropped_total: 0,
    graphql_subscriptions_gaps_total: 0,
    'graphql_subscriptions_queue_depth{queue="events"}': 0,
    'graphql_subscriptions_queue_depth{queue="responses"}': 0,
    graphql_subscriptions_executions_total: 0,
    graphql_subscriptions_serializations_total: 0,
    'graphql_subscriptions_security_checks_total{result="passed"}': 0,
    'graphql_subscriptions_security_checks_total{result="rejected_tenant"}': 0,
    'graphql_subscriptions_security_checks_total{result="rejected_user"}': 0,
    'graphql_subscriptions_security_checks_total{result="rejected_scope"}': 0,
    'graphql_subscriptions_bus_status{bus="memory",status="up"}': 1,
    'graphql_subscriptions_bus_status{bus="memory",status="degraded"}': 0,
    'graphql_subscriptions_bus_status{bus="memory",status="down"}': 0,
    'graphql_subscriptions_bus_status{bus="memory",status="closed"}': 0,
  })
})

test('a scrape says what happened, as the executor does', async () => {
  await using service = serve()
  const { executor, subscribe, attempt, publish } = service
  executor.openConnection()
  executor.openConnection()()
  const left = await subscribe('news', alice)
  await subscribe('news', bob)
  await subscribe('mine', alice)
  await subscribe('mine', bob)
  await subscribe('rare', alice)
  await subscribe('silence', alice)
  await attempt('news', null)
  await publish('to all')
  await publish('to bob', { userId: 'bob' })
  await publish('nobody listens', { channel: 'elsewhere' })
  await executor.publisher(alice).publish({ channel: 'news', type: 'rare', data: 'rare' })
  await expect(
    executor.publisher(alice).publish({ tenantId: 'u', channel: 'news', type: 'x', data: '' } as never),
  ).rejects.toMatchObject({ code: 'FORBIDDEN' })
  executor.recordDropped(3)
  executor.reportError(new Error('a socket'))
  const values = (await scrape(service.metrics)).values()
  const snapshot = executor.metrics()
  await left.return(undefined)

  expect(values).toEqual(expectedOf(snapshot))
  expect(values).toMatchObject({
    graphql_subscriptions_connections_active: 1,
    graphql_subscriptions_connections_opened_total: 2,
    graphql_subscriptions_active: 6,
    graphql_subscriptions_started_total: 6,
    'graphql_subscriptions_refused_total{code="UNAUTHENTICATED"}': 1,
    'graphql_subscriptions_unshared_active{reason="subscriber"}': 1,
    'graphql_subscriptions_unshared_active{reason="source"}': 1,
    // news, mine of two users, rare
    graphql_subscriptions_groups_active: 4,
    graphql_subscriptions_events_published_total: 4,
    graphql_subscriptions_events_received_total: 3,
    graphql_subscriptions_events_delivered_total: 4 + 2 + 5,
    'graphql_subscriptions_events_filtered_total{reason="type"}': 1,
    'graphql_subscriptions_events_filtered_total{reason="user"}': 2,
    graphql_subscriptions_events_dropped_total: 3,
    'graphql_subscriptions_queue_depth{queue="events"}': 0,
    'graphql_subscriptions_queue_depth{queue="responses"}': 4 + 2 + 5,
    graphql_subscriptions_executions_total: 3 + 2 + 4,
    'graphql_subscriptions_errors_total{code="UNAUTHENTICATED"}': 1,
    'graphql_subscriptions_errors_total{code="UNKNOWN"}': 1,
    // 7 scopes, 4 groups for each of 3 events, 2 scoped publishes
    'graphql_subscriptions_security_checks_total{result="passed"}': 6 + 4 + 2 + 4 + 1,
    'graphql_subscriptions_security_checks_total{result="rejected_tenant"}': 1,
    'graphql_subscriptions_security_checks_total{result="rejected_user"}': 2,
    'graphql_subscriptions_security_checks_total{result="rejected_scope"}': 1,
  })
  expect((await scrape(service.metrics)).values()).toMatchObject({
    graphql_subscriptions_active: 5,
    'graphql_subscriptions_ended_total{reason="client"}': 1,
  })
})

test('an executor that was disposed of says so, and that its subscriptions ended', async () => {
  await using service = serve()
  await service.subscribe('news')
  await service.executor.dispose()
  expect((await scrape(service.metrics)).values()).toMatchObject({
    graphql_subscriptions_active: 0,
    'graphql_subscriptions_ended_total{reason="complete"}': 1,
    'graphql_subscriptions_bus_status{bus="memory",status="up"}': 0,
    'graphql_subscriptions_bus_status{bus="memory",status="closed"}': 1,
  })
})

test('counters only grow, scrape by scrape, and gauges do not add up', async () => {
  await using service = serve()
  await service.subscribe('news')
  let earlier = await scrape(service.metrics)
  for (let round = 1; round <= 5; round += 1) {
    await service.publish('again')
    const left = await service.subscribe('news')
    await left.return(undefined)
    await service.attempt('news', null)
    const now = await scrape(service.metrics)
    expect(now.values()).toMatchObject({
      graphql_subscriptions_active: 1,
      graphql_subscriptions_started_total: 1 + round,
      'graphql_subscriptions_ended_total{reason="client"}': round,
      'graphql_subscriptions_refused_total{code="UNAUTHENTICATED"}': round,
      graphql_subscriptions_events_delivered_total: round,
      'graphql_subscriptions_queue_depth{queue="responses"}': round,
    })
    for (const [series, value] of Object.entries(earlier.values())) {
      if (series.includes('_total')) expect(now.values()[series], series).toBeGreaterThanOrEqual(value)
    }
    earlier = now
  }
})

test('scrapes at the same time agree, whatever happens between them', async () => {
  await using service = serve()
  await service.subscribe('news')
  await service.publish('an event')
  const [first, ...others] = await Promise.all([1, 2, 3].map(() => scrape(service.metrics)))
  for (const other of others) expect(other.families).toEqual(first?.families)

  const before = scrape(service.metrics)
  const publishing = service.publish('another')
  const between = Promise.resolve().then(() => scrape(service.metrics))
  await publishing
  const after = scrape(service.metrics)
  const deliveredOf = async (each: typeof before) =>
    (await each).values()['graphql_subscriptions_events_delivered_total']
  expect(await deliveredOf(before)).toBe(1)
  expect([1, 2]).toContain(await deliveredOf(between))
  expect(await deliveredOf(after)).toBe(2)
})

test('the executor is asked once per scrape, however many metrics there are', async () => {
  await using service = serve()
  let askedCount = 0
  const executor = {
    ...service.executor,
    metrics: (): MetricsSnapshot => {
      askedCount += 1
      return service.executor.metrics()
    },
  }
  const metrics = collectMetrics(executor, { registry: new Registry() })
  for (const count of [1, 2, 3]) {
    await metrics.render()
    expect(askedCount).toBe(count)
  }
})

test('a user who resets the registry has the counters back with the next scrape', async () => {
  await using service = serve()
  await service.subscribe('news')
  service.registry.resetMetrics()
  expect((await scrape(service.metrics)).values()).toMatchObject({ graphql_subscriptions_started_total: 1 })
})

/** The snapshot as series, written down a second time and in another way. */
function expectedOf(snapshot: MetricsSnapshot): Record<string, number> {
  const { connections, subscriptions, groups, events, queued, executions, serializations, errors, security, bus } =
    snapshot
  const labelled = (name: string, label: string, values: Readonly<Record<string, number>>) =>
    Object.fromEntries(Object.entries(values).map(([key, value]) => [`${name}{${label}="${key}"}`, value]))
  const series = {
    connections_active: connections.active,
    connections_opened_total: connections.total,
    active: subscriptions.active,
    started_total: subscriptions.total,
    ...labelled('ended_total', 'reason', { client: 0, complete: 0, source: 0, ...subscriptions.ended.byReason }),
    ...labelled('refused_total', 'code', subscriptions.refused.byCode),
    ...labelled('unshared_active', 'reason', {
      subscriber: 0,
      source: 0,
      scope: 0,
      variables: 0,
      ...groups.unshared.byReason,
    }),
    groups_active: groups.active,
    events_published_total: events.published,
    events_received_total: events.received,
    events_delivered_total: events.delivered,
    ...labelled('events_filtered_total', 'reason', events.filteredByReason),
    events_dropped_total: events.dropped,
    gaps_total: events.gaps,
    ...labelled('queue_depth', 'queue', queued),
    executions_total: executions,
    serializations_total: serializations,
    ...labelled('errors_total', 'code', errors.byCode),
    'security_checks_total{result="passed"}': security.passed,
    ...labelled(
      'security_checks_total',
      'result',
      Object.fromEntries(Object.entries(security.rejected).map(([why, count]) => [`rejected_${why}`, count])),
    ),
    ...Object.fromEntries(
      ['up', 'degraded', 'down', 'closed'].map((status) => [
        `bus_status{bus="${bus.name}",status="${status}"}`,
        Number(status === bus.status),
      ]),
    ),
  }
  return Object.fromEntries(Object.entries(series).map(([name, value]) => [`graphql_subscriptions_${name}`, value]))
}
