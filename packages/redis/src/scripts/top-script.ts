import { openMeta, script, type Script } from './script.ts'

/**
 * Where channels of one partition are now. A channel without a record gets one, so that there is a place to go on from; its
 * subscribers would not notice otherwise that a history began and was emptied between two looks.
 *
 * KEYS: meta and stream of each channel. ARGV: 1 the epoch for channels that have none yet (each gets its own, by its
 * number), 2 how long to keep the records in ms (0 for ever).
 *
 * Returns `{epoch, '<ms>-<offset>', epoch, …}` in the order of the channels.
 */
export const topScript: Script = script(/* lua */ `
${openMeta}
local tops = {}
for index = 1, #KEYS, 2 do
  local candidate = ARGV[1] .. string.format('%04x', index)
  local epoch, offset, ms = openMeta(KEYS[index], candidate, tonumber(ARGV[2]), KEYS[index + 1])
  tops[#tops + 1] = epoch
  tops[#tops + 1] = string.format('%.0f-%.0f', ms, offset)
end
return tops
`)
