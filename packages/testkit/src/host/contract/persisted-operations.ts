import { createHash } from 'node:crypto'
import type { SubscribePayload } from 'graphql-ws'
import { describe, expect, it } from 'vitest'
import type { HostFactory } from '../host-factory.ts'
import { openHost, transportsOf } from './fixture.ts'

const acme = { tenantId: 'acme' }
const query = 'subscription Items($channel: String!) { ofTenant(channel: $channel) { id } }'
const persistedOperations = new Map([[hashOf(query), query]])

/** A client that sends the hash of a document, on every transport. */
export function persistedOperationsContract(factory: HostFactory): void {
  describe('persisted operations', () => {
    if (factory.features.persistedOperations) subscribeByHash(factory)
    for (const transport of transportsOf(factory)) {
      it(`are refused over ${transport} if the host does not know them`, async () => {
        const { host, subscribe } = await openHost(factory, { persistedOperations })
        expect(await subscribe(transport, acme, byHash(hashOf('another'))).refused()).toHaveLength(1)
        expect(host.executor.metrics().subscriptions.total).toBe(0)
      })
    }
  })
}

function subscribeByHash(factory: HostFactory): void {
  for (const transport of transportsOf(factory)) {
    it(`subscribe by their hash over ${transport}, and share with those who send the document`, async () => {
      const { active, host, publish, subscribe } = await openHost(factory, { persistedOperations })
      const payloads = [byHash(hashOf(query)), byHash(hashOf(query)), { query, variables: { channel: 'items' } }]
      const subscribers = payloads.map((payload) => subscribe(transport, acme, payload))
      await active(3)
      await publish({ id: '1' })
      for (const subscriber of subscribers) {
        expect(await subscriber.received(1)).toEqual([{ data: { ofTenant: { id: '1' } } }])
      }
      expect(host.executor.metrics().executions).toBe(1)
    })
  }
}

function byHash(sha256Hash: string): SubscribePayload {
  return { query: '', variables: { channel: 'items' }, extensions: { persistedQuery: { version: 1, sha256Hash } } }
}

function hashOf(document: string): string {
  return createHash('sha256').update(document).digest('hex')
}
