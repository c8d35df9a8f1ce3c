import { checkOptions, SluiceError } from '@sluice/core'
import * as v from 'valibot'
import { wirePrefix } from './keys.ts'
import { nameSchema } from './redis-bus-options.ts'

/** What a process may do, for {@link redisAclRules}. One of `tenantId` and `tenants` has to be said: nothing is allowed by omission. */
export interface RedisAclOptions {
  /** The only tenant whose channels it may use. */
  readonly tenantId?: string
  /** `'all'`: the channels of all tenants, and those that tenants share. */
  readonly tenants?: 'all'
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
 * @throws SluiceError BAD_CONFIG, naming the option that is wrong; for a tenant whose name has white space or NUL, too, which an
 * ACL cannot hold.
 * @example
 * ```ts
 * await admin.call('ACL', 'SETUSER', 'acme', 'on', '>secret', ...redisAclRules({ tenantId: 'acme' }))
 * ```
 */
export function redisAclRules(options: RedisAclOptions): string[] {
  checkOptions('redisAclRules', schema, options)
  const { tenantId, tenants, access = 'publish', keyPrefix = 'sluice', database = 0 } = options
  if ((tenantId === undefined) === (tenants === undefined)) {
    throw new SluiceError(
      'BAD_CONFIG',
      `[redisAclRules] say whose channels: "tenantId", or "tenants: 'all'", and not both.`,
    )
  }
  const channels = tenantId === undefined ? '*' : escapeGlob(`tenant:${tenantId.length}:${tenantId}:`) + '*'
  const keys = (kind: string): string => `~${escapeGlob(keyPrefix)}:{??}:${kind}:${channels}`
  const wire = `&${escapeGlob(wirePrefix({ keyPrefix, database }))}:{??}:c:${channels}`
  const rules = ['resetkeys', 'resetchannels', 'nocommands', ...subscribing, keys('m'), keys('s'), wire]
  return access === 'subscribe' ? rules : [...rules, ...publishing, keys('d')]
}

const schema = v.strictObject({
  tenantId: v.optional(
    v.pipe(
      v.string(),
      v.minLength(1),
      v.maxLength(256),
      v.regex(/^[^\s\0]*$/, 'white space or NUL, which an ACL cannot hold, is in it'),
    ),
  ),
  tenants: v.optional(v.literal('all')),
  access: v.optional(v.picklist(['publish', 'subscribe'])),
  keyPrefix: v.optional(nameSchema),
  database: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
})

/**
 * What connecting, subscribing and reading take. A channel that was never published to gets its record from whoever comes first.
 * Not all of `@connection`: CLIENT could list, pause and kill everybody's connections, and tell every key that is written.
 */
const subscribing =
  'auth hello select ping quit client|setname readonly readwrite asking cluster|slots cluster|info evalsha eval script|load info subscribe unsubscribe ssubscribe sunsubscribe hmget hset exists pexpire xrange'
    .split(' ')
    .map((command) => `+${command}`)

/** And what publishing takes besides. */
const publishing = 'get set xadd xtrim time unlink publish spublish'.split(' ').map((command) => `+${command}`)

/** Braces mean nothing in a Redis pattern. */
function escapeGlob(text: string): string {
  return text.replaceAll(/[*?[\]\\]/g, String.raw`\$&`)
}
