
-- Replies that stand for no decision, before anything was written: this worker must name the block
-- keys, because an identity is blocked; decide.lua must decide.
local NAME_BLOCKS, DECIDE = '\1', '\2'
local keys, head, counts, memory = KEYS, ARGV[1], ARGV[2], ARGV[3]
if counts == '' then counts = nil end
-- `is_strict`: one of the limits blocks identities that exceed it, which decide.lua does.
local now, strings, blocks, is_strict, groups, runs, start = read('>I7I2I2BI2I2', head)
is_strict = is_strict == 1
-- Keys expire a margin, in milliseconds, after what they count: Redis expires keys by a clock that
-- it may have read a moment before. A clock that is passed in, in tests, may be far slower.
local margin = 100
if now == 0 then
  local time = call('TIME')
  now = time[1] * 1000000 + time[2]
else
  margin = 3600000
end
local now_millis = floor(now / 1000)

local marker = strings + 1
-- The blocks are read together with the strings in a cluster, where every call names them, unless
-- there are logs in between.
local last_read = marker
if memory and #keys - blocks == marker then last_read = #keys end
local raw_values = call('MGET', unpack(keys, 1, last_read))
-- A repeated call changes nothing and replies nothing.
if memory and raw_values[marker] then return '' end
if memory or raw_values[marker] then
  if blocks == 0 then return NAME_BLOCKS end
  local of_blocks, before = raw_values, marker
  if last_read == marker then
    of_blocks, before = call('MGET', unpack(keys, #keys - blocks + 1)), 0
  end
  for i = before + 1, before + blocks do
    local raw = of_blocks[i]
    if raw and #raw >= 29 then
      local since, until_ = read('>I7I7', raw)
      if since <= now and until_ > now then return DECIDE end
    end
  end
end
raw_values[marker] = ''
for i = marker + 1, last_read do raw_values[i] = nil end

-- The cost that still fits, and what was charged, by the index of a key. The algorithms keep up to
-- three more numbers from reading a state to writing it.
local room, charged, first_kept, second_kept, third_kept = {}, {}, {}, {}, {}
-- The charges that buckets keep because they may still be settled.
local histories = nil
-- The questions of denials about logs, and what was found.
local missing, found = nil, ''

-- The loop goes over the limits twice: first their states are read, and then those that were
-- charged are written.
local is_writing = false
while true do
  local at, last = start, 0
  for _ = 1, groups do
    local code, count, times, window, quota
    code, count, times, window, quota, at = read('>BI2I4I6I4', head, at)
    if code == 1 and last < marker then last = marker end
    local first = last + 1
    last = last + count
