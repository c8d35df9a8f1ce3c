import { SluiceError } from '@sluice/core'
import { wirePrefix } from './keys.ts'

/** What a process may do, for {@link redisAclRules}. */
export interface RedisAclOptions {
  /** The only tenant whose channels it may use. Without it: all of them, and the shared ones. */
  readonly tenantId?: string
  /**
   * `'publish'` can also subscribe and read. `'subscribe'` cannot publish: it can forge no event. (It makes the records of
   * channels that have none, so it is not read-only for Redis.)
   *
   * @default 'publish'
   */
  readonly access?: 'publish' | 'subscribe'
  /** As given to the bus. @default 'sluice' */
  readonly keyPrefix?: string
  /** The number of the database that the bus uses. @default 0 */
  readonly database?: number
}

/**
 * The rules of a Redis user for a process that is confined to a Sluice bus, or to one tenant on it, for `ACL SETUSER`. They hold
 * at the server: whatever such a process does, it reads and writes no other tenant's channels.
 *
 * @throws SluiceError BAD_CONFIG for a tenant whose name has white space or NUL, which an ACL cannot hold.
 * @example
 * ```ts
 * await admin.call('ACL', 'SETUSER', 'acme', 'on', '>secret', ...redisAclRules({ tenantId: 'acme' }))
 * ```
 */
export function redisAclRules({
  tenantId,
  access = 'publish',
  keyPrefix = 'sluice',
  database = 0,
}: RedisAclOptions = {}): string[] {
  if (tenantId !== undefined && /[\s\0]/.test(tenantId)) {
    throw new SluiceError(
      'BAD_CONFIG',
      '[redisAclRules] the tenant has white space or NUL in its name, which an ACL cannot hold.',
    )
  }
  const channels = tenantId === undefined ? '*' : escapeGlob(`tenant:${tenantId.length}:${tenantId}:`) + '*'
  const keys = (kind: string): string => `~${escapeGlob(keyPrefix)}:{??}:${kind}:${channels}`
  const wire = `&${escapeGlob(wirePrefix({ keyPrefix, database }))}:{??}:c:${channels}`
  const rules = ['resetkeys', 'resetchannels', 'nocommands', ...subscribing, keys('m'), keys('s'), wire]
  return access === 'subscribe' ? rules : [...rules, ...publishing, keys('d')]
}

/** What subscribing and reading take. A channel that was never published to gets its record from whoever comes first. */
const subscribing =
  '@connection cluster|slots cluster|info evalsha eval script|load info subscribe unsubscribe ssubscribe sunsubscribe hmget hset exists pexpire xrange'
    .split(' ')
    .map((command) => `+${command}`)

/** And what publishing takes besides. */
const publishing = 'get set xadd xtrim time unlink publish spublish'.split(' ').map((command) => `+${command}`)

/** Braces mean nothing in a Redis pattern. */
function escapeGlob(text: string): string {
  return text.replaceAll(/[*?[\]\\]/g, String.raw`\$&`)
}
