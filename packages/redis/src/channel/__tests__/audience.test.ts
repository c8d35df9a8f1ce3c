import { recordingListener } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import type { Cursor } from '../../cursor.ts'
import type { Entry } from '../../entry.ts'
import { encodeEnvelope } from '../../envelope.ts'
import { Audience } from '../audience.ts'
import { RedisSubscription } from '../subscription.ts'

const channel = { tenantId: 'acme', name: 'orders' }
const epoch = 'abc'

/** An audience of one who hears everything, and one who was acknowledged at the 10th entry, when it was at time 100. */
function audience() {
  const audience = new Audience(channel, () => undefined)
  const [all, late] = [recordingListener(), recordingListener()]
  const members = [all, late].map(
    ({ listener }) =>
      new RedisSubscription(
        listener,
        () => undefined,
        () => undefined,
      ),
  )
  for (const member of members) audience.add(member)
  const [, lateMember] = members
  if (lateMember !== undefined) lateMember.floor = { epoch, ms: 100, offset: 10, isBefore: false }
  return {
    audience,
    told: () =>
      [all, late].map(({ notifications }) =>
        notifications.map((one) =>
          one.kind === 'event'
            ? one.event.eventId
            : one.kind === 'gap'
              ? `gap:${one.reason}@${one.position}`
              : one.kind,
        ),
      ),
    tell(ms: number, offset: number) {
      const eventId = `${ms}-${offset}`
      const envelope = Buffer.from(encodeEnvelope({ channel, type: 't', eventId, publishedAt: 0, data: Buffer.of() }))
      const cursor: Cursor = { epoch, ms, offset, isBefore: false }
      const entry: Entry = { epoch, ms, offset, envelope, data: Buffer.of() }
      audience.tellEvent(entry, cursor)
    },
  }
}

describe('who was acknowledged where the reader is not yet', () => {
  it('hears what comes after that place', () => {
    const { tell, told } = audience()
    for (const [ms, offset] of [
      [90, 8],
      [100, 9],
      [100, 10],
      [100, 11],
      [120, 12],
    ] as const) {
      tell(ms, offset)
    }
    expect(told()).toEqual([
      ['90-8', '100-9', '100-10', '100-11', '120-12'],
      ['100-11', '120-12'],
    ])
  })

  it('is told a fork, which nobody else is, if other entries are there instead: a replica without the tail was promoted', () => {
    const { tell, told } = audience()
    tell(90, 8) // all that the replica has
    tell(150, 9)
    tell(160, 10)
    tell(170, 11)
    expect(told()).toEqual([
      ['90-8', '150-9', '160-10', '170-11'],
      ['gap:fork@abc.~150-9', '150-9', '160-10', '170-11'],
    ])
  })

  it('is told it at that place at the latest', () => {
    const { tell, told } = audience()
    tell(95, 9)
    tell(99, 10)
    tell(99, 11)
    expect(told()).toEqual([
      ['95-9', '99-10', '99-11'],
      ['gap:fork@abc.~99-10', '99-10', '99-11'],
    ])
  })
})
