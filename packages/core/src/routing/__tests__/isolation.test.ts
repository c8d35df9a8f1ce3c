import fc from 'fast-check'
import { type DocumentNode, type ExecutionResult, parse } from 'graphql'
import { expect, test } from 'vitest'
import { readAll, serve, streamOf } from '../../__tests__/service.ts'
import type { EventInput } from '../../scope/publisher.ts'
import type { PushStream } from '../../delivery/response-stream.ts'
import {
  type Action,
  actions,
  dataOf,
  expectedResult,
  modelContext,
  modelSchema,
  shares,
  type Subscribing,
} from './isolation-model.ts'

const schema = modelSchema()
const documents = {
  variables: documentsOf((share) => `subscription ($asked: Json) { it: ${share}(asked: $asked) }`),
  context: documentsOf((share) => `subscription { it: ${share} }`),
}

function documentsOf(textOf: (share: string) => string): Record<string, DocumentNode> {
  return Object.fromEntries(Object.keys(shares).map((share) => [share, parse(textOf(share))]))
}

interface Subscriber {
  readonly subscription: Subscribing
  readonly stream: PushStream
  readonly expected: unknown[]
  readonly pushed: unknown[]
  hasLeft: boolean
}

/** What one subscriber does to its result has no effect on another's. */
function spoil(result: ExecutionResult): void {
  const it = result.data?.['it'] as { n?: unknown; context?: object } | undefined
  for (const part of [result, result.data, it, it?.context]) {
    if (part === undefined || part === null) continue
    Reflect.set(part, 'spoilt', true)
    for (const key of Object.keys(part)) Reflect.deleteProperty(part, key)
  }
}

async function play(list: readonly Action[]): Promise<Subscriber[]> {
  const { executor } = serve(schema, { eventContext: modelContext, overflow: { maxPendingCount: 100_000 } })
  const subscribers: Subscriber[] = []
  let n = 0
  for (const action of list) {
    if (action.kind === 'subscribe') {
      const { viewer, share, asked, via } = action
      const stream = streamOf(
        await executor.subscribe({
          schema,
          document: documents[via][share] as DocumentNode,
          variableValues: via === 'variables' ? { asked } : {},
          contextValue: via === 'context' ? { viewer, asked } : { viewer },
        }),
      )
      const pushed: unknown[] = []
      if (action.pushed) {
        stream.pushTo({
          next: ({ bytes }) => pushed.push((JSON.parse(bytes.toString()) as ExecutionResult).data?.['it']),
          complete: () => undefined,
          error: (error) => pushed.push(error),
        })
      }
      subscribers.push({ subscription: action, stream, expected: [], pushed, hasLeft: false })
    } else if (action.kind === 'publish') {
      n += 1
      const { tenantId, channel, type, userId } = action
      const event: EventInput = {
        tenantId,
        channel,
        type,
        data: dataOf(n, action),
        ...(userId !== undefined && { userId }),
      }
      await executor.publish(event)
      for (const { subscription, expected, hasLeft } of subscribers) {
        const result = hasLeft ? undefined : expectedResult(subscription, action, n)
        if (result !== undefined) expected.push(result)
      }
    } else if (subscribers.length > 0) {
      const leaver = subscribers[action.which % subscribers.length] as Subscriber
      if (!leaver.subscription.pushed) continue // what it has not pulled would be gone
      leaver.hasLeft = true
      await leaver.stream.return(undefined)
    }
  }
  await executor.dispose()
  return subscribers
}

test('every subscriber receives exactly the events of its tenant, channels and user that it asked for, in order', async () => {
  let deliveries = 0
  await fc.assert(
    fc.asyncProperty(actions, async (list) => {
      for (const { subscription, stream, expected, pushed } of await play(list)) {
        deliveries += expected.length
        if (subscription.pushed) {
          expect(pushed).toEqual(expected)
          continue
        }
        const received: unknown[] = []
        for (const result of await readAll(stream)) {
          expect(Object.keys(result)).toEqual(['data'])
          received.push(structuredClone(result.data?.['it']))
          spoil(result)
        }
        expect(received).toEqual(expected)
      }
    }),
    { numRuns: 150 },
  )
  // The names are few enough for the property not to hold for want of events.
  expect(deliveries).toBeGreaterThan(500)
})
