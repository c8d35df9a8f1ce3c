import { openMeta, script, type Script } from './script.ts'

/**
 * Publishes one event: all of it happens or nothing does.
 *
 * KEYS: meta, stream, and the key that remembers the event's id (left out if ids are not remembered).
 *
 * ARGV: 1 the epoch if the channel has none yet, 2 envelope, 3 data, 4 how many entries to keep, 5 how long to keep them in ms (0
 * for ever), 6 how long to keep the record in ms (0 for ever), 7 how long to remember the id in ms, 8 PUBLISH or SPUBLISH,
 * 9 the pub/sub channel.
 *
 * Returns `{0, '<epoch> <ms>-<offset>'}`, or `{1, …}` with where the event is if its id is known.
 *
 * The id is remembered before anything is told to subscribers, and the clock never goes back within a channel, whatever
 * the server's does. While the server's is behind, the time is drawn at random from what comes next: a replica that is promoted
 * without the tail would give the very ids out again otherwise, to other events, and no anchor would tell.
 */
export const publishScript: Script = script(/* lua */ `
${openMeta}
if KEYS[3] then
  local known = redis.call('GET', KEYS[3])
  if known then return {1, known} end
end

-- No time to live yet: after PEXPIRE, which needs no memory, Redis would take XADD although it has none left.
local epoch, offset, lastMs = openMeta(KEYS[1], ARGV[1], 0, KEYS[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local ms = now
if now < lastMs then ms = lastMs + 1 + tonumber(string.sub(ARGV[1], 1, 2), 16) end
offset = offset + 1
local id = string.format('%.0f-%.0f', ms, offset)
local age = tonumber(ARGV[5])
local ttl = tonumber(ARGV[6])

redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], id, 'e', ARGV[2], 'd', ARGV[3])
redis.call('HSET', KEYS[1], 'offset', string.format('%.0f', offset), 'ms', string.format('%.0f', ms))
if ttl > 0 then prolong(KEYS[1], ttl) end
if age > 0 then
  redis.call('PEXPIRE', KEYS[2], age)
  -- A node of a stream holds a hundred entries, and only whole nodes go: looking at every entry would find nothing new.
  if offset % 32 == 0 then redis.call('XTRIM', KEYS[2], 'MINID', '~', string.format('%.0f', now - age)) end
end
if KEYS[3] then redis.call('SET', KEYS[3], epoch .. ' ' .. id, 'PX', ARGV[7]) end
redis.call(ARGV[8], ARGV[9], string.format('%s %s %.0f %d\\n', epoch, id, lastMs, #ARGV[2]) .. ARGV[2] .. ARGV[3])
return {0, epoch .. ' ' .. id}
`)
