import { createHash } from 'node:crypto'

/** A Lua script and the name under which Redis knows it. */
export interface Script {
  readonly lua: string
  /** Its SHA-1 in hex, for EVALSHA. */
  readonly sha: string
}

/** Makes a script of its Lua source. */
export function script(lua: string): Script {
  return Object.freeze({ lua, sha: createHash('sha1').update(lua).digest('hex') })
}

/**
 * Lua: `openMeta(key, epoch, ttl, stream)` returns the epoch, the offset and the time of the newest entry, and makes the record
 * with the given epoch if there is none. A history without its record is worthless, since it cannot be told which one it
 * is: it goes, and before there is a new record, for a user who may not delete it must not make one for it. The time to live
 * begins anew, so the record of a channel that somebody is on never ends.
 *
 * `prolong(key, ttl)` has a record live so long at least: another process may need it for longer.
 */
export const openMeta = /* lua */ `
local function prolong(key, ttl)
  if redis.call('PEXPIRE', key, ttl, 'GT') == 0 then redis.call('PEXPIRE', key, ttl, 'NX') end
end

local function openMeta(key, epoch, ttl, stream)
  local meta = redis.call('HMGET', key, 'epoch', 'offset', 'ms')
  if not meta[1] then
    if redis.call('EXISTS', stream) == 1 then redis.call('UNLINK', stream) end
    meta = {epoch, '0', '0'}
    redis.call('HSET', key, 'epoch', epoch, 'offset', '0', 'ms', '0')
  end
  if ttl > 0 then prolong(key, ttl) end
  return meta[1], tonumber(meta[2]), tonumber(meta[3])
end
`
