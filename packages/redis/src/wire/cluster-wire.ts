import type { Commands } from '../connection/commands.ts'
import { ownedConnectionOptions } from '../connection/connection-options.ts'
import type { ClusterConnection, RedisConnection } from '../connection/redis-client.ts'
import { ConnectionLostError } from '../connection/reply-error.ts'
import type { ChannelNames } from '../keys.ts'
import { SubscriberLink } from './subscriber-link.ts'
import type { Wire, WireListener } from './wire.ts'

export interface ClusterWireOptions {
  readonly commands: Commands
  readonly connectionName: string
  readonly heartbeatMs: number
  readonly listener: WireListener
  /** {@link Wire.isUp} may be another. */
  readonly onChange: () => void
  readonly onTrouble: (error: Error) => void
}

/**
 * The wire of a cluster: sharded pub/sub, a connection for each master that has a channel. Who has which slot is asked of the
 * cluster client that publishes; whenever it has learnt something new, and when a connection breaks, each channel is moved to
 * where it belongs. That a channel moved comes as a push that ioredis 5 takes for a broken connection, and ioredis 6
 * announces; both end here.
 */
export class ClusterWire implements Wire {
  readonly #options: ClusterWireOptions
  /** By `host:port`. */
  readonly #links = new Map<string, SubscriberLink>()
  /** Where each channel is; without an owner it waits for one. */
  readonly #channels = new Map<string, { readonly names: ChannelNames; owner: string | undefined }>()
  readonly #stopping = new Set<Promise<void>>()
  #watched: ClusterConnection | undefined
  #isStopped = false

  constructor(options: ClusterWireOptions) {
    this.#options = options
  }

  get isUp(): boolean {
    if (this.#links.size === 0 && !this.#options.commands.isUp) return false
    for (const link of this.#links.values()) if (!link.isUp) return false
    for (const { owner } of this.#channels.values()) if (owner === undefined) return false
    return true
  }

  get channelCount(): number {
    return this.#channels.size
  }

  start(): void {
    // It opens its connections when it knows the cluster and somebody wants a channel.
  }

  /** The cluster client is connected: from now on what it learns of the slots is followed. */
  clusterConnected(): void {
    const { cluster } = this.#options.commands
    if (cluster === undefined || cluster === this.#watched) return
    this.#watched = cluster
    cluster.on('refresh', () => {
      if (this.#options.commands.cluster === cluster) this.#route()
    })
    this.#route()
  }

  add(names: ChannelNames): void {
    const channel = { names, owner: undefined }
    this.#channels.set(names.wire, channel)
    this.#place(channel)
  }

  remove({ wire }: ChannelNames): void {
    const channel = this.#channels.get(wire)
    if (channel === undefined) return
    this.#channels.delete(wire)
    if (channel.owner !== undefined) this.#links.get(channel.owner)?.remove(wire)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    for (const key of this.#links.keys()) this.#close(key)
    await Promise.all(this.#stopping)
  }

  /** Puts every channel where its slot is now. */
  #route(): void {
    if (this.#isStopped) return
    for (const channel of this.#channels.values()) this.#place(channel)
    const used = new Set([...this.#channels.values()].map(({ owner }) => owner))
    for (const key of this.#links.keys()) if (!used.has(key)) this.#close(key)
    this.#options.onChange()
  }

  #place(channel: { readonly names: ChannelNames; owner: string | undefined }): void {
    const { commands } = this.#options
    const { cluster } = commands
    const { wire, partition } = channel.names
    const owner = commands.ownerOf(partition)
    // A cluster that cannot be asked leaves everything where it is.
    if (owner === undefined || owner === channel.owner || this.#isStopped) return
    const link = this.#link(cluster as ClusterConnection, owner)
    if (link === undefined) return
    if (channel.owner !== undefined) {
      this.#links.get(channel.owner)?.remove(wire)
      this.#options.listener.onDetached(wire)
    }
    channel.owner = owner
    link.add(wire, partition)
  }

  #link(cluster: ClusterConnection, key: string): SubscriberLink | undefined {
    const known = this.#links.get(key)
    if (known !== undefined) return known
    const node = cluster.nodes('master').find(({ options: { host, port } }) => `${host}:${port}` === key)
    if (node === undefined) return undefined
    const link = this.#newLink(node)
    this.#links.set(key, link)
    link.start()
    return link
  }

  #newLink(node: RedisConnection): SubscriberLink {
    const { connectionName, heartbeatMs, listener, onChange, onTrouble } = this.#options
    const options = ownedConnectionOptions(connectionName)
    return new SubscriberLink({
      open: () => {
        // Each attempt at a node may be at one that is dead: is there another for its slots?
        this.#refresh()
        return node.duplicate(options)
      },
      heartbeatMs,
      isSharded: true,
      listener: {
        ...listener,
        onRefused: (name, error) => {
          this.#channels.delete(name)
          listener.onRefused(name, error)
        },
      },
      onChange,
      onTrouble,
      onMoved: () => this.#moved(),
    })
  }

  /** A channel is not where it was. Which one is not said, so all are acknowledged anew where they belong. */
  #moved(): void {
    this.#refresh(() => {
      for (const link of this.#links.values()) link.restart(new ConnectionLostError('channels moved to another node'))
    })
  }

  #refresh(then: () => void = () => undefined): void {
    const { cluster } = this.#options.commands
    if (cluster === undefined || this.#isStopped) return
    cluster.refreshSlotsCache(() => {
      if (!this.#isStopped) then()
    })
  }

  #close(key: string): void {
    const stopping = this.#links.get(key)?.stop()
    this.#links.delete(key)
    if (stopping === undefined) return
    this.#stopping.add(stopping)
    void stopping.then(() => this.#stopping.delete(stopping))
  }
}
