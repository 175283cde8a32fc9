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

-- All in one, and no functions: those would be made anew for each call, and cost more than most
-- calls have them do.
while at <= #checks do
  local run, mode, count, kind, key, block_key
  run, mode, count, kind, key, block_key, at = unpack('>I2BI2I2I3I3', checks, at)
  local charges = mode == CHARGE or mode == CHARGE_FOR_RECEIPTS
  if mode == BLOCK or mode == BLOCK_UNLESS_BLOCKED then
    local length
    length, at = unpack('>I6', checks, at)
    rare = rare or rarely()
    if mode == BLOCK or rare.blocked(block_key) == 0 then rare.start_block(block_key, length) end
  elseif mode == BLOCKED_FOR then
    rare = rare or rarely()
    -- The one thing that is asked for, so often.
    local left, flags = rare.blocked(block_key), 0
    if left > 0 then flags = BLOCKED end
    return ('\1' .. pack('>BI7I4I7I7', flags, left, 0, left, left)):rep(run)
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
      -- Until more remains. Of places nobody knows.
      local more = limit.blocked
      if limit.reset > 0 and not algorithm.has_holder then
        limit.cost = limit.remaining + 1
        more = max(more, algorithm.wait(limit, now, cell))
      end
      limit.cost = asked
      local flags = limit.blocked > 0 and BLOCKED or 0
      if wait < 0 then flags, wait = flags + NEVER, 0 end
      size = size + 1
      reply[size] = pack('>BI7I4I7I7', flags, wait, limit.remaining, limit.reset, more)
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

if has_once then
  for _, cell in pairs(cells) do has_written = has_written or cell.save end
  if has_written then call('SET', KEYS[#KEYS], '', 'PX', format('%d', life)) end
end

for index = 1, #KEYS do
  local cell = cells[index]
  if cell then
    if marks then
      marks.save(cell, margin)
    elseif cell.save then
      cell.save(cell, now, margin)
    end
  end
end
return table.concat(reply, '', 1, size)
