import { Buffer } from 'node:buffer'
import { type ChannelKey, SHARED } from '@sluice/core'

/**
 * A channel's key as the database has it, the same bytes that `channel_key` of SQL makes: a tenant's is 1, the tenant's
 * length in four bytes, the tenant and the name; a shared one's is 0 and the name. No two keys have the same bytes.
 */
export function channelBytes(key: ChannelKey): Buffer {
  const name = Buffer.from(key.name)
  if (key.tenantId === SHARED) return Buffer.concat([Buffer.from([0]), name])
  const tenant = Buffer.from(key.tenantId)
  const head = Buffer.alloc(5)
  head.writeUInt8(1, 0)
  head.writeInt32BE(tenant.byteLength, 1)
  return Buffer.concat([head, tenant, name])
}
