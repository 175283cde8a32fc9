-- Token bucket, greedy: tokens come continuously.
if code == 4 then
  local greedy = {
    load = load_deficit,
    look = function(cell, limit, now)
      drain(cell, limit, limit.quota, now)
    end,
    wait = function(limit)
      local excess = limit.whole + limit.cost - limit.quota
      if excess < 0 or (excess == 0 and limit.part == 0) then return 0 end
      return drain_time(excess, limit.part, limit)
    end,
    take = function(cell, limit, now)
      limit.whole = limit.whole + limit.cost
      store_deficit(cell, limit, now)
    end,
    quota = function(limit)
      local missing = limit.whole
      if limit.part > 0 then missing = missing + 1 end
      return max(limit.quota - missing, 0), drain_time(limit.whole, limit.part, limit)
    end,
    mark = mark_of_deficit,
    refund = function(cell, limit, now, receipt)
      return refund_deficit(cell, limit, now, receipt, limit.quota - receipt.remaining)
    end,
    save = save_deficit,
  }
  if not in_turn then return greedy end
  return in_turn(
    greedy,
    function(cell, limit) return settled_at(cell, limit, limit.quota) end,
    function(limit) return limit.part end
  )
end

-- Token bucket, interval: `times` tokens at once, a window after the first use and each after that.
-- State as above; `since` is the latest refill or the first use, `part` is always 0.
if code == 5 then
  -- How long until `tokens` have come in by intervals, `phase` after the latest refill.
  local function refill_time(tokens, limit)
    local micros = ceil_div(tokens, limit.times) * limit.window
    if micros >= FOREVER then return FOREVER end
    return max(micros - limit.phase, 0)
  end

  local interval = {
    load = load_deficit,
    look = function(cell, limit, now)
      limit.whole, limit.part, limit.phase = 0, 0, 0
      local elapsed = now - cell.since
      if elapsed < 0 then return end
      local phase = fmod(elapsed, limit.window)
      local refills = (elapsed - phase) / limit.window
      local missing = min(cell.whole, limit.quota) - refills * limit.times
      if missing > 0 then limit.whole, limit.phase = missing, phase end
    end,
    wait = function(limit)
      return refill_time(max(limit.whole + limit.cost - limit.quota, 0), limit)
    end,
    take = function(cell, limit, now)
      limit.whole = limit.whole + limit.cost
      store_deficit(cell, limit, now - limit.phase)
    end,
    quota = function(limit)
      return limit.quota - limit.whole, refill_time(limit.whole, limit)
    end,
    mark = function(cell, now)
      return now - cell.since
    end,
    refund = function(cell, limit, now, receipt)
      local anchor = receipt.at - receipt.mark
      -- Another beat is another bucket: that one was full, or forgotten, in between.
      local beat = fmod(cell.since - anchor, limit.window)
      if receipt.at > now or beat ~= 0 or limit.whole == 0 then return false end
      local elapsed = now - anchor
      local refills = (elapsed - fmod(elapsed, limit.window)) / limit.window
      local left = limit.quota - receipt.remaining - refills * limit.times
      if left <= 0 then return false end
      cell.whole = max(cell.whole - min(left, limit.cost), 0)
      return true
    end,
    save = save_deficit,
  }
  if not in_turn then return interval end
  return in_turn(
    interval,
    function(cell, limit)
      return cell.since + ceil_div(min(cell.whole, limit.quota), limit.times) * limit.window
    end,
    function(limit, cell, now) return fmod(now - cell.since, limit.window) end
  )
end
