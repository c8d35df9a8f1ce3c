import type { Commands } from '../connection/commands.ts'
import { parseEntryId } from '../cursor.ts'
import type { ChannelNames } from '../keys.ts'
import { newEpoch } from '../publisher.ts'
import { topScript } from '../scripts/top-script.ts'
import type { Top } from './page.ts'

/** Channels whose tops one script reads at most: a server does nothing else meanwhile. */
const maxBatchCount = 256

interface Batch {
  readonly names: ChannelNames[]
  readonly tops: Promise<readonly Top[]>
}

/**
 * Asks where channels are. What is asked within one turn of the event loop is one script per partition, however many ask; after
 * a reconnect that is every channel of the process.
 */
export class Tops {
  readonly #commands: Commands
  readonly #recordTtlMs: number
  readonly #open = new Map<number, Batch>()

  constructor(commands: Commands, recordTtlMs: number) {
    this.#commands = commands
    this.#recordTtlMs = recordTtlMs
  }

  /**
   * Where the channel is at some time after the call, however long there is no connection.
   *
   * @throws SluiceError BUS_CLOSED, FORBIDDEN, BUS_UNAVAILABLE
   */
  async ask(names: ChannelNames): Promise<Top> {
    // Without a connection everything that is asked is one batch, however long that is.
    const batch = this.#open.get(names.partition) ?? this.#begin(names.partition)
    let index = batch.names.indexOf(names)
    if (index === -1) index = batch.names.push(names) - 1
    if (batch.names.length >= maxBatchCount) this.#open.delete(names.partition)
    return (await batch.tops)[index] as Top
  }

  /** As {@link Tops.ask}, for one who may give up. @throws the signal's reason */
  async askAlone(names: ChannelNames, signal: AbortSignal): Promise<Top> {
    const [top] = await this.#read([names], signal)
    return top as Top
  }

  #begin(partition: number): Batch {
    const names: ChannelNames[] = []
    const batch: Batch = { names, tops: Promise.resolve().then(() => this.#run(partition, batch)) }
    this.#open.set(partition, batch)
    return batch
  }

  async #run(partition: number, batch: Batch): Promise<readonly Top[]> {
    await this.#commands.up()
    if (this.#open.get(partition) === batch) this.#open.delete(partition)
    return this.#read(batch.names)
  }

  async #read(channels: readonly ChannelNames[], signal?: AbortSignal): Promise<readonly Top[]> {
    const keys = channels.flatMap(({ meta, stream }) => [meta, stream])
    const args = [newEpoch(), this.#recordTtlMs]
    const reply = (await this.#commands.runUntilDone(topScript, keys, args, signal)) as Buffer[]
    return channels.map((_, index) => ({
      epoch: String(reply[index * 2]),
      ...parseEntryId(String(reply[index * 2 + 1])),
    }))
  }
}
