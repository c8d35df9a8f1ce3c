import type { Cursor } from '../../cursor.ts'
import type { Frame } from '../../entry.ts'
import { ChannelReader } from '../channel-reader.ts'
import { FrameBudget } from '../frame-buffer.ts'
import { nameOf, type SimulatedChannel } from './simulated-channel.ts'

/** A reader whose questions are answered when a test says so, and what it told. */
export interface ScriptedReader {
  readonly reader: ChannelReader
  /** `<epoch>/<ms>-<offset>` of each event, and `gap:<reason>`. */
  readonly told: string[]
  /** Questions that were not answered yet. */
  readonly questions: { kind: 'top' | 'page'; answer(): void }[]
  /** Answers everything, and what is asked then, until nothing is asked any more. */
  answerAll(): void
}

/** @param pageCount entries per page at most */
export function scriptedReader(
  channel: SimulatedChannel,
  cursor?: Cursor,
  { pageCount = 3, maxCount = 5 }: { pageCount?: number; maxCount?: number } = {},
): ScriptedReader {
  const told: string[] = []
  const questions: ScriptedReader['questions'] = []
  const reader: ChannelReader = new ChannelReader(
    {
      askTop() {
        questions.push({ kind: 'top', answer: () => reader.takeTop(channel.top) })
      },
      askPage(from, ticket) {
        questions.push({ kind: 'page', answer: () => reader.takePage(ticket, channel.read(from, pageCount)) })
      },
      tellEvent: (entry) => told.push(nameOf(entry)),
      tellGap: (reason) => told.push(`gap:${reason}`),
      becameLive: () => undefined,
    },
    { maxCount, maxBytes: 1_000_000, budget: new FrameBudget(1_000_000) },
    cursor,
  )
  return {
    reader,
    told,
    questions,
    answerAll() {
      for (let question = questions.shift(); question !== undefined; question = questions.shift()) question.answer()
    },
  }
}

/** A reader that is live at the end of the channel. */
export function liveReader(channel: SimulatedChannel, cursor?: Cursor): ScriptedReader {
  const scripted = scriptedReader(channel, cursor)
  scripted.reader.subscribing()
  scripted.reader.acknowledged()
  scripted.answerAll()
  return scripted
}

/** The cursor right after an entry. */
export function after({ epoch, ms, offset }: Frame): Cursor {
  return { epoch, ms, offset, isBefore: false }
}
