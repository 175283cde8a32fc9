-- The latest charges of a bucket, kept while some of them may still be settled. They follow the
-- state of the bucket, whose `part` has the flag HAS_HISTORY: their number (1 byte), the bucket
-- before the first of them (its state without the last field), and of each charge when it was made
-- (7), by how much earlier it counts (2; IS_FINAL is added if it will not be settled any more) and
-- its cost (4). The twin of `bucket_history.rs`, which says why.
--
-- Few calls need these functions. They are created once in a call that needs one of them.
local function define_history()

  local function packed(bucket)
    local part = bucket.part
    if bucket.is_beyond then part = part + IS_BEYOND end
    return pack('>I4I6I7I5', bucket.whole, part, bucket.since, bucket.full)
  end

  -- The bucket before the first charge.
  local function base_of(history)
    local whole, part, since, full = unpack('>I4I6I7I5', history, 2)
    local is_beyond = part >= IS_BEYOND
    if is_beyond then part = part - IS_BEYOND end
    return { whole = whole, part = part, since = since, full = full, is_beyond = is_beyond }
  end

  -- The index at which the charge of this number begins.
  local function start_of(number)
    return HISTORY_HEAD + (number - 1) * CHARGE_WIDTH + 1
  end

  -- A function that charges a bucket once more.
  local function recharger(limit)
    local algorithm = limit.algorithm
    local charge = algorithm.charge_at or algorithm.charge
    local view = { times = limit.times, window = limit.window, quota = limit.quota }
    return function(bucket, at, early, cost)
      if cost == 0 then return end
      local from = at - early % IS_FINAL
      view.cost = cost
      algorithm.peek(bucket, view, from)
      charge(bucket, view, from)
    end
  end

  -- Adds a charge to the history of a bucket that was `before`, and drops the charges that need
  -- not be kept any more.
  local function keep(limit, before, early)
    local entry, history = limit.entry, limit.entry.history
    local count, dropped, charges = 0, 0, ''
    if history then
      local base, recharge
      count = history:byte(1)
      while count > 0 do
        local at, early, cost = unpack('>I7I2I4', history, start_of(dropped + 1))
        if early < IS_FINAL and count < MOST_CHARGES then break end
        base, recharge = base or base_of(history), recharge or recharger(limit)
        recharge(base, at, early, cost)
        dropped, count = dropped + 1, count - 1
      end
      if count > 0 then
        before = base and packed(base) or history:sub(2, HISTORY_HEAD)
        charges = history:sub(start_of(dropped + 1))
      end
    end
    if count == 0 and early >= IS_FINAL then
      entry.history = nil
    else
      entry.history = string.char(count + 1) .. before .. charges
        .. pack('>I7I2I4', now, early, limit.cost)
    end
  end

  -- Charges limit.cost and keeps the charge. `is_final`: it will not be settled.
  local function charge(limit, is_final)
    local entry = limit.entry
    local before = packed(entry)
    entry.from = now
    limit.algorithm.charge(entry, limit, now)
    local early = now - entry.from
    if is_final then early = early + IS_FINAL end
    keep(limit, before, early)
  end

  -- The history with another cost of a charge.
  local function with_cost(history, number, early, cost)
    local start = start_of(number)
    return history:sub(1, start + 6) .. pack('>I2I4', early, min(cost, MOST))
      .. history:sub(start + CHARGE_WIDTH)
  end

  -- The history with the other cost of a charge, or of charges of which it was a part; nothing if
  -- they are not kept. A lease is one charge, which its local charges are parts of. The cost tells
  -- charges of one moment apart. If none has it, any that is larger will do, or several of them:
  -- they count from the same moment.
  local function changed(history, receipt)
    local at, from, more = pack('>I7', receipt.at), receipt.from, receipt.to - receipt.from
    local same, larger, larger_final, open, sum = nil, nil, nil, {}, 0
    for number = history:byte(1), 1, -1 do
      local start = start_of(number)
      if history:sub(start, start + 6) == at then
        local early, cost = unpack('>I2I4', history, start + 7)
        local charge = { number = number, early = early, cost = cost }
        if early < IS_FINAL then
          if cost == from then return with_cost(history, number, early + IS_FINAL, cost + more) end
          if cost > from then larger = larger or charge end
          open[#open + 1], sum = charge, sum + cost
        elseif cost == from then
          same = same or charge
        elseif cost > from then
          larger_final = larger_final or charge
        end
      end
    end
    local charge = same or larger or larger_final
    if charge then
      return with_cost(history, charge.number, charge.early, charge.cost + more)
    end
    if #open == 0 or sum < from then return nil end
    local rest = from
    for index = 1, #open do
      local other = open[index]
      local taken = min(other.cost, rest)
      rest = rest - taken
      local cost = other.cost - taken
      if index == 1 then cost = cost + receipt.to end
      history = with_cost(history, other.number, other.early, cost)
    end
    return history
  end

  -- Settles a charge: all that are kept are charged once more. A charge that is not kept is settled
  -- in the bucket before the first one that is. Returns whether the bucket has changed; nothing if
  -- the charges do not explain it: the limit has other numbers since. A charge from the future (the
  -- clock has stepped back) is not changed, and the others are kept.
  local function settle(limit, receipt)
    local entry, history = limit.entry, limit.entry.history
    if receipt.at > now then return false end
    local new, was, settled = changed(history, receipt), base_of(history), nil
    if not new then
      local at, early = unpack('>I7I2', history, start_of(1))
      if receipt.at > at then return nil end
      -- The first charge may count from before this one was made, if it has waited.
      local from = max(at - early % IS_FINAL, receipt.at)
      settled = base_of(history)
      local view = {
        times = limit.times, window = limit.window, quota = limit.quota, cost = limit.cost,
      }
      limit.algorithm.peek(settled, view, from)
      if limit.cost ~= 0 then limit.algorithm.settle(settled, view, from, receipt) end
      new = history:sub(1, 1) .. packed(settled) .. history:sub(HISTORY_HEAD + 1)
    end
    local recharge = recharger(limit)
    for number = 1, history:byte(1) do
      local at, early, cost = unpack('>I7I2I4', history, start_of(number))
      local other = unpack('>I4', new, start_of(number) + 9)
      if not settled and other ~= cost then
        settled = {
          whole = was.whole, part = was.part, since = was.since, full = was.full,
          is_beyond = was.is_beyond,
        }
      end
      if settled then recharge(settled, at, early, other) end
      recharge(was, at, early, cost)
    end
    local before = packed(entry)
    if packed(was) ~= before then return nil end
    settled = settled or was
    entry.whole, entry.part, entry.since = settled.whole, settled.part, settled.since
    entry.full, entry.is_beyond, entry.history = settled.full, settled.is_beyond, new
    return packed(settled) ~= before
  end

  return { charge = charge, settle = settle }
end
