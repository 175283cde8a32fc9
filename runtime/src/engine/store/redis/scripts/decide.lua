-- The code of limits by the calendar, which are followed by the boundaries of periods; the flag of
-- limits whose blocks get longer, which are followed by their lengths; and the flag of buckets
-- whose charges may be settled later.
local CALENDAR, HAS_STEPS, SETTLES = 11, 2, 4

-- The limits that the checks name, with working fields. A check names each limit once, so the
-- tables can be reused by the next check.
local limit_table, algorithms = { nil }, { nil, nil, nil, nil, nil, nil, nil }
for index = 1, count_of_limits do
  local code, flags, times, window, quota, cost, block
  code, flags, times, window, quota, cost, block, at = unpack('>BBI4I6I4I4I6', checks, at)
  local algorithm = algorithms[code] or make(code)
  algorithms[code] = algorithm
  -- All fields are set at once, because a table that grows is reallocated several times. There is
  -- room for sixteen; the algorithm sets three more.
  limit_table[index] = {
    algorithm = algorithm, shadow = flags % 2 == 1,
    times = times, window = window, quota = quota, cost = cost, block = block,
    wait = 0, blocked = 0, remaining = 0, reset = 0, entry = false, block_index = 0,
  }
  if code == CALENDAR then at = algorithm.read_period(limit_table[index], now, checks, at) end
  if flags % SETTLES >= HAS_STEPS then limit_table[index].steps, at = read_steps(at) end
  if flags >= SETTLES then limit_table[index].settles = true end
end

-- The reply, in parts (reply.rs parses it).
local reply, size = { 0, 0, 0, 0 }, 0
local BLOCKED, NEVER = 1, 2
local limits, rare, history = { nil }, nil, nil

-- The loop has no functions of its own: each call of the script would create them again, which
-- would cost more than most calls do in it.
while at <= #checks do
  local run, mode, count, limit_index, key, block_key
  run, mode, count, limit_index, key, block_key, at = unpack('>I2BI2I2I3I3', checks, at)
  local charges = mode == CHARGE or mode == CHARGE_FOR_RECEIPTS
  if mode == BLOCK or mode == BLOCK_UNLESS_BLOCKED then
    local length, is_longest, steps
    length, at = unpack('>I6', checks, at)
    rare = rare or define_rare()
    local left = rare.blocked(block_key)
    if mode == BLOCK then
      is_longest, at = unpack('>B', checks, at)
      -- A pause shortens nothing: of two blocks, the one that ends later is in force. Such a call
      -- has nothing else to do.
      if is_longest == 1 and left >= length then return '\0' end
      rare.start_block(block_key, length)
    else
      steps, at = read_steps(at)
      if left == 0 then rare.start_block(block_key, length, steps) end
    end
  elseif mode == BLOCKED_FOR then
    rare = rare or define_rare()
    -- Such a call asks for this alone, `run` times.
    local left, flags = rare.blocked(block_key), 0
    if left > 0 then flags = BLOCKED end
    return ('\1' .. pack('>BI7I4I7I7', flags, left, 0, left, left)):rep(run)
  end

  -- Whether each cost fits, before anything is charged.
  for i = 1, count do
    if i > 1 then limit_index, key, block_key, at = unpack('>I2I3I3', checks, at) end
    local limit = limit_table[limit_index]
    local algorithm, entry = limit.algorithm, entries[key]
    if entry == nil then
      entry = algorithm.load(KEYS[key], raw_values[key], limit, now)
      entries[key] = entry
    end
    limit.entry, limit.block_index = entry, block_key
    if algorithm.has_permit_id then limit.permit_id, at = unpack('>I7', checks, at) end
    if mode == SETTLE then
      local receipt = {}
      receipt.at, receipt.remaining, receipt.tag, receipt.taken, receipt.full, at =
        unpack('>I7I4I7I4I5', checks, at)
      receipt.from, receipt.to, at = unpack('>I4I4', checks, at)
      -- A time of 0 means that nothing was charged.
      if receipt.at > 0 then
        rare = rare or define_rare()
        rare.settle(limit, receipt)
      end
    end
    algorithm.peek(entry, limit, now)
    local wait, blocked = 0, 0
    if limit.cost > limit.quota then
      wait = -1
    elseif limit.cost > 0 then
      wait = algorithm.wait(limit, now, entry)
    end
    -- A renewal is for a permit that is held, so a block does not stop it.
    if (raw_values[block_key] or entries[block_key]) and mode ~= RENEW then
      rare = rare or define_rare()
      blocked = rare.blocked(block_key)
      if blocked > 0 and wait >= 0 then wait = max(wait, blocked) end
    end
    limit.wait, limit.blocked = wait, blocked
    limits[i] = limit
  end

  local has_receipts = mode == CHARGE_FOR_RECEIPTS or mode == LEASE or mode == FORCE
  local has_charged = true
  for number = 1, run do
    local allowed = true
    for i = 1, count do
      local limit = limits[i]
      -- The checks of a run are equal. If the previous one was charged, the wait is computed
      -- again; if not, nothing has changed.
      if number > 1 and has_charged and limit.wait == 0 and limit.cost > 0 then
        limit.wait = limit.algorithm.wait(limit, now, limit.entry)
      end
      if limit.wait ~= 0 and not limit.shadow then allowed = false end
    end
    if not charges and mode ~= 0 then allowed = true end

    has_charged = false
    size = size + 1
    local head = size
    for i = 1, count do
      local limit = limits[i]
      local algorithm, entry, wait, asked = limit.algorithm, limit.entry, limit.wait, limit.cost
      local cost = 0
      if mode == LEASE then
        rare = rare or define_rare()
        cost, wait = rare.lease(limit), 0
        limit.cost = cost
      elseif mode == FORCE then
        cost, wait, limit.blocked = asked, 0, 0
      elseif wait == 0 and allowed and (charges or mode == RENEW) then
        cost = asked
      end
      if cost > 0 then
        has_charged = true
        if limit.settles or entry.history then
          history = history or define_history()
          history.charge(limit, mode == FORCE or not limit.settles)
        else
          algorithm.charge(entry, limit, now)
        end
        local remaining, reset = algorithm.availability(limit, now, entry)
        limit.remaining, limit.reset = remaining, reset
        -- The expiry is a microsecond later, because a leaky bucket carries over what drained in
        -- the last one.
        if reset >= entry.ttl then entry.ttl = reset + 1 end
        entry.save = algorithm.save
      elseif mode ~= LEASE then
        rare = rare or define_rare()
        rare.leave_unchanged(limit, charges, allowed)
        wait = limit.wait
      end
      -- The time until more remains. It is not known for permits.
      local more = limit.blocked
      if limit.reset > 0 and not algorithm.has_permit_id then
        limit.cost = limit.remaining + 1
        more = max(more, algorithm.wait(limit, now, entry))
      end
      limit.cost = asked
      local flags = limit.blocked > 0 and BLOCKED or 0
      if wait < 0 then flags, wait = flags + NEVER, 0 end
      size = size + 1
      reply[size] = pack('>BI7I4I7I7', flags, wait, limit.remaining, limit.reset, more)
      if has_receipts then
        local tag = 0
        if cost > 0 then tag = algorithm.receipt_tag(entry, now) end
        size = size + 1
        reply[size] = pack('>I7I4I5', tag, cost, entry.full or 0)
      end
    end

    reply[head] = '\1'
    if not allowed then
      -- A denial says for how long it stays the same, for the denial cache.
      local least = MAX_MICROS
      for i = 1, count do least = min(least, rare.stable_for(limits[i])) end
      reply[head] = pack('>BI7', 0, least)
    end
    if has_receipts then reply[head] = reply[head] .. pack('>I7', now) end
  end
end

if has_idempotency_key then
  for _, entry in pairs(entries) do has_written = has_written or entry.save end
  if has_written then call('SET', KEYS[#KEYS], '', 'PX', format('%d', memory)) end
end

for index = 1, #KEYS do
  local entry = entries[index]
  if entry then
    if marks then
      marks.save(entry, margin)
    elseif entry.save then
      entry.save(entry, now, margin)
    end
  end
end
return table.concat(reply, '', 1, size)
