import { describe, expect, it } from 'vitest'
import { nowhere } from '../../cursor.ts'
import { after, liveReader, scriptedReader } from './scripted-reader.ts'
import { nameOf, SimulatedChannel } from './simulated-channel.ts'

function channelWith(count: number): SimulatedChannel {
  const channel = new SimulatedChannel()
  for (let index = 0; index < count; index += 1) channel.publish()
  return channel
}

describe('the states of a reader', () => {
  it('are detached, subscribing, buffering and live if there is nothing to replay', () => {
    const channel = channelWith(2)
    const { reader, answerAll, told } = scriptedReader(channel)
    expect(reader.state).toBe('detached')
    reader.subscribing()
    expect(reader.state).toBe('subscribing')
    reader.acknowledged()
    expect(reader.state).toBe('buffering')
    answerAll()
    expect(reader.state).toBe('live')
    expect(told).toEqual([])
  })

  it('have replaying between buffering and live if there is, and what came meanwhile follows it', () => {
    const channel = new SimulatedChannel()
    const first = channel.publish()
    const missed = channel.publish()
    const { reader, questions, answerAll, told } = scriptedReader(channel, after(first))
    reader.acknowledged()
    const live = channel.publish()
    reader.takeFrame(live)
    questions.shift()?.answer()
    expect(reader.state).toBe('replaying')
    expect(told).toEqual([])
    answerAll()
    expect(reader.state).toBe('live')
    expect(told).toEqual([missed, live].map(nameOf))
  })

  it('go back to detached when the wire is gone, whose late answers are not heard', () => {
    const channel = new SimulatedChannel()
    const { reader, questions, told } = scriptedReader(channel, after(channel.publish()))
    channel.publish()
    reader.acknowledged()
    questions.shift()?.answer()
    const page = questions.shift()
    reader.detached()
    page?.answer()
    expect(reader.state).toBe('detached')
    expect(told).toEqual([])
  })
})

describe('in live', () => {
  it('a frame that follows is told, a repetition is not', () => {
    const channel = channelWith(1)
    const { reader, told } = liveReader(channel)
    const [a, b] = [channel.publish(), channel.publish()]
    for (const frame of [a, a, b, a, b]) reader.takeFrame(frame)
    expect(told).toEqual([a, b].map(nameOf))
    expect(reader.state).toBe('live')
  })

  it('a hole sends it to the stream, which has what is missing', () => {
    const channel = channelWith(1)
    const { reader, told, answerAll } = liveReader(channel)
    const lost = channel.publish()
    const heard = channel.publish()
    reader.takeFrame(heard)
    expect(reader.state).toBe('replaying')
    expect(told).toEqual([])
    answerAll()
    expect(told).toEqual([lost, heard].map(nameOf))
  })

  it('an offset that follows in a history that does not is a fork', () => {
    const channel = channelWith(1)
    const { reader, told, answerAll } = liveReader(channel)
    const seen = channel.publish()
    reader.takeFrame(seen)
    channel.loseTail(1)
    const instead = channel.publish() // has the offset of what was seen
    const next = channel.publish() // has the offset that the reader waits for
    reader.takeFrame(next)
    answerAll()
    expect(told).toEqual([nameOf(seen), 'gap:fork', nameOf(instead), nameOf(next)])
  })

  it('an old offset with a later time is a fork, not a repetition', () => {
    const channel = channelWith(5)
    const { reader, told, answerAll } = liveReader(channel)
    channel.loseTail(3)
    const instead = channel.publish()
    reader.takeFrame(instead)
    answerAll()
    expect(told).toEqual(['gap:fork', nameOf(instead)])
  })

  it('a frame of a history that is no more tells nothing', () => {
    const channel = channelWith(1)
    const stale = channel.publish()
    channel.flush()
    const { reader, told, answerAll } = liveReader(channel)
    reader.takeFrame(stale)
    answerAll()
    expect(told).toEqual([])
    expect(reader.state).toBe('live')
  })

  it('a check finds a last message that was lost', () => {
    const channel = channelWith(1)
    const { reader, told, answerAll } = liveReader(channel)
    const lost = channel.publish()
    reader.check(channel.top, after(lost))
    reader.check(channel.top, { ...channel.top, ms: 0, offset: 1, isBefore: false })
    answerAll()
    expect(told).toEqual([nameOf(lost)])
  })

  it.each<[string, (channel: SimulatedChannel) => void, string]>([
    ['was emptied', (channel) => channel.flush(), 'gap:epoch'],
    ['was emptied and filled again to the same offset', (channel) => refill(channel, 3), 'gap:epoch'],
    ['lost its tail', (channel) => channel.loseTail(1), 'gap:fork'],
  ])('a check finds that the history %s, once', (_, harm, gap) => {
    const channel = channelWith(3)
    const { reader, told, answerAll } = liveReader(channel)
    const asked = reader.cursor ?? nowhere
    harm(channel)
    for (let round = 0; round < 3; round += 1) {
      reader.check(channel.top, round === 0 ? asked : (reader.cursor ?? nowhere))
      answerAll()
    }
    expect(told.filter((name) => name.startsWith('gap'))).toEqual([gap])
  })

  it('a check that was overtaken by events does nothing', () => {
    const channel = channelWith(1)
    const { reader, questions } = liveReader(channel)
    const asked = reader.cursor ?? nowhere
    const top = channel.top
    reader.takeFrame(channel.publish())
    reader.check(top, asked)
    expect(reader.state).toBe('live')
    expect(questions).toEqual([])
  })
})

describe('a resume', () => {
  it('from no history at all tells one gap, then all that is kept', () => {
    const channel = channelWith(7)
    const { told } = liveReader(channel, nowhere)
    expect(told).toEqual(['gap:epoch', ...channel.kept])
  })

  it('from what was trimmed tells one gap, then all that is kept, over many pages', () => {
    const channel = new SimulatedChannel()
    const first = channel.publish()
    for (let index = 0; index < 20; index += 1) channel.publish()
    channel.trim(10)
    const { told } = liveReader(channel, after(first))
    expect(told).toEqual(['gap:trimmed', ...channel.kept])
  })

  it('from the last entry that was trimmed tells a gap, and from the first that is kept none', () => {
    const channel = channelWith(3)
    const dropped = channel.publish()
    const kept = channel.publish()
    const last = channel.publish()
    channel.trim(2)
    expect(liveReader(channel, after(kept)).told).toEqual([nameOf(last)])
    expect(liveReader(channel, after(dropped)).told).toEqual(['gap:trimmed', ...[kept, last].map(nameOf)])
  })

  it('from the end of a history that expired tells nothing', () => {
    const channel = channelWith(3)
    const last = channel.publish()
    channel.trim(0)
    expect(liveReader(channel, after(last)).told).toEqual([])
  })

  it('from before the end of a history that expired tells a gap', () => {
    const channel = channelWith(3)
    const last = channel.publish()
    channel.publish()
    channel.trim(0)
    const { told, reader } = liveReader(channel, after(last))
    expect(told).toEqual(['gap:trimmed'])
    expect(reader.state).toBe('live')
  })

  it('from where a gap was told tells the same without a gap', () => {
    const channel = new SimulatedChannel()
    const first = channel.publish()
    for (let index = 0; index < 9; index += 1) channel.publish()
    channel.trim(5)
    const page = channel.read(after(first), 1)
    const [kept] = page.entries
    if (kept === undefined) throw new Error('nothing is kept')
    const { told } = liveReader(channel, { ...kept, isBefore: true })
    expect(told).toEqual(channel.kept)
  })
})

describe('frames that come while it replays', () => {
  it('are not kept without a limit, and none is lost for that', () => {
    const channel = new SimulatedChannel()
    const first = channel.publish()
    const { reader, questions, answerAll, told } = scriptedReader(channel, after(first), { maxCount: 5 })
    reader.acknowledged()
    questions.shift()?.answer()
    channel.publish()
    reader.replay()
    for (let index = 0; index < 50; index += 1) reader.takeFrame(channel.publish())
    answerAll()
    expect(told).toEqual(channel.kept.slice(1))
    expect(reader.state).toBe('live')
  })
})

/** Empties a channel and publishes as many events as it had. */
function refill(channel: SimulatedChannel, count: number): void {
  channel.flush()
  for (let index = 0; index < count; index += 1) channel.publish()
}
