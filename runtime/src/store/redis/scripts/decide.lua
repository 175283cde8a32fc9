-- Who is blocked. State: start (7 bytes), until (7). Told apart from counters by its key.
local function load_block(cell, now)
  if cell.until_ == nil then
    local raw = call('GET', cell.key)
    cell.start, cell.until_ = 0, 0
    if raw and #raw == 14 then cell.start, cell.until_ = unpack('>I7I7', raw) end
  end
  -- A block from the future (the clock has stepped back) counts for nothing.
  if cell.start > now then return 0 end
  return max(cell.until_ - now, 0)
end

local function save_block(cell, now, margin)
  local state = pack('>I7I7', cell.start, cell.until_)
  call('SET', cell.key, state, 'PX', ttl_text(cell.until_ - now, margin))
end

local function start_block(cell, length, now)
  cell.start, cell.until_, cell.save = now, now + length, save_block
end

-- What to do with a check; 0: only look. A block has no limits, but a key and a length. Receipts are
-- answered only to who asks for them; to give back, each limit is followed by its receipt.
local CHARGE, BLOCK, CHARGE_FOR_RECEIPTS, REFUND = 1, 2, 3, 4
local checks, at = ARGV[1], 12
local now, life = unpack('>I7I4', checks)
-- Keys outlive what they count by a margin, in milliseconds: this server expires them by a clock
-- that it may have read a moment before. A clock that is passed in may be far slower than it.
local margin = 100
if now == 0 then
  local time = call('TIME')
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
else
  margin = 3600000
end

local cells = {}
local function cell_of(index)
  local cell = cells[index]
  if cell == nil then
    cell = { key = KEYS[index], life = 0 }
    cells[index] = cell
  end
  return cell
end

local function look(limit)
  local cell = limit.cell
  limit.algorithm.look(cell, limit, now)
  if limit.cost == 0 then
    limit.wait = 0
  elseif limit.cost > limit.quota then
    limit.wait = -1
  else
    limit.wait = limit.algorithm.wait(limit, now, cell)
  end
  limit.remaining, limit.reset = limit.algorithm.quota(limit, now, cell)
  limit.blocked = load_block(limit.block_cell, now)
  if limit.blocked > 0 then
    limit.remaining, limit.reset = 0, max(limit.reset, limit.blocked)
    if limit.wait >= 0 then limit.wait = max(limit.wait, limit.blocked) end
  end
end

local function take(limit)
  if limit.cost == 0 then return end
  local cell = limit.cell
  limit.algorithm.take(cell, limit, now)
  limit.remaining, limit.reset = limit.algorithm.quota(limit, now, cell)
  -- One microsecond more: the leaky bucket carries what drained within the last one.
  cell.life = max(cell.life, limit.reset + 1)
  cell.save = limit.algorithm.save
end

local function drop(cell)
  call('DEL', cell.key)
end

local function refund(limit, receipt)
  local cell, algorithm = limit.cell, limit.algorithm
  algorithm.look(cell, limit, now)
  if not algorithm.refund(cell, limit, now, receipt) then return end
  algorithm.look(cell, limit, now)
  local _, reset = algorithm.quota(limit, now, cell)
  if reset == 0 then
    cell.save = drop
  else
    cell.life, cell.save = max(cell.life, reset + 1), algorithm.save
  end
end

local reply, size = {}, 0
local function answer(value)
  size = size + 1
  reply[size] = value
end

while at <= #checks do
  local mode, count
  mode, count, at = unpack('>BI2', checks, at)
  if mode == BLOCK then
    local key, length
    key, length, at = unpack('>I3I6', checks, at)
    start_block(cell_of(key), length, now)
  end
  local limits, allowed = {}, true
  for i = 1, count do
    local limit = {}
    local code, shadow, key, block_key
    code, shadow, key, block_key, limit.times, limit.window, limit.quota, limit.cost,
      limit.block, at = unpack('>BBI3I3I4I6I4I4I6', checks, at)
    limit.algorithm, limit.shadow = algorithms[code], shadow == 1
    limit.cell, limit.block_cell = cell_of(key), cell_of(block_key)
    if mode == REFUND then
      local receipt = {}
      receipt.at, receipt.remaining, receipt.mark, at = unpack('>I7I4I7', checks, at)
      -- At 0: nothing was taken.
      if receipt.at > 0 then refund(limit, receipt) end
    end
    look(limit)
    if limit.wait ~= 0 and not limit.shadow and mode ~= REFUND then allowed = false end
    limits[i] = limit
  end
  answer(allowed and 1 or 0)
  if mode == CHARGE_FOR_RECEIPTS then answer(now) end
  for i = 1, count do
    local limit = limits[i]
    local mark = -1
    if mode == CHARGE or mode == CHARGE_FOR_RECEIPTS then
      if allowed and limit.wait == 0 then
        take(limit)
        if limit.cost > 0 and mode ~= CHARGE then mark = limit.algorithm.mark(limit.cell, now) end
      elseif limit.block > 0 and limit.blocked == 0 and limit.wait > 0 and allowed == limit.shadow then
        start_block(limit.block_cell, limit.block, now)
        limit.blocked = limit.block
        limit.remaining, limit.reset = 0, max(limit.reset, limit.block)
        limit.wait = max(limit.wait, limit.block)
      end
    end
    answer(limit.wait)
    answer(limit.blocked > 0 and 1 or 0)
    answer(limit.remaining)
    answer(limit.reset)
    if mode == CHARGE_FOR_RECEIPTS then answer(mark) end
  end
end

-- A cluster's client sends a call again when its connection is lost, and cannot know what became of
-- the first: the first key then stands for the call, for `life` milliseconds after it has written
-- something. The second time nothing is done and nothing answered.
if life > 0 then
  local writes = false
  for _, cell in pairs(cells) do writes = writes or cell.save ~= nil end
  local is_first
  if writes then
    is_first = call('SET', KEYS[1], '', 'NX', 'PX', string.format('%.0f', life))
  else
    is_first = not call('GET', KEYS[1])
  end
  if not is_first then return {} end
end

for _, cell in pairs(cells) do
  if cell.save then cell.save(cell, now, margin) end
end
return reply
