end -- of `make`

-- What to do with a check; 0: only look. A block has no limits, but a key and a length. Receipts are
-- answered only to who asks for them; to give back, each limit is followed by its receipt. A lease
-- takes what is asked for or a share of what remains, whichever is less. A renewal takes what there
-- is room for, each limit for itself.
local CHARGE, BLOCK, CHARGE_FOR_RECEIPTS, REFUND, LEASE, RENEW = 1, 2, 3, 4, 5, 6
local BLOCK_UNLESS_BLOCKED, BLOCKED_FOR = 7, 8
local LEASE_SHARE = 4
local checks = ARGV[1]
local now, life, count_of_kinds, at = unpack('>I7I4I2', checks)
-- In a cluster alone `life` is above 0: for so many milliseconds a call is remembered. By its last key,
-- or with 2^31 more by a mark, which follows: see marks.lua. A call that writes nothing has neither.
local MARKED, has_once, mark = 2147483648, life > 0, nil
if life >= MARKED then
  life, has_once, mark, at = life - MARKED, false, checks:sub(at, at + 5), at + 6
  if mark == '\0\0\0\0\0\0' then mark = nil end
end
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
-- are but two, they are read apart: the server reuses what held a call's second argument for that of
-- the next one, and a state would take the room of a key (`cached_objects` in its scripting).
local AT_ONCE = 4000
local raws
if life > 0 then
  -- In a cluster a call of several keys comes without any, and they follow as arguments: a node that
  -- has only some would refuse it with a word that the client waits on. They are read by one command,
  -- for that is refused as a whole where one is missing, and nothing is written before.
  for index = 2, #ARGV do KEYS[index - 1] = ARGV[index] end
  raws = {}
  for first = 1, #KEYS, AT_ONCE do
    local last = min(first + AT_ONCE - 1, #KEYS)
    -- Of one key it would not be known whether it is there or still to come.
    if last > 1 then first = min(first, last - 1) end
    local some = redis.pcall('MGET', spread(KEYS, first, last))
    if some.err then
      if some.err:find('non local key', 1, true) then return '\255' end
      -- As the node would have said itself.
      if some.err:find('cluster is down', 1, true) then
        return { err = 'CLUSTERDOWN ' .. some.err }
      end
      return some
    end
    for index = first, last do raws[index] = some[index - first + 1] end
  end
elseif #KEYS == 0 then
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

-- What is stored under the keys, once it is needed.
local cells = { nil, nil, nil, nil }

-- In a cluster: the codes of the limits, and the marks behind what was read.
local codes, marks = nil, nil
if life > 0 then codes, marks = {}, make(0)(raws, now, life, mark, margin) end
