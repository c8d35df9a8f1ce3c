import type { Scope } from '@sluice/core'

/** Who asks, as a server finds out. */
export interface User extends Scope {
  readonly userId: string
}

/** What an application's context has in these tests, in every server. */
export interface UserContext {
  readonly user: User | undefined
}

export const ann: User = { tenantId: 'acme', userId: 'ann' }
export const ben: User = { tenantId: 'acme', userId: 'ben' }
export const gil: User = { tenantId: 'globex', userId: 'gil' }

/** What a client of this user sends; nobody sends nothing. */
export function headersOf(user: User | undefined): Record<string, string> {
  return user === undefined ? {} : { authorization: `Bearer ${user.userId}@${user.tenantId}` }
}

/** The context of whoever sent that header: its token is taken at its word. */
export function contextOfUser(authorization: string | undefined): UserContext {
  const { userId, tenantId } = /^Bearer (?<userId>\w+)@(?<tenantId>\w+)$/.exec(authorization ?? '')?.groups ?? {}
  return { user: userId === undefined || tenantId === undefined ? undefined : { tenantId, userId } }
}
