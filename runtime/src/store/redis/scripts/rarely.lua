-- Functions that most calls do without, made once a call that needs them.
local function rarely()
  -- How long a block still lasts; 0 is not at all. State: start (7 bytes), until (7). A block is
  -- told apart from counters by its key.
  local function blocked(index)
    local cell = cells[index]
    if cell == nil then
      local raw, start, until_ = raws[index], 0, 0
      if raw and #raw >= 14 then start, until_ = unpack('>I7I7', raw) end
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
    if reset == 0 and not marks then
      cell.save = drop
    else
      cell.life, cell.save = max(cell.life, reset + 1), algorithm.save
    end
  end

  -- The cost that a lease may have. It opens no fixed window: that is for a request to do.
  local function lease(limit)
    stand(limit)
    if limit.used == 0 then return 0 end
    return min(limit.cost, floor(limit.remaining / LEASE_SHARE))
  end

  -- How a limit stands after a denial, a look or a cost of 0; and the block that a denial may
  -- begin.
  local function leave(limit, charges, allowed)
    stand(limit)
    -- A call of one key names no block.
    if limit.block > 0 and limit.block_index > 0 and limit.blocked == 0 and limit.wait > 0
      and allowed == limit.shadow and charges then
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
