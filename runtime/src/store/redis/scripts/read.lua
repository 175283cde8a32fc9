end -- of `make`

-- Codes of what to do with a check; 0: only look. A block has no limits, but a key and a length.
-- Receipts are answered only to who asks for them; to give back, each limit is followed by its
-- receipt. A lease takes what is asked for or a share of what remains, whichever is less. A renewal
-- takes what there is room for, each limit for itself.
local CHARGE, BLOCK, CHARGE_FOR_RECEIPTS, REFUND, LEASE, RENEW = 1, 2, 3, 4, 5, 6
local BLOCK_UNLESS_BLOCKED, BLOCKED_FOR = 7, 8
local LEASE_SHARE = 4
local checks = ARGV[1]
local now, life, count_of_kinds, at = unpack('>I7I4I2', checks)
-- In a cluster alone `life` is above 0: for so many milliseconds the call is remembered, by its
-- last key, or with 2^31 more by a mark, which follows: see marks.lua.
local MARKED, mark = 2147483648, nil
if life >= MARKED then life, mark, at = life - MARKED, checks:sub(at, at + 5), at + 6 end
local has_once = life > 0 and not mark
-- Keys outlive what they count by a margin, in milliseconds: this server expires them by a clock
-- that it may have read a moment before. A clock that is passed in may be far slower than it.
local margin = 100
if now == 0 then
  local time = call('TIME')
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
else
  margin = 3600000
end

-- Everything is read at once: calls cost more than keys. A log, which is a list, reads as nothing
-- here and reads itself. There are only so many arguments that a call of Lua takes. And where there
-- are but two, they are read apart: the server reuses what held a call's second argument for that
-- of the next one, and a state would take the room of a key (`cached_objects` in its scripting).
local AT_ONCE = 4000
local raws
if #KEYS == 0 then
  raws = {}
elseif #KEYS == 2 then
  raws = { call('MGET', KEYS[1])[1], call('MGET', KEYS[2])[1] }
else
  raws = call('MGET', spread(KEYS, 1, min(AT_ONCE, #KEYS)))
  for first = AT_ONCE + 1, #KEYS, AT_ONCE do
    local last = min(first + AT_ONCE - 1, #KEYS)
    local more = call('MGET', spread(KEYS, first, last))
    for index = first, last do raws[index] = more[index - first + 1] end
  end
end

-- A cluster's client sends a call again when its connection is lost, and cannot know what became of
-- the first: the last key then stands for the call, for `life` milliseconds after it has written
-- something. The second time nothing is done and nothing answered.
if has_once and raws[#KEYS] then return '' end

-- The state under each key, read once it is needed.
local cells = { nil, nil, nil, nil }

local marks = nil
if mark then
  local code = 0
  if count_of_kinds > 0 then code = checks:byte(at) end
  marks = make(0)(raws[1], now, life, mark, code)
  if marks.has_own then return '' end
end
