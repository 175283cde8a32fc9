end -- of `make`

-- What to do with a check; 0: only look. A block has no limits, but a key and a length. Receipts are
-- answered only to who asks for them; to give back, each limit is followed by its receipt. A lease
-- takes what is asked for or a share of what remains, whichever is less. A renewal takes what there
-- is room for, each limit for itself.
local CHARGE, BLOCK, CHARGE_FOR_RECEIPTS, REFUND, LEASE, RENEW = 1, 2, 3, 4, 5, 6
local LEASE_SHARE = 4
local checks = ARGV[1]
local now, life, count_of_kinds, at = unpack('>I7I4I2', checks)
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
if life > 0 and raws[#KEYS] then return '' end

-- What is stored under the keys, once it is needed.
local cells = { nil, nil, nil, nil }

-- What most calls do without, made once a call that needs it.
local function rarely()
  -- Who is blocked. State: start (7 bytes), until (7). Told apart from counters by its key. How long
  -- it still lasts; 0 is not at all.
  local function blocked(index)
    local cell = cells[index]
    if cell == nil then
      local raw, start, until_ = raws[index], 0, 0
      if #raw == 14 then start, until_ = unpack('>I7I7', raw) end
      cell = { key = KEYS[index], save = false, start = start, until_ = until_ }
      cells[index] = cell
    end
    -- A block from the future (the clock has stepped back) counts for nothing.
    if cell.start > now then return 0 end
    return max(cell.until_ - now, 0)
  end

  local function save_block(cell)
    local state = pack('>I7I7', cell.start, cell.until_)
    call('SET', cell.key, state, 'PX', ttl_text(cell.until_ - now, margin))
  end

  local function start_block(index, length)
    cells[index] = { key = KEYS[index], save = save_block, start = now, until_ = now + length }
  end

  -- How the limit stands.
  local function stand(limit)
    limit.remaining, limit.reset = limit.algorithm.quota(limit, now, limit.cell)
    if limit.blocked > 0 then
      limit.remaining, limit.reset = 0, max(limit.reset, limit.blocked)
    end
  end

  local function drop(cell)
    call('DEL', cell.key)
  end

  local function refund(limit, receipt)
    local cell, algorithm, cost = limit.cell, limit.algorithm, limit.cost
    limit.cost = receipt.taken
    algorithm.look(cell, limit, now)
    local is_changed = algorithm.refund(cell, limit, now, receipt)
    limit.cost = cost
    if not is_changed then return end
    algorithm.look(cell, limit, now)
    local _, reset = algorithm.quota(limit, now, cell)
    if reset == 0 then
      cell.save = drop
    else
      cell.life, cell.save = max(cell.life, reset + 1), algorithm.save
    end
  end

  -- What a lease may have. It opens no fixed window: that is for a request to do.
  local function lease(limit)
    stand(limit)
    if limit.used == 0 then return 0 end
    return min(limit.cost, floor(limit.remaining / LEASE_SHARE))
  end

  -- What is left of a denial, a look or a cost of 0, and the block that a denial may begin.
  local function leave(limit, charges, allowed)
    stand(limit)
    if limit.block > 0 and limit.blocked == 0 and limit.wait > 0 and allowed == limit.shadow
      and charges then
      start_block(limit.block_index, limit.block)
      limit.blocked = limit.block
      limit.remaining, limit.reset = 0, max(limit.reset, limit.block)
      limit.wait = max(limit.wait, limit.block)
    end
  end

  -- How long until this limit stands otherwise by itself: more remains, or a block ends. Times that
  -- count down apart.
  local function steady(limit)
    if limit.blocked > 0 then return limit.blocked end
    -- Where a place is missing, one may come free at any moment.
    if limit.algorithm.has_holder then
      if limit.wait > 0 and not limit.shadow then return 0 end
      return FOREVER
    end
    if limit.remaining >= limit.quota then return FOREVER end
    local cost = limit.cost
    limit.cost = limit.remaining + 1
    local wait = limit.algorithm.wait(limit, now, limit.cell)
    limit.cost = cost
    -- The leaky bucket has no more than one.
    if wait == 0 then return FOREVER end
    return wait
  end

  return {
    blocked = blocked, start_block = start_block, refund = refund,
    lease = lease, leave = leave, steady = steady,
  }
end

-- The limits that the checks name, each with all that is asked of it. One check names each once, so
-- the next can have the same tables.
local kinds, made = { nil }, { nil, nil, nil, nil, nil, nil, nil }
for kind = 1, count_of_kinds do
  local code, shadow, times, window, quota, cost, block
  code, shadow, times, window, quota, cost, block, at = unpack('>BBI4I6I4I4I6', checks, at)
  local algorithm = made[code] or make(code)
  made[code] = algorithm
  -- All at once: a table that grows is made anew several times. Room is for sixteen, and three of
  -- them are the algorithm's.
  kinds[kind] = {
    algorithm = algorithm, shadow = shadow == 1,
    times = times, window = window, quota = quota, cost = cost, block = block,
    wait = 0, blocked = 0, remaining = 0, reset = 0, cell = false, block_index = 0,
  }
end

-- The reply, in parts: see reply.rs.
local reply, size = { 0, 0, 0, 0 }, 0
local BLOCKED, NEVER = 1, 2
local limits, rare = { nil }, nil

-- All in one, and no functions: those would be made anew for each call, and cost more than most calls
-- have them do.
while at <= #checks do
  local run, mode, count, kind, key, block_key
  run, mode, count, kind, key, block_key, at = unpack('>I2BI2I2I3I3', checks, at)
  local charges = mode == CHARGE or mode == CHARGE_FOR_RECEIPTS
  if mode == BLOCK then
    local length
    length, at = unpack('>I6', checks, at)
    rare = rare or rarely()
    rare.start_block(block_key, length)
  end

  -- Whether each cost fits, before anything is taken.
  for i = 1, count do
    if i > 1 then kind, key, block_key, at = unpack('>I2I3I3', checks, at) end
    local limit = kinds[kind]
    local algorithm, cell = limit.algorithm, cells[key]
    if cell == nil then
      cell = algorithm.load(KEYS[key], raws[key], limit, now)
      cells[key] = cell
    end
    limit.cell, limit.block_index = cell, block_key
    if algorithm.has_holder then limit.holder, at = unpack('>I7', checks, at) end
    if mode == REFUND then
      local receipt = {}
      receipt.at, receipt.remaining, receipt.mark, receipt.taken, at =
        unpack('>I7I4I7I4', checks, at)
      -- At 0: nothing was taken.
      if receipt.at > 0 then
        rare = rare or rarely()
        rare.refund(limit, receipt)
      end
    end
    algorithm.look(cell, limit, now)
    local wait, blocked = 0, 0
    if limit.cost > limit.quota then
      wait = -1
    elseif limit.cost > 0 then
      wait = algorithm.wait(limit, now, cell)
    end
    -- Who renews runs already, block or not.
    if (raws[block_key] or cells[block_key]) and mode ~= RENEW then
      rare = rare or rarely()
      blocked = rare.blocked(block_key)
      if blocked > 0 and wait >= 0 then wait = max(wait, blocked) end
    end
    limit.wait, limit.blocked = wait, blocked
    limits[i] = limit
  end

  local has_receipts = mode == CHARGE_FOR_RECEIPTS or mode == LEASE
  local has_taken = true
  for number = 1, run do
    local allowed = true
    for i = 1, count do
      local limit = limits[i]
      -- The others of a run differ in nothing from the first: what one has taken, the next finds
      -- taken; where it took nothing, everything is as it was.
      if number > 1 and has_taken and limit.wait == 0 and limit.cost > 0 then
        limit.wait = limit.algorithm.wait(limit, now, limit.cell)
      end
      if limit.wait ~= 0 and not limit.shadow then allowed = false end
    end
    if not charges and mode ~= 0 then allowed = true end

    has_taken = false
    size = size + 1
    local head = size
    for i = 1, count do
      local limit = limits[i]
      local algorithm, cell, wait, asked = limit.algorithm, limit.cell, limit.wait, limit.cost
      local cost = 0
      if mode == LEASE then
        rare = rare or rarely()
        cost, wait = rare.lease(limit), 0
        limit.cost = cost
      elseif wait == 0 and allowed and (charges or mode == RENEW) then
        cost = asked
      end
      if cost > 0 then
        has_taken = true
        algorithm.take(cell, limit, now)
        local remaining, reset = algorithm.quota(limit, now, cell)
        limit.remaining, limit.reset = remaining, reset
        -- One microsecond more: the leaky bucket carries what drained within the last one.
        if reset >= cell.life then cell.life = reset + 1 end
        cell.save = algorithm.save
      elseif mode ~= LEASE then
        rare = rare or rarely()
        rare.leave(limit, charges, allowed)
        wait = limit.wait
      end
      limit.cost = asked
      local flags = 0
      if limit.blocked > 0 then flags = BLOCKED end
      if wait < 0 then flags, wait = flags + NEVER, 0 end
      size = size + 1
      reply[size] = pack('>BI7I4I7', flags, wait, limit.remaining, limit.reset)
      if has_receipts then
        local mark = 0
        if cost > 0 then mark = algorithm.mark(cell, now) end
        size = size + 1
        reply[size] = pack('>I7I4', mark, cost)
      end
    end

    reply[head] = '\1'
    if not allowed then
      -- With a denial comes how long it stays what it is.
      local least = FOREVER
      for i = 1, count do least = min(least, rare.steady(limits[i])) end
      reply[head] = pack('>BI7', 0, least)
    end
    if has_receipts then reply[head] = reply[head] .. pack('>I7', now) end
  end
end

if life > 0 then
  for _, cell in pairs(cells) do has_written = has_written or cell.save end
  if has_written then call('SET', KEYS[#KEYS], '', 'PX', format('%d', life)) end
end

for index = 1, #KEYS do
  local cell = cells[index]
  if cell and cell.save then cell.save(cell, now, margin) end
end
return table.concat(reply, '', 1, size)
