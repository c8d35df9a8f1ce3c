import { openMeta, script, type Script } from './script.ts'

/**
 * Reads a page of a channel's history after a cursor, and says whether it can be given whole.
 *
 * KEYS: meta, stream.
 *
 * ARGV: 1 the epoch if the channel has none yet, 2 how long to keep the record in ms (0 for ever), 3 to 6 the cursor: epoch
 * (empty: from the oldest that is kept), ms, offset, and 1 if it is before its anchor; 7 how many entries at most, 8 after how
 * many bytes of data to stop.
 *
 * Returns `{gap or '', epoch, '<ms>-<offset>' of the newest, 1 if there is more, id, envelope, data, id, envelope, data, …}`.
 *
 * A cursor is good if the epoch is the same and its anchor is still there with the same id, or is the newest. If the
 * anchor is gone because entries up to it were deleted it is \`trimmed\`; if there are entries where it should be, or none yet,
 * the history is another that shares the epoch: \`fork\`. Of a fork only what is later than the anchor is given: what
 * is earlier is, for all that can be known, what the reader has.
 */
export const rangeScript: Script = script(/* lua */ `
${openMeta}
local function offsetOf(id) return tonumber(string.match(id, '-(%d+)$')) end
local function oldest()
  local first = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
  return first and offsetOf(first[1])
end

local epoch, topOffset, topMs = openMeta(KEYS[1], ARGV[1], tonumber(ARGV[2]), KEYS[2])
local top = string.format('%.0f-%.0f', topMs, topOffset)
local offset = tonumber(ARGV[5])
local isBefore = ARGV[6] == '1'
local anchor = ARGV[4] .. '-' .. ARGV[5]
local gap = ''
local start = '-'

if ARGV[3] ~= '' then
  if ARGV[3] ~= epoch then
    gap = 'epoch'
  elseif anchor == top and not isBefore then
    return {'', epoch, top, 0}
  elseif offset == 0 then
    if oldest() ~= 1 then gap = 'trimmed' end
  elseif redis.call('XRANGE', KEYS[2], anchor, anchor)[1] then
    start = (isBefore and '' or '(') .. anchor
  elseif offset > topOffset or (offset == topOffset and anchor ~= top) then
    gap = 'fork'
  else
    local first = oldest()
    gap = first and first <= offset and 'fork' or 'trimmed'
  end
  if gap == 'fork' then start = string.format('%.0f-0', tonumber(ARGV[4]) + 1) end
end

local page = {gap, epoch, top, 0}
local left = tonumber(ARGV[7])
local bytes = tonumber(ARGV[8])
-- A few at first: how large they are is not known before they are here, and may be more than anybody wants at once.
local step = 1
while left > 0 and bytes > 0 do
  local count = math.min(left, step)
  step = math.min(step * 2, 16)
  local batch = redis.call('XRANGE', KEYS[2], start, '+', 'COUNT', count)
  for _, entry in ipairs(batch) do
    local fields = entry[2]
    page[#page + 1] = entry[1]
    page[#page + 1] = fields[2] or ''
    page[#page + 1] = fields[4] or ''
    start = '(' .. entry[1]
    bytes = bytes - #page[#page - 1] - #page[#page]
  end
  left = left - #batch
  if #batch < count then return page end
end
if redis.call('XRANGE', KEYS[2], start, '+', 'COUNT', 1)[1] then page[4] = 1 end
return page
`)
