import { type ChannelKey, SHARED } from '@sluice/core'
import { type RecordingListener, recordingListener } from '@sluice/testkit'
import type { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { quoteIdentifier, quoteLiteral } from '../quote.ts'
import { type BusBackend, openBackend } from './support/bus-backend.ts'
import { embeddedBinaries, installedBinaries } from './support/postgres-binaries.ts'
import { type PostgresServer, startPostgres } from './support/postgres-server.ts'

const versions = [{ version: 18, binaries: await embeddedBinaries() }]
const installed = installedBinaries()
if (installed !== undefined) versions.push({ version: 15, binaries: installed })

describe.each(versions)('watch_table on Postgres $version', ({ binaries }) => {
  let server: PostgresServer
  let backend: BusBackend
  let client: Client

  beforeAll(async () => {
    server = await startPostgres({ binaries })
  })
  afterAll(() => server.stop())
  beforeEach(async () => {
    backend = await openBackend(server.url())
    client = await server.connect()
    await client.query('CREATE TABLE orders (id int PRIMARY KEY, tenant_id text, status text, secret text)')
  })
  afterEach(async () => {
    await client.query('DROP TABLE IF EXISTS orders, parents CASCADE').catch(() => {})
    await client.end()
    await backend.close()
  })

  async function hear(tenantId: ChannelKey['tenantId'], name: string): Promise<RecordingListener> {
    const recording = recordingListener()
    await backend.bus.subscribe({ tenantId, name }, { from: 'live' }, recording.listener)
    return recording
  }

  /** What was heard by each so far: an event is published to each afterwards, and nothing can come after it any more. */
  async function heard(...recordings: [RecordingListener, ChannelKey['tenantId'], string][]): Promise<unknown[][]> {
    for (const [recording, tenantId, name] of recordings) {
      const eventId = `end of ${recording.events.length} ${Math.random()}`
      await backend.bus.publish({
        channel: { tenantId, name },
        type: 'end',
        data: Buffer.from('null'),
        eventId,
        publishedAt: 1,
      })
      await recording.receivedId(eventId)
    }
    return recordings.map(([recording]) =>
      recording.events
        .filter(({ event }) => event.type !== 'end')
        .map(({ event }) => [event.type, JSON.parse(Buffer.from(event.data).toString())]),
    )
  }

  it('publishes what is inserted, updated and deleted, with the row as data', async () => {
    await client.query(`SELECT ${backend.s}.watch_table('orders', 'tenant_id')`)
    const orders = await hear('t1', 'orders')
    await client.query(`INSERT INTO orders VALUES (1, 't1', 'new', NULL)`)
    await client.query(`UPDATE orders SET status = 'paid'`)
    await client.query(`DELETE FROM orders`)
    expect(await heard([orders, 't1', 'orders'])).toEqual([
      [
        ['insert', { id: 1, tenant_id: 't1', status: 'new', secret: null }],
        ['update', { id: 1, tenant_id: 't1', status: 'paid', secret: null }],
        ['delete', { id: 1, tenant_id: 't1', status: 'paid', secret: null }],
      ],
    ])
  })

  it('publishes in the transaction of whoever writes, and nothing of one that is rolled back', async () => {
    await client.query(`SELECT ${backend.s}.watch_table('orders', 'tenant_id', columns => ARRAY['id'])`)
    const orders = await hear('t1', 'orders')
    await client.query('BEGIN')
    await client.query(`INSERT INTO orders VALUES (1, 't1')`)
    await client.query('ROLLBACK')
    await client.query(`INSERT INTO orders VALUES (2, 't1')`)
    await client.query(`INSERT INTO orders VALUES (2, 't1') ON CONFLICT DO NOTHING`)
    await client.query(`INSERT INTO orders VALUES (2, 't1', 'x') ON CONFLICT (id) DO UPDATE SET status = 'x'`)
    expect(await heard([orders, 't1', 'orders'])).toEqual([[['insert', { id: 2 }]]])
  })

  it('publishes chosen columns only, and nothing if none of them changed', async () => {
    await client.query(`SELECT ${backend.s}.watch_table('orders', 'tenant_id', columns => ARRAY['id', 'status'])`)
    const orders = await hear('t1', 'orders')
    await client.query(`INSERT INTO orders VALUES (1, 't1', 'new', 'hunter2')`)
    await client.query(`UPDATE orders SET secret = 'hunter3'`)
    await client.query(`UPDATE orders SET status = 'paid'`)
    expect(await heard([orders, 't1', 'orders'])).toEqual([
      [
        ['insert', { id: 1, status: 'new' }],
        ['update', { id: 1, status: 'paid' }],
      ],
    ])
  })

  it('publishes to channels that are made of columns', async () => {
    await client.query(
      `SELECT ${backend.s}.watch_table('orders', 'tenant_id', ARRAY['orders', 'order:{id}', '{status}/{id}'], ARRAY['id'])`,
    )
    const [all, one, another, fresh, paid] = await Promise.all(
      ['orders', 'order:1', 'order:2', 'new/1', 'paid/1'].map((name) => hear('t1', name)),
    )
    if (!all || !one || !another || !fresh || !paid) throw new Error('unreachable')
    await client.query(`INSERT INTO orders VALUES (1, 't1', 'new'), (2, 't1', NULL)`)
    await client.query(`UPDATE orders SET status = 'paid' WHERE id = 1`)
    expect(
      await heard(
        [all, 't1', 'orders'],
        [one, 't1', 'order:1'],
        [another, 't1', 'order:2'],
        [fresh, 't1', 'new/1'],
        [paid, 't1', 'paid/1'],
      ),
    ).toEqual([
      [
        ['insert', { id: 1 }],
        ['insert', { id: 2 }],
      ],
      [['insert', { id: 1 }]],
      [['insert', { id: 2 }]],
      // It left the one channel and came to the other.
      [
        ['insert', { id: 1 }],
        ['delete', { id: 1 }],
      ],
      [['insert', { id: 1 }]],
    ])
  })

  describe('tenants', () => {
    it('never hear of the rows of others, in statements that touch all of them too', async () => {
      await client.query(
        `SELECT ${backend.s}.watch_table('orders', 'tenant_id', columns => ARRAY['id', 'tenant_id', 'status'])`,
      )
      const [a, b] = [await hear('a', 'orders'), await hear('b', 'orders')]
      await client.query(
        `INSERT INTO orders SELECT n, CASE WHEN n % 2 = 0 THEN 'a' ELSE 'b' END, 's' FROM generate_series(1, 20) n`,
      )
      await client.query(`UPDATE orders SET status = 'paid'`)
      await client.query(`DELETE FROM orders WHERE id < 11`)
      for (const [told, tenant, parity] of [
        [(await heard([a, 'a', 'orders']))[0], 'a', 0],
        [(await heard([b, 'b', 'orders']))[0], 'b', 1],
      ] as const) {
        const rows = told as [string, { id: number; tenant_id: string }][]
        expect(rows.map(([type]) => type)).toEqual([
          ...Array.from({ length: 10 }, () => 'insert'),
          ...Array.from({ length: 10 }, () => 'update'),
          ...Array.from({ length: 5 }, () => 'delete'),
        ])
        for (const [, row] of rows) {
          expect(row.tenant_id).toBe(tenant)
          expect(row.id % 2).toBe(parity)
        }
      }
    })

    it('a row that moves is a delete with its key alone for the old one, and an insert for the new one', async () => {
      await client.query(`SELECT ${backend.s}.watch_table('orders', 'tenant_id')`)
      await client.query(`INSERT INTO orders VALUES (1, 'a', 'new', 'of a')`)
      const [a, b] = [await hear('a', 'orders'), await hear('b', 'orders')]
      await client.query(`UPDATE orders SET tenant_id = 'b', status = 'moved', secret = 'of b'`)
      const [ofA, ofB] = await heard([a, 'a', 'orders'], [b, 'b', 'orders'])
      expect(ofA?.slice(-1)).toEqual([['delete', { id: 1 }]])
      expect(ofB).toEqual([['insert', { id: 1, tenant_id: 'b', status: 'moved', secret: 'of b' }]])
      expect(JSON.stringify(ofA?.slice(-1))).not.toMatch(/of b|moved|"b"/)
    })

    it('rows that swap tenants in one statement cross nothing', async () => {
      await client.query(`SELECT ${backend.s}.watch_table('orders', 'tenant_id')`)
      await client.query(`INSERT INTO orders VALUES (1, 'a', 'sa', 'of a'), (2, 'b', 'sb', 'of b')`)
      const [a, b] = [await hear('a', 'orders'), await hear('b', 'orders')]
      await client.query(`UPDATE orders SET tenant_id = CASE tenant_id WHEN 'a' THEN 'b' ELSE 'a' END`)
      const [ofA, ofB] = await heard([a, 'a', 'orders'], [b, 'b', 'orders'])
      expect(ofA?.slice(-2)).toEqual([
        ['delete', { id: 1 }],
        ['insert', { id: 2, tenant_id: 'a', status: 'sb', secret: 'of b' }],
      ])
      expect(ofB?.slice(-2)).toEqual([
        ['delete', { id: 2 }],
        ['insert', { id: 1, tenant_id: 'b', status: 'sa', secret: 'of a' }],
      ])
    })

    it('a key that changes is a delete of the old and an insert of the new', async () => {
      await client.query(`SELECT ${backend.s}.watch_table('orders', 'tenant_id', columns => ARRAY['id'])`)
      await client.query(`INSERT INTO orders VALUES (1, 'a'), (2, 'a')`)
      const a = await hear('a', 'orders')
      await client.query(`UPDATE orders SET id = id + 10 WHERE id = 2`)
      const [told] = await heard([a, 'a', 'orders'])
      expect(told?.slice(-2)).toEqual([
        ['delete', { id: 2 }],
        ['insert', { id: 12 }],
      ])
    })

    it('a row without a tenant is nobody’s: it comes with one and goes without', async () => {
      await client.query(`SELECT ${backend.s}.watch_table('orders', 'tenant_id')`)
      const recordings = await Promise.all(
        [['a'], [SHARED], ['null'], ['NULL']].map(async ([tenant]) => hear(tenant as string, 'orders')),
      )
      const [a, ...others] = recordings
      if (a === undefined) throw new Error('unreachable')
      await client.query(`INSERT INTO orders VALUES (1, NULL, 'hidden'), (2, '', 'hidden')`)
      await client.query(`UPDATE orders SET status = 'still hidden'`)
      await client.query(`UPDATE orders SET tenant_id = 'a', status = 'seen' WHERE id = 1`)
      await client.query(`UPDATE orders SET tenant_id = NULL, status = 'hidden again' WHERE id = 1`)
      await client.query(`DELETE FROM orders`)
      expect(await heard([a, 'a', 'orders'])).toEqual([
        [
          ['insert', { id: 1, tenant_id: 'a', status: 'seen', secret: null }],
          ['delete', { id: 1 }],
        ],
      ])
      for (const other of others) expect(other.events).toEqual([])
    })

    it('a shared table is for all of them', async () => {
      await client.query(`SELECT ${backend.s}.watch_table('orders', NULL, shared => true, columns => ARRAY['id'])`)
      const [all, t] = [await hear(SHARED, 'orders'), await hear('t1', 'orders')]
      await client.query(`INSERT INTO orders VALUES (1, 't1')`)
      await client.query(`UPDATE orders SET tenant_id = 't2'`)
      expect(await heard([all, SHARED, 'orders'], [t, 't1', 'orders'])).toEqual([[['insert', { id: 1 }]], []])
    })
  })

  describe.each([
    'order"s; DROP TABLE orders; --',
    "o'rders $$ $sql$ %I %L \\",
    'Bestellungen ☕ ünï',
    'r.id::text',
    'select',
  ])('a schema, a table, columns and tenants called %s', (odd) => {
    it('are names and nothing else', async () => {
      const q = quoteIdentifier
      const { name } = { name: odd.slice(0, 40) }
      const schema = `s ${name}`
      const [id, tenant, status] = [`id ${name}`, `tenant ${name}`, `status ${name}`]
      await client.query(`CREATE SCHEMA ${q(schema)}`)
      const table = `${q(schema)}.${q(name)}`
      await client.query(
        `CREATE TABLE ${table} (${q(id)} text, ${q(tenant)} text, ${q(status)} text, PRIMARY KEY (${q(id)}, ${q(tenant)}))`,
      )
      await client.query(`SELECT ${backend.s}.watch_table($1, $2, $3, $4)`, [
        table,
        tenant,
        [name, `${name}:{${id}}`],
        [id, status],
      ])
      const key = `k ${odd} {x} 1`
      const [all, one, other] = [await hear(odd, name), await hear(odd, `${name}:${key}`), await hear(`${odd}2`, name)]
      await client.query(`INSERT INTO ${table} VALUES ($1, $2, $3)`, [key, odd, `s ${odd}`])
      await client.query(`UPDATE ${table} SET ${q(status)} = $1`, [`t ${odd}`])
      await client.query(`DELETE FROM ${table}`)
      const expected = [
        ['insert', { [id]: key, [status]: `s ${odd}` }],
        ['update', { [id]: key, [status]: `t ${odd}` }],
        ['delete', { [id]: key, [status]: `t ${odd}` }],
      ]
      expect(await heard([all, odd, name], [one, odd, `${name}:${key}`], [other, `${odd}2`, name])).toEqual([
        expected,
        expected,
        [],
      ])
      await client.query(`SELECT ${backend.s}.unwatch_table(${quoteLiteral(table)})`)
      expect((await client.query(`SELECT FROM orders`)).rowCount).toBe(0)
      await client.query(`DROP SCHEMA ${q(schema)} CASCADE`)
    })
  })

  it('lets a writer write that may do nothing in the schema of the bus', async () => {
    await client.query(`SELECT ${backend.s}.watch_table('orders', 'tenant_id', columns => ARRAY['id'])`)
    const orders = await hear('t1', 'orders')
    const role = `writer_${backend.schema}`
    await client.query(`CREATE ROLE ${role}; GRANT ALL ON orders TO ${role}; SET ROLE ${role}`)
    await client.query(`INSERT INTO orders VALUES (1, 't1')`)
    await expect(client.query(`SELECT ${backend.s}.publish('t1', 'orders', 'x', '1')`)).rejects.toMatchObject({
      code: '42501',
    })
    // Nor may it make a trigger of its own that publishes to any tenant it likes.
    await client.query('RESET ROLE')
    await client.query(
      `GRANT CREATE ON SCHEMA public TO ${role}; GRANT USAGE ON SCHEMA ${backend.s} TO ${role}; SET ROLE ${role}`,
    )
    await client.query('CREATE TABLE own (id int PRIMARY KEY, tenant text)')
    const args = `'tenant', '{id}', '{}', '{orders}'`
    await expect(
      client.query(`CREATE TRIGGER t AFTER INSERT ON own REFERENCING NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION ${backend.s}.publish_changes(${args})`),
    ).rejects.toMatchObject({ code: '42501' })
    await client.query('DROP TABLE own; RESET ROLE')
    expect(await heard([orders, 't1', 'orders'])).toEqual([[['insert', { id: 1 }]]])
    await client.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
  })

  it('sends the key alone, and says so, where a row is larger than an event may be', async () => {
    await client.query(`SELECT ${backend.s}.watch_table('orders', 'tenant_id')`)
    const orders = await hear('t1', 'orders')
    await client.query(`INSERT INTO orders VALUES (1, 't1', repeat('x', 1048577))`)
    expect(await heard([orders, 't1', 'orders'])).toEqual([[['insert', { id: 1 }]]])
    expect(orders.events[0]?.event.headers).toEqual({ 'sluice-data': 'key' })
  })

  it('sees partitions, composite keys and tenants of other types', async () => {
    await client.query(`CREATE TABLE parents (region text, n int, tenant uuid, PRIMARY KEY (region, n)) PARTITION BY LIST (region);
      CREATE TABLE parents_eu PARTITION OF parents FOR VALUES IN ('eu');
      CREATE TABLE parents_us PARTITION OF parents FOR VALUES IN ('us')`)
    await client.query(`SELECT ${backend.s}.watch_table('parents', 'tenant', ARRAY['p:{region}'], ARRAY['n'])`)
    const tenant = '0b5e2bd8-6b1f-4d3a-9f6c-3f0f3f3b9a11'
    const [eu, us] = [await hear(tenant, 'p:eu'), await hear(tenant, 'p:us')]
    await client.query(`INSERT INTO parents VALUES ('eu', 1, $1), ('us', 1, $1), ('eu', 2, $1)`, [tenant])
    await client.query(`UPDATE parents SET n = 3 WHERE region = 'us'`)
    await client.query(`DELETE FROM parents WHERE n = 2`)
    expect(await heard([eu, tenant, 'p:eu'], [us, tenant, 'p:us'])).toEqual([
      [
        ['insert', { n: 1 }],
        ['insert', { n: 2 }],
        ['delete', { n: 2 }],
      ],
      [
        ['insert', { n: 1 }],
        ['delete', { n: 1 }],
        ['insert', { n: 3 }],
      ],
    ])
  })

  it('keeps a table from being written whose column was renamed, until it is told the new name', async () => {
    await client.query(`SELECT ${backend.s}.watch_table('orders', 'tenant_id', columns => ARRAY['id'])`)
    const orders = await hear('t1', 'orders')
    await client.query('ALTER TABLE orders RENAME tenant_id TO company_id')
    await expect(client.query(`INSERT INTO orders VALUES (1, 't1')`)).rejects.toMatchObject({ code: '42703' })
    await client.query(`SELECT ${backend.s}.watch_table('orders', 'company_id', columns => ARRAY['id'])`)
    await client.query(`INSERT INTO orders VALUES (2, 't1')`)
    expect(await heard([orders, 't1', 'orders'])).toEqual([[['insert', { id: 2 }]]])
  })

  it('can be told anew and taken back', async () => {
    await client.query(`SELECT ${backend.s}.watch_table('orders', 'tenant_id', ARRAY['first'])`)
    await client.query(`SELECT ${backend.s}.watch_table('orders', 'tenant_id', ARRAY['second'], ARRAY['id'])`)
    const [first, second] = [await hear('t1', 'first'), await hear('t1', 'second')]
    await client.query(`INSERT INTO orders VALUES (1, 't1')`)
    await client.query(`SELECT ${backend.s}.unwatch_table('orders')`)
    await client.query(`SELECT ${backend.s}.unwatch_table('orders')`)
    await client.query(`INSERT INTO orders VALUES (2, 't1')`)
    expect(await heard([first, 't1', 'first'], [second, 't1', 'second'])).toEqual([[], [['insert', { id: 1 }]]])
  })

  it.each([
    [`'orders', NULL`, '22023', /say which column/],
    [`'orders', 'tenant_id', shared => true`, '22023', /either shared or has a tenant column/],
    [`'orders', 'tenant'`, '42703', /has no column tenant/],
    [`'orders', 'tenant_id', ARRAY['o:{nr}']`, '42703', /has no column nr/],
    [`'orders', 'tenant_id', columns => ARRAY['id', 'x"; --']`, '42703', /has no column "x""; --"/],
    [`'orders', 'tenant_id', ARRAY[]::text[]`, '22023', /at least one channel/],
    [`'orders', 'tenant_id', columns => ARRAY[]::text[]`, '22023', /at least one column/],
    [`'no_key', 'tenant_id'`, '22023', /has no primary key/],
    [`'nowhere', 'tenant_id'`, '42P01', /does not exist/],
    [`'orders; DROP TABLE orders', 'tenant_id'`, '42602', /invalid name syntax/],
  ])('refuses watch_table(%s)', async (args, code, message) => {
    await client.query('CREATE TABLE no_key (tenant_id text)')
    await expect(client.query(`SELECT ${backend.s}.watch_table(${args})`)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    })
    await client.query('DROP TABLE no_key')
  })
})
