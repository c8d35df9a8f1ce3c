import type { CompiledMatch } from '../channel/match.ts'
import type { SluiceError } from '../errors.ts'
import type { DispatchedEvent } from './dispatched-event.ts'

/** Who gets the events of a channel: the next stage, as routing sees it. */
export interface EventReceiver {
  readonly options: {
    /** `undefined` takes every type. */
    readonly types: readonly string[] | undefined
    readonly match: CompiledMatch
    readonly onGap: 'signal' | 'end'
  }
  /** Takes an event that is for it. Synchronous, and never throws. */
  accept(event: DispatchedEvent): void
  /** Events may be missing before the next one. */
  tellGap(reason: string): void
  end(error?: SluiceError): void
}
