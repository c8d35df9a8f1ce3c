import { spawnSync } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { send, subscribe } from './clients.ts'
import type { OrdersServer } from './server.ts'

const changes = 'subscription { orderChanged { id status } }'
const remarks = 'subscription { remarked { order text } }'

/** Another program that writes the table: psql if it is installed, else a client that knows nothing of Sluice. */
async function writeFromOutside(connectionString: string, sql: string): Promise<string> {
  if (spawnSync('psql', [connectionString, '-qc', sql]).status === 0) return 'psql'
  const client = new pg.Client({ connectionString })
  await client.connect()
  await client.query(sql)
  await client.end()
  return 'a pg client'
}

/**
 * Connects subscribers of two companies to two instances, writes through a mutation and from outside, and prints what each of them
 * received. Rejects unless it is exactly what is theirs.
 */
export async function demonstrate(
  connectionString: string,
  [first, second]: readonly [OrdersServer, OrdersServer],
  print: (line: string) => void,
): Promise<void> {
  const clients = [
    ['ada', 'acme', 'instance 1, WebSocket', subscribe(first.url, 'WebSocket', 'Bearer ada', changes)],
    ['ada', 'acme', 'instance 2, SSE', subscribe(second.url, 'SSE', 'Bearer ada', changes)],
    ['ada', 'acme', 'instance 2, remarks', subscribe(second.url, 'WebSocket', 'Bearer ada', remarks)],
    ['gil', 'globex', 'instance 2, WebSocket', subscribe(second.url, 'WebSocket', 'Bearer gil', changes)],
    ['gil', 'globex', 'instance 1, remarks', subscribe(first.url, 'SSE', 'Bearer gil', remarks)],
  ] as const
  const acme = ['{"orderChanged":{"id":"1","status":"SHIPPED"}}', '{"orderChanged":{"id":"1","status":"DELIVERED"}}']
  const globex = ['{"orderChanged":{"id":"2","status":"LOST"}}']
  const theirs = [acme, acme, ['{"remarked":{"order":"1","text":"handle with care"}}'], globex, []]
  try {
    await until(
      () => first.executor.metrics().subscriptions.active + second.executor.metrics().subscriptions.active === 5,
      () => 'not everybody is subscribed',
    )
    const refused = await send(first.url, 'Bearer ada', 'mutation { ship(id: 1, remark: "never", fail: true) { id } }')
    if (refused.length === 0) throw new Error('the mutation that fails did not fail')
    const errors = await send(first.url, 'Bearer ada', 'mutation { ship(id: 1, remark: "handle with care") { id } }')
    if (errors.length > 0) throw new Error(`the mutation failed: ${JSON.stringify(errors)}`)
    await writeFromOutside(connectionString, `UPDATE orders SET internal_cost = 99`)
    const program = await writeFromOutside(
      connectionString,
      `UPDATE orders SET status = CASE company WHEN 'acme' THEN 'DELIVERED' ELSE 'LOST' END`,
    )
    const got = (): string[][] => clients.map(([, , , { received }]) => [...received])
    await until(
      () => got().every((list, index) => list.length >= (theirs[index]?.length ?? 0)),
      () => `received ${JSON.stringify(got())}`,
    )
    if (JSON.stringify(got()) !== JSON.stringify(theirs)) throw new Error(`received ${JSON.stringify(got())}`)
    print(
      `ada shipped order 1 and remarked on it in one transaction, after one that was rolled back; ${program} updated all orders`,
    )
    for (const [user, company, how, { received }] of clients) {
      print(`${company.padEnd(8)}${user.padEnd(5)}${how.padEnd(23)}← ${received.join(', ') || 'nothing'}`)
    }
    print('each received what is theirs and nothing else')
  } finally {
    for (const [, , , subscriber] of clients) subscriber.close()
  }
}

async function until(isReached: () => boolean, missing: () => string): Promise<void> {
  for (const deadline = Date.now() + 10_000; !isReached(); await delay(5)) {
    if (Date.now() > deadline) throw new Error(`waited 10 s in vain: ${missing()}`)
  }
}
