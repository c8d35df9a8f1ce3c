import { type RedisServer, startRedisServer, until } from '@sluice/testkit'
import { Cluster, Redis } from 'ioredis'
import { onTestFinished } from 'vitest'

/** One server of a cluster, and a client to command it. */
export interface ClusterNode {
  readonly server: RedisServer
  readonly admin: Redis
  readonly id: string
}

export interface TestCluster {
  /** Three, each with a third of the slots. */
  readonly masters: readonly ClusterNode[]
  /** One of the first master. */
  readonly replica: ClusterNode
  /** A client for `redisBus`, closed when the test is over. */
  client(): Cluster
  /** The master that has a slot, by what the first master that is alive says. */
  ownerOf(slot: number): Promise<ClusterNode>
  /** Moves a slot with all its keys, as `redis-cli --cluster reshard` does. */
  migrate(slot: number, from: ClusterNode, to: ClusterNode): Promise<void>
}

const settings = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000', '--cluster-require-full-coverage', 'no']

/** A real cluster on the loopback interface: three masters, and a replica of the first. */
export async function openCluster(): Promise<TestCluster> {
  const nodes = await Promise.all(
    [0, 1, 2, 3].map(async (): Promise<ClusterNode> => {
      const server = await startRedisServer({ args: settings })
      onTestFinished(() => server.stop())
      const admin = new Redis(server.port, '127.0.0.1', { retryStrategy: () => 50 })
      admin.on('error', () => undefined) // a node that dies is part of the test
      onTestFinished(() => admin.disconnect())
      return { server, admin, id: await admin.cluster('MYID') }
    }),
  )
  const [first, second, third, replica] = nodes as [ClusterNode, ClusterNode, ClusterNode, ClusterNode]
  const masters = [first, second, third]
  const ranges = [
    [0, 5460],
    [5461, 10922],
    [10923, 16383],
  ] as const
  await Promise.all(masters.map(({ admin }, index) => admin.call('CLUSTER', 'ADDSLOTSRANGE', ...(ranges[index] ?? []))))
  for (const { server } of [second, third, replica]) await first.admin.call('CLUSTER', 'MEET', '127.0.0.1', server.port)
  const isReady = async ({ admin }: ClusterNode, count: number): Promise<boolean> => {
    const info = await admin.cluster('INFO')
    return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${count}`)
  }
  await until(
    async () => (await Promise.all(nodes.map((node) => isReady(node, 4)))).every(Boolean),
    'the nodes have met',
  )
  await replica.admin.call('CLUSTER', 'REPLICATE', first.id)
  await until(async () => (await replica.admin.info('replication')).includes('master_link_status:up'), 'it follows')

  return {
    masters,
    replica,
    client() {
      const client = new Cluster(
        masters.map(({ server: { port } }) => ({ host: '127.0.0.1', port })),
        { lazyConnect: true },
      )
      onTestFinished(() => client.disconnect())
      return client
    },
    async ownerOf(slot) {
      const asked = nodes.find(({ server }) => server.pid !== undefined)
      const slots = (await asked?.admin.cluster('SLOTS')) ?? []
      const owner = slots.find(([start, end]) => start <= slot && slot <= end)?.[2]?.[2]
      return nodes.find(({ id }) => id === owner) as ClusterNode
    },
    async migrate(slot, from, to) {
      await to.admin.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id)
      await from.admin.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id)
      for (;;) {
        const keys = (await from.admin.call('CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[]
        if (keys.length === 0) break
        await from.admin.call('MIGRATE', '127.0.0.1', to.server.port, '', 0, 5_000, 'KEYS', ...keys)
      }
      for (const { admin } of [to, from]) await admin.call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id)
    },
  }
}
