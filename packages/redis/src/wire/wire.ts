import type { SluiceError } from '@sluice/core'
import type { ChannelNames } from '../keys.ts'

/** Who hears of what comes over the wire. Names are those of pub/sub channels. */
export interface WireListener {
  /** Redis was asked for the channel. */
  readonly onSubscribing: (name: string) => void
  /** What is published from now on comes. */
  readonly onAcknowledged: (name: string) => void
  /** Nothing comes any more, until it is acknowledged again. */
  readonly onDetached: (name: string) => void
  readonly onMessage: (name: string, payload: Buffer) => void
  /** Redis will not have it, whatever is tried. */
  readonly onRefused: (name: string, error: SluiceError) => void
}

/** Pub/sub as the bus uses it: whoever adds a channel is told when it is there and when not, until it is removed. */
export interface Wire {
  start(): void
  add(names: ChannelNames): void
  remove(names: ChannelNames): void
  /** Whether every connection that is needed is there. */
  readonly isUp: boolean
  /** How many channels are subscribed to, or to be. */
  readonly channelCount: number
  stop(): Promise<void>
}
