/** Somebody who may chat, with a token that says who it is. (A real server verifies a signature.) */
export interface Person {
  readonly tenantId: string
  readonly userId: string
}

export const PEOPLE = {
  ada: { tenantId: 'acme', userId: 'ada' },
  abe: { tenantId: 'acme', userId: 'abe' },
  gil: { tenantId: 'globex', userId: 'gil' },
} as const satisfies Record<string, Person>

const byToken = new Map<string, Person>(Object.values(PEOPLE).map((person) => [tokenOf(person), person]))

export function tokenOf({ userId }: Person): string {
  return `Bearer ${userId}`
}

/** Who has this token, as it comes in a header or in the connection parameters of a WebSocket. */
export function personOf(token: unknown): Person | undefined {
  return typeof token === 'string' ? byToken.get(token) : undefined
}
