/** Someone who is signed in. Everything about them is looked up on the server, from their token. */
export interface Person {
  readonly tenantId: string
  readonly userId: string
  readonly role: 'staff' | 'customer'
}

/** Who works for and who buys from the two companies. */
export const PEOPLE = {
  ada: { tenantId: 'acme', userId: 'ada', role: 'staff' },
  abe: { tenantId: 'acme', userId: 'abe', role: 'staff' },
  cleo: { tenantId: 'acme', userId: 'cleo', role: 'customer' },
  gil: { tenantId: 'globex', userId: 'gil', role: 'staff' },
  gwen: { tenantId: 'globex', userId: 'gwen', role: 'customer' },
} as const satisfies Record<string, Person>

const byToken = new Map<unknown, Person>(Object.values(PEOPLE).map((person) => [tokenOf(person), person]))

/** The `authorization` of a person, whose name is all there is to it. A real server has signed tokens, or sessions. */
export function tokenOf({ userId }: Person): string {
  return `Bearer ${userId}`
}

/** Who a token belongs to; `undefined` for any other: then nothing is answered and nothing is subscribed. */
export function personOf(token: unknown): Person | undefined {
  return byToken.get(token)
}
