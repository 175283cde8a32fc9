-- The latest charges of a bucket, kept while some of them may still be settled. They follow the
-- state of the bucket, whose `part` has the flag HAS_HISTORY: their number (1 byte), the bucket
-- before the first of them (its state without the last field), and of each charge when it was made
-- (7), by how much earlier it counts (2; IS_FINAL is added if it will not be settled any more) and
-- its cost (4). The twin of `bucket_history.rs`, which says why.
--
-- Few calls need these functions. They are created once in a call that needs one of them.
local function define_history()
  local MOST_CHARGES, IS_FINAL = 64, 32768 -- 2^15

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
    local entry, settles = limit.entry, limit.settles
    local history, count, dropped = entry.history, 0, 0
    local charges = ''
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
      elseif not settles then
        entry.history = nil
        return
      end
    end
    if not settles then early = early + IS_FINAL end
    entry.history = string.char(count + 1) .. before .. charges
      .. pack('>I7I2I4', now, early, limit.cost)
  end

  -- Charges limit.cost and keeps the charge.
  local function charge(limit)
    local entry = limit.entry
    local before = packed(entry)
    entry.from = now
    limit.algorithm.charge(entry, limit, now)
    keep(limit, before, now - entry.from)
  end

  -- The number of the charge that is settled; nothing if it is not kept.
  local function number_of(history, receipt)
    if receipt.at > now then return nil end
    local at = pack('>I7', receipt.at)
    for number = history:byte(1), 1, -1 do
      local start = start_of(number)
      if history:sub(start, start + 6) == at and unpack('>I4', history, start + 9) == receipt.from then
        return number
      end
    end
  end

  -- Whether the bucket was full after the charge of the receipt, before the first that is kept.
  local function began_full(limit, receipt)
    local at, early = unpack('>I7I2', limit.entry.history, start_of(1))
    local view = { times = limit.times, window = limit.window, quota = limit.quota }
    limit.algorithm.peek(base_of(limit.entry.history), view, at - early % IS_FINAL)
    return receipt.at < at and view.whole == 0 and view.part == 0
  end

  -- Settles a charge that is kept: all are charged once more, with its other cost. True if that has
  -- changed the bucket. Nothing if it is not kept, or if the charges do not explain the bucket: the
  -- limit has other numbers since.
  local function settle(limit, receipt)
    local entry = limit.entry
    local history = entry.history
    local number = number_of(history, receipt)
    if not number then
      -- Time had paid for the charge, or it was deleted by a reset: nothing is owed of it.
      if limit.cost > 0 and began_full(limit, receipt) then return false end
      return nil
    end
    local recharge, was = recharger(limit), base_of(history)
    local start, settled, end_of_settled = start_of(number), nil, nil
    for other = 1, history:byte(1) do
      local at, early, cost = unpack('>I7I2I4', history, start_of(other))
      if other == number then
        settled = {
          whole = was.whole, part = was.part, since = was.since, full = was.full,
          is_beyond = was.is_beyond,
        }
        recharge(settled, at, early, receipt.to)
        end_of_settled = pack('>I2I4', early % IS_FINAL + IS_FINAL, receipt.to)
      elseif settled then
        recharge(settled, at, early, cost)
      end
      recharge(was, at, early, cost)
    end
    if packed(was) ~= packed(entry) then
      entry.history = nil
      return nil
    end
    entry.whole, entry.part, entry.since = settled.whole, settled.part, settled.since
    entry.full, entry.is_beyond = settled.full, settled.is_beyond
    entry.history = history:sub(1, start + 6) .. end_of_settled
      .. history:sub(start + CHARGE_WIDTH)
    return true
  end

  return { charge = charge, settle = settle }
end
