end -- of `make`

-- The mode of a check; 0 is a peek. BLOCK has no limits, but a key, a length, and whether a block
-- that ends later stays in force (the twin of `Precedence` in `block.rs`). Replies hold receipts in
-- the modes CHARGE_FOR_RECEIPTS, LEASE and FORCE. In SETTLE, which refunds as well, a receipt
-- follows each limit, with the cost that counts so far and the one that is to count. LEASE charges
-- the requested cost or a share of what remains, whichever is less. RENEW charges each limit that
-- has room, independently of the others. FORCE charges each, room or not.
local CHARGE, BLOCK, CHARGE_FOR_RECEIPTS, SETTLE, LEASE, RENEW = 1, 2, 3, 4, 5, 6
local BLOCK_UNLESS_BLOCKED, BLOCKED_FOR, FORCE = 7, 8, 9
local LEASE_SHARE = 4
local checks = ARGV[1]
-- Outside a cluster, the last key of a call that may start a block is a marker, which is there
-- while any identity may be blocked: the plain script reads no block without it.
local block_marker = ARGV[2] and KEYS[#KEYS]
local now, memory, count_of_limits, at = unpack('>I7I4I2', checks)
-- `memory` is above 0 in a cluster alone: for so many milliseconds the call is remembered, so that
-- a repeated one changes nothing. The last key stands for the call; or, with 2^31 added, a mark in
-- the counter's value does (marks.lua), and the mark follows here.
local MARKED, mark = 2147483648, nil
if memory >= MARKED then memory, mark, at = memory - MARKED, checks:sub(at, at + 5), at + 6 end
local has_idempotency_key = memory > 0 and not mark
-- Keys expire a margin, in milliseconds, after what they count: Redis expires keys by a clock that
-- it may have read a moment before. A clock that is passed in, in tests, may be far slower.
local margin = 100
if now == 0 then
  local time = call('TIME')
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
else
  margin = 3600000
end

-- The lengths of a block, each for one offence more; nothing if there are none.
local function read_steps(at)
  local count
  count, at = unpack('>B', checks, at)
  if count == 0 then return nil, at end
  local steps = {}
  for step = 1, count do steps[step], at = unpack('>I6', checks, at) end
  return steps, at
end

-- All keys are read by one `MGET`, because a call costs more than a key. A list (the log) reads as
-- absent here; its algorithm reads it itself. A Lua call takes a limited number of arguments, hence
-- the batches. Two keys are read apart: Redis caches the object of a call's second argument for the
-- next call, and a state would then be stored in a key's larger buffer (`cached_objects` in Redis'
-- script.c).
local AT_ONCE = 4000
local raw_values
if #KEYS == 0 then
  raw_values = {}
elseif #KEYS == 2 then
  raw_values = { call('MGET', KEYS[1])[1], call('MGET', KEYS[2])[1] }
else
  raw_values = call('MGET', spread(KEYS, 1, min(AT_ONCE, #KEYS)))
  for first = AT_ONCE + 1, #KEYS, AT_ONCE do
    local last = min(first + AT_ONCE - 1, #KEYS)
    local more = call('MGET', spread(KEYS, first, last))
    for index = first, last do raw_values[index] = more[index - first + 1] end
  end
end

-- A cluster client sends a call again when its connection is lost, and cannot know whether the
-- first one was carried out. The last key is the call's idempotency key: a call that writes sets
-- it. A repeated call changes nothing and replies nothing.
if has_idempotency_key and raw_values[#KEYS] then return '' end

-- The entry of each key, parsed when it is first needed.
local entries = { nil, nil, nil, nil }

local marks = nil
if mark then
  local code = 0
  if count_of_limits > 0 then code = checks:byte(at) end
  marks = make(0)(raw_values[1], now, memory, mark, code)
  if marks.has_own then return '' end
end
