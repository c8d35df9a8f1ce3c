import type { ExecutionResult } from 'graphql'
import { describe, expect, it } from 'vitest'
import { sseBody } from '../sse-body.ts'

/** A body of a subscription without events, whose heart the test beats. */
function openBody() {
  const calls: string[] = []
  let beat = () => {}
  const results = (async function* (): AsyncGenerator<ExecutionResult> {
    yield await new Promise<never>(() => {})
  })()
  const body = sseBody(
    results,
    { ReadableStream },
    {
      startHeartbeat(given) {
        beat = given
        return () => calls.push('stopped')
      },
      whenGone() {},
      onError: (error) => calls.push(`error ${String(error)}`),
      onStalled: () => calls.push('stalled'),
      onEnd: () => calls.push('ended'),
    },
  )
  return { calls, reader: body.getReader(), beat: () => beat() }
}

describe('a client that takes nothing', () => {
  it('is given up after two heartbeats', () => {
    const { beat, calls } = openBody()
    beat()
    expect(calls).toEqual([])
    beat()
    expect(calls).toEqual(['stalled'])
  })

  it('is not given up if it has read in between', async () => {
    const { beat, calls, reader } = openBody()
    const read = async () => new TextDecoder().decode((await reader.read()).value)
    expect(await read()).toBe(':\n\n')
    for (let count = 0; count < 5; count += 1) {
      beat()
      expect(await read()).toBe(':\n\n')
    }
    expect(calls).toEqual([])
  })
})

it('stops its heart and says that it ended, once, when the client leaves', async () => {
  const { calls, reader } = openBody()
  await reader.read()
  void reader.cancel()
  expect(calls).toEqual(['stopped', 'ended'])
})
