import { randomBytes } from 'node:crypto'
import type { Scope } from '@sluice/core'

/** The two shops of the demo. Everything else about a tenant follows from its id, on the server. */
export interface Tenant {
  readonly id: string
  readonly name: string
  /** How its pane of the page, its terminal client and its audience are connected. */
  readonly transport: 'WebSocket' | 'SSE'
  readonly currency: string
  /** The number of its first order. */
  readonly firstOrder: number
  /** What it sells: name and price in cents. */
  readonly catalogue: readonly (readonly [item: string, cents: number])[]
}

export const TENANTS: readonly [Tenant, Tenant] = [
  {
    id: 'acme',
    name: 'Acme Coffee',
    transport: 'WebSocket',
    currency: 'EUR',
    firstOrder: 1001,
    catalogue: [
      ['Kenya Nyeri AA, 1 kg', 3850],
      ['House espresso, 500 g', 1490],
      ['Hand grinder, walnut', 8900],
      ['Paper filters, 4 × 100', 1160],
      ['Decaf Sidamo, 250 g', 1120],
    ],
  },
  {
    id: 'globex',
    name: 'Globex Cycles',
    transport: 'SSE',
    currency: 'USD',
    firstOrder: 2001,
    catalogue: [
      ['Steel touring frame, 56 cm', 64_000],
      ['Leather saddle, honey', 11_500],
      ['Dynamo front light', 8450],
      ['Tubeless tyre, 700 × 40', 5290],
      ['Brass bell', 1800],
    ],
  },
]

/** Who a bearer token belongs to. */
export interface Tokens {
  /** The token of a tenant's one user, as it stands in an `authorization` header. */
  bearerOf(tenant: Tenant): string
  /** The scope of an `authorization` value, or `null`: then nothing is answered and nothing is subscribed. */
  scopeOf(authorization: string | null | undefined): Scope | null
}

/**
 * One random token per tenant and start. A real server verifies a signed token or a session here; what counts is
 * that the tenant is looked up on the server, and is never an argument of an operation.
 */
export function createTokens(tenants: readonly Tenant[]): Tokens {
  const bearers = new Map(tenants.map((tenant) => [tenant.id, `Bearer ${randomBytes(24).toString('base64url')}`]))
  const scopes = new Map<string, Scope>()
  for (const [tenantId, bearer] of bearers) scopes.set(bearer, { tenantId, userId: `${tenantId}-clerk` })

  return {
    bearerOf(tenant) {
      const bearer = bearers.get(tenant.id)
      if (!bearer) throw new Error(`There is no tenant "${tenant.id}" in this demo.`)
      return bearer
    },
    scopeOf: (authorization) => scopes.get(authorization ?? '') ?? null,
  }
}
