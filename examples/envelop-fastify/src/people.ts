/** Someone who is signed in. Everything about them is looked up on the server, from their token. */
export interface Person {
  readonly tenantId: string
  readonly userId: string
}

/** Who looks after the devices of the two tenants. */
export const PEOPLE = {
  ada: { tenantId: 'acme', userId: 'ada' },
  ben: { tenantId: 'acme', userId: 'ben' },
  gil: { tenantId: 'globex', userId: 'gil' },
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
