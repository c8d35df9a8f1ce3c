/**
 * In place of a tenant: the channel that belongs to all tenants. It is a symbol, so that no scope, whose
 * `tenantId` is a string, can ever be equal to it.
 */
export const SHARED: unique symbol = Symbol.for('@sluice/core.shared')

/** A tenant's id, or {@link SHARED}. */
export type ChannelTenant = string | typeof SHARED

/**
 * What an event is published to. A channel is always owned by one tenant (or by all, {@link SHARED}): the
 * same `name` at two tenants is two channels.
 */
export interface ChannelKey {
  readonly tenantId: ChannelTenant
  /** 1 to 256 UTF-16 code units, any characters but lone surrogates. */
  readonly name: string
}

/**
 * One string for one key, and no two keys with one string, whatever characters they hold: the tenant is
 * length-prefixed, never only joined. Use it for maps and for names at a broker.
 */
export function encodeChannelKey(key: ChannelKey): string {
  return key.tenantId === SHARED ? `shared:${key.name}` : `tenant:${key.tenantId.length}:${key.tenantId}:${key.name}`
}

/** Whether two keys are the same channel. */
export function isSameChannel(a: ChannelKey, b: ChannelKey): boolean {
  return a.tenantId === b.tenantId && a.name === b.name
}
