import { connectBoardClient } from './board-client.ts'
import type { Tenant } from './tenants.ts'

/**
 * Further subscribers of one tenant. A browser opens six HTTP/1.1 connections to a server at most, so that a page
 * cannot hold ten event streams; the demo's own process can. Each has its own socket and its tenant's token.
 */
export interface Audience {
  readonly size: number
  /** The events that all of them received together since the last `dismiss`, counted by the clients themselves. */
  readonly received: number
  /** Connects up to this many more and returns the new size. */
  grow(by: number): number
  /** Disconnects them all. */
  dismiss(): void
}

export interface AudienceOptions {
  readonly tenant: Tenant
  readonly bearer: string
  /** Known once the server listens. */
  readonly endpoint: () => string
}

const maxSize = 100

export function createAudience({ tenant, bearer, endpoint }: AudienceOptions): Audience {
  const members = new Set<() => void>()
  let received = 0

  function connect(): void {
    const disconnect = connectBoardClient({
      tenant,
      bearer,
      endpoint: endpoint(),
      onResult: ({ data }) => {
        if (data) received += 1
      },
      onEnd: () => members.delete(disconnect),
    })
    members.add(disconnect)
  }

  return {
    get size() {
      return members.size
    },
    get received() {
      return received
    },
    grow(by) {
      const size = Math.min(maxSize, members.size + by)
      while (members.size < size) connect()
      return members.size
    },
    dismiss() {
      for (const disconnect of members) disconnect()
      members.clear()
      received = 0
    },
  }
}
