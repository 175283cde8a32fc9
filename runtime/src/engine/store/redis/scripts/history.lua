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

  -- The number of the charge that is settled, or that it is a part of: a lease is one charge, which
  -- its local charges are parts of. Nothing if it is not kept. The cost tells charges of one moment
  -- apart. If none of them has it, any that is larger will do, because they count from the same
  -- moment.
  local function number_of(history, receipt)
    local at, same, larger, only, of_this_moment = pack('>I7', receipt.at), nil, nil, nil, 0
    for number = history:byte(1), 1, -1 do
      local start = start_of(number)
      if history:sub(start, start + 6) == at then
        local early, cost = unpack('>I2I4', history, start + 7)
        local is_open = early < IS_FINAL
        only, of_this_moment = number, of_this_moment + 1
        if cost == receipt.from then
          if is_open then return number end
          same = same or number
        elseif cost > receipt.from and is_open then
          larger = larger or number
        end
      end
    end
    if same or larger then return same or larger end
    if of_this_moment == 1 then return only end
    return nil
  end

  -- Settles a charge: all that are kept are charged once more. A charge that is not kept is settled
  -- in the bucket before the first one that is. Returns whether the bucket has changed; nothing if
  -- the charges do not explain it: the limit has other numbers since. A charge from the future (the
  -- clock has stepped back) is not changed, and the others are kept.
  local function settle(limit, receipt)
    local entry, history = limit.entry, limit.entry.history
    if receipt.at > now then return false end
    local number, was, settled = number_of(history, receipt), base_of(history), nil
    if not number then
      local at, early = unpack('>I7I2', history, start_of(1))
      local from = at - early % IS_FINAL
      if receipt.at > from then return nil end
      settled = base_of(history)
      local view = {
        times = limit.times, window = limit.window, quota = limit.quota, cost = limit.cost,
      }
      limit.algorithm.peek(settled, view, from)
      if limit.cost ~= 0 then limit.algorithm.settle(settled, view, from, receipt) end
      history = history:sub(1, 1) .. packed(settled) .. history:sub(HISTORY_HEAD + 1)
    end
    local recharge = recharger(limit)
    for other = 1, history:byte(1) do
      local start = start_of(other)
      local at, early, cost = unpack('>I7I2I4', history, start)
      if other == number then
        settled = {
          whole = was.whole, part = was.part, since = was.since, full = was.full,
          is_beyond = was.is_beyond,
        }
        local to = min(max(cost - limit.cost, 0), MOST)
        recharge(settled, at, early, to)
        if cost == receipt.from and early < IS_FINAL then early = early + IS_FINAL end
        history = history:sub(1, start + 6) .. pack('>I2I4', early, to)
          .. history:sub(start + CHARGE_WIDTH)
      elseif settled then
        recharge(settled, at, early, cost)
      end
      recharge(was, at, early, cost)
    end
    local before = packed(entry)
    if packed(was) ~= before then return nil end
    entry.whole, entry.part, entry.since = settled.whole, settled.part, settled.since
    entry.full, entry.is_beyond, entry.history = settled.full, settled.is_beyond, history
    return packed(settled) ~= before
  end

  return { charge = charge, settle = settle }
end
