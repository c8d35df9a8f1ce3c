import { SluiceError } from '@sluice/core'
import { publishScript } from '../scripts/publish-script.ts'
import { rangeScript } from '../scripts/range-script.ts'
import type { Script } from '../scripts/script.ts'
import { topScript } from '../scripts/top-script.ts'
import { Link } from './link.ts'
import { partitionSlot } from './partition-slot.ts'
import { type ClusterConnection, isCluster, type RedisArgument, type RedisConnection } from './redis-client.ts'
import { busError, ConnectionLostError, failureKind, isUnknownScript, withoutCommand } from './reply-error.ts'

export interface CommandsOptions {
  readonly open: () => RedisConnection
  readonly heartbeatMs: number
  /** It can be used now. */
  readonly onUp: () => void
  readonly onDown: () => void
  readonly onTrouble: (error: Error) => void
}

/** Scripts run on a server, or on the servers of a cluster; the connection on which the bus publishes and asks. */
export class Commands {
  readonly #link: Link
  readonly #heartbeatMs: number
  readonly #pauses = new Set<{ readonly timer: NodeJS.Timeout; reject(error: Error): void }>()
  /** Commands under way on the connection that is up. */
  readonly #underWay = new Set<(error: Error) => void>()
  readonly #waiting = new Set<{ resolve(): void; reject(error: Error): void }>()
  #isUp = false
  #isStopped = false

  constructor({ open, heartbeatMs, onUp, onDown, onTrouble }: CommandsOptions) {
    this.#heartbeatMs = heartbeatMs
    this.#link = new Link({
      open,
      heartbeatMs,
      probe: (connection) => (isCluster(connection) ? this.#probeNodes(connection) : connection.ping()),
      onUp: async (connection) => {
        await loadScripts(connection)
        if (this.#link.connection !== connection) return
        this.#isUp = true
        onUp()
        for (const { resolve } of this.#waiting) resolve()
        this.#waiting.clear()
      },
      onDown: () => {
        this.#isUp = false
        // Not left to ioredis: on a half-open connection it waits until the socket has closed.
        const lost = new ConnectionLostError('the connection broke before the reply came')
        for (const reject of this.#underWay) reject(lost)
        this.#underWay.clear()
        onDown()
      },
      onTrouble,
    })
  }

  get isUp(): boolean {
    return this.#isUp
  }

  /** The connections of the cluster, if it is one and up. */
  get cluster(): ClusterConnection | undefined {
    const { connection } = this.#link
    return connection !== undefined && isCluster(connection) ? connection : undefined
  }

  /** Which server of a cluster has a partition, as `host:port`; `undefined` for one server, or if it is not known. */
  ownerOf(partition: number): string | undefined {
    return this.cluster?.slots[partitionSlot(partition)]?.[0]
  }

  start(): void {
    this.#link.start()
  }

  /** Opens another connection: this one leads to a server that cannot do what it should any more. */
  restart(reason: Error): void {
    this.#link.restart(reason)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    for (const { timer, reject } of this.#pauses) {
      clearTimeout(timer)
      reject(closed())
    }
    this.#pauses.clear()
    for (const { reject } of this.#waiting) reject(closed())
    this.#waiting.clear()
    await this.#link.stop()
  }

  /**
   * Runs a script once.
   *
   * @throws ConnectionLostError and ReplyError of ioredis, as {@link failureKind} sorts them
   */
  run(script: Script, keys: readonly string[], args: readonly RedisArgument[]): Promise<unknown> {
    const { connection } = this.#link
    if (connection === undefined) return Promise.reject(new ConnectionLostError('there is no connection'))
    return new Promise((resolve, reject) => {
      const settle = (error: unknown): void => {
        if (this.#underWay.delete(fail)) reject(error)
      }
      const fail = (error: Error): void => reject(error)
      this.#underWay.add(fail)
      evaluate(connection, script, keys, args).then((reply) => {
        if (this.#underWay.delete(fail)) resolve(reply)
      }, settle)
    })
  }

  /**
   * Runs a script that may be run again, until it succeeds, however long there is no connection.
   *
   * @throws SluiceError BUS_CLOSED, FORBIDDEN, and BUS_UNAVAILABLE for what does not pass by itself; the signal's reason
   */
  async runUntilDone(
    script: Script,
    keys: readonly string[],
    args: readonly RedisArgument[],
    signal?: AbortSignal,
  ): Promise<unknown> {
    for (;;) {
      await this.up(signal)
      try {
        return await this.run(script, keys, args)
      } catch (error) {
        const kind = failureKind(error)
        if (kind === 'forbidden') throw forbidden(error)
        if (kind === 'refused' || kind === 'unknown') {
          throw busError('BUS_UNAVAILABLE', `Redis refused to read a channel: ${withoutCommand(error).message}`, error)
        }
        // Of a cluster one node can be lost while the others are there.
        if (kind === 'wait' || this.#isUp) await this.pause()
      }
    }
  }

  /** A moment, before something is tried again. @throws SluiceError BUS_CLOSED */
  pause(ms: number = 100): Promise<void> {
    if (this.#isStopped) return Promise.reject(closed())
    return new Promise((resolve, reject) => {
      const pause = {
        timer: setTimeout(() => {
          this.#pauses.delete(pause)
          resolve()
        }, ms),
        reject,
      }
      this.#pauses.add(pause)
    })
  }

  /** Resolves when there is a connection. @throws SluiceError BUS_CLOSED; the signal's reason */
  up(signal?: AbortSignal): Promise<void> {
    if (this.#isStopped) return Promise.reject(closed())
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error)
    if (this.#isUp) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const waiting = {
        resolve() {
          signal?.removeEventListener('abort', abort)
          resolve()
        },
        reject,
      }
      // Whoever gives up is forgotten: an outage may be long.
      const abort = (): void => {
        this.#waiting.delete(waiting)
        reject(signal?.reason as Error)
      }
      this.#waiting.add(waiting)
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  /** A node that is silent is disconnected: the cluster's client then fails what waits for it, and asks who has its slots. */
  async #probeNodes(cluster: ClusterConnection): Promise<void> {
    for (const node of cluster.nodes('master')) {
      if (node.status !== 'ready') continue
      const timer = setTimeout(() => node.disconnect(), this.#heartbeatMs)
      node.ping().then(
        () => clearTimeout(timer),
        () => clearTimeout(timer),
      )
    }
  }
}

/** What the server says to a user who may not. */
export function forbidden(error: unknown): SluiceError {
  return busError(
    'FORBIDDEN',
    'the user of the connection may not use this channel; see the ACL rules in the docs',
    error,
  )
}

export function closed(): SluiceError {
  return new SluiceError('BUS_CLOSED', '[redisBus] was closed; make another one')
}

/** So that no publish meets a server that does not know its script, and is overtaken while it is sent again with it. */
async function loadScripts(connection: RedisConnection): Promise<void> {
  const nodes = isCluster(connection) ? connection.nodes('master') : [connection]
  const scripts = [publishScript, rangeScript, topScript]
  const loading = nodes.flatMap((node) => scripts.map(({ lua }) => node.script('LOAD', lua)))
  // Where it fails the scripts go with the first command that needs them. A node that is down must not hold up the others.
  const loaded = Promise.allSettled(loading)
  if (!isCluster(connection)) await loaded
}

async function evaluate(
  connection: RedisConnection,
  { lua, sha }: Script,
  keys: readonly string[],
  args: readonly RedisArgument[],
): Promise<unknown> {
  try {
    return await connection.evalshaBuffer(sha, keys.length, ...keys, ...args)
  } catch (error) {
    if (!isUnknownScript(error)) throw error
    return connection.evalBuffer(lua, keys.length, ...keys, ...args)
  }
}
