// `npm run bench:redis`: two instances on one Redis, ours and its peers, in one run.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { build } from '../build.ts'
import { environment } from '../report/environment.ts'
import { progressOn } from '../report/progress.ts'
import type { RedisServerName } from '../servers/redis-servers.ts'
import { measureOnRedis, type RedisFigures, type RedisPlan } from './measure.ts'

const contestants: readonly (readonly [server: RedisServerName, label: string])[] = [
  ['sluice-redis', 'Sluice · graphql-ws, @sluice/redis'],
  ['graphql-ws-redis', 'graphql-ws + graphql-redis-subscriptions'],
  ['yoga-redis', 'Yoga + graphql-ws + redis-event-target'],
]

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string', default: 'bench-redis-results.json' },
    'no-build': { type: 'boolean', default: false },
  },
})
const plan: RedisPlan = {
  subscriberCount: values.quick ? 100 : 1000,
  calmMs: values.quick ? 500 : 5_000,
  killingMs: values.quick ? 2_000 : 10_000,
  eventsPerSecond: 20,
  killIntervalMs: 1_000,
  launch: 'built',
}
const progress = progressOn(process.stderr)
const results: { readonly server: string; readonly figures: RedisFigures }[] = []
if (!values['no-build']) {
  progress('build: compiling what is newer than dist')
  build()
}
for (const [server, label] of contestants) {
  progress(`measuring ${label}`)
  results.push({ server: label, figures: await measureOnRedis(server, plan) })
}
progress.clear()
console.log(
  `\nTwo instances, ${plan.subscriberCount} subscribers; then ${plan.eventsPerSecond} events/s for ${plan.killingMs / 1000} s, and every second all connections to Redis are killed\n`,
)
const rows = results.map(({ server, figures: { calm, killing } }) => [
  server,
  calm.cpuMicrosPerDelivery.toFixed(2),
  calm.eventsPerSecond.toFixed(0),
  calm.latencyMs.p50.toFixed(2),
  calm.latencyMs.p99.toFixed(2),
  `${killing.acceptedCount}`,
  `${killing.refusedCount}`,
  `${killing.lostCount} of ${killing.acceptedCount * plan.subscriberCount}`,
  `${killing.repeatedCount}`,
  `${killing.disorderedCount}`,
])
const header = [
  'server',
  'CPU µs/delivery',
  'events/s',
  'p50 ms',
  'p99 ms',
  'accepted',
  'refused',
  'deliveries lost',
  'repeated',
  'out of order',
]
const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
for (const row of [header, ...rows]) {
  console.log(row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
}
writeFileSync(
  values.json,
  `${JSON.stringify({ date: new Date().toISOString(), environment: environment(), plan, results }, null, 2)}\n`,
)
