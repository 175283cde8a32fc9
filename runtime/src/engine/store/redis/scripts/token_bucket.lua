-- Token bucket with greedy refill: tokens arrive continuously.
if code == 4 then
  local greedy = {
    load = load_debt,
    peek = function(entry, limit, now)
      drain(entry, limit, limit.quota, now)
    end,
    wait = function(limit)
      local excess = limit.whole + limit.cost - limit.quota
      if excess < 0 or (excess == 0 and limit.part == 0) then return 0 end
      return drain_time(excess, limit.part, limit)
    end,
    charge = function(entry, limit, now)
      limit.whole = limit.whole + limit.cost
      store_debt(entry, limit, now)
    end,
    availability = function(limit)
      local missing = limit.whole
      if limit.part > 0 then missing = missing + 1 end
      return max(limit.quota - missing, 0), drain_time(limit.whole, limit.part, limit)
    end,
    receipt_tag = tag_of_debt,
    refund = function(entry, limit, now, receipt)
      return refund_debt(entry, limit, now, receipt, limit.quota - receipt.remaining)
    end,
    save = save_debt,
  }
  if not in_turn then return greedy end
  return in_turn(
    greedy,
    function(entry, limit) return settled_at(entry, limit, limit.quota) end,
    function(limit) return limit.part end
  )
end

-- Token bucket with interval refill: `times` tokens arrive at once, one window after the first use
-- and at the end of each window after that. The state is a debt (bucket.lua): `since` is the latest
-- refill or the first use, `part` is always 0.
if code == 5 then
  -- The time until `tokens` have arrived, given that the latest refill was `phase` ago.
  local function refill_time(tokens, limit)
    local micros = ceil_div(tokens, limit.times) * limit.window
    if micros >= FOREVER then return FOREVER end
    return max(micros - limit.phase, 0)
  end

  local interval = {
    load = load_debt,
    peek = function(entry, limit, now)
      limit.whole, limit.part, limit.phase = 0, 0, 0
      local elapsed = now - entry.since
      if elapsed < 0 then return end
      local phase = fmod(elapsed, limit.window)
      local refills = (elapsed - phase) / limit.window
      local missing = min(entry.whole, limit.quota) - refills * limit.times
      if missing > 0 then limit.whole, limit.phase = missing, phase end
    end,
    wait = function(limit)
      return refill_time(max(limit.whole + limit.cost - limit.quota, 0), limit)
    end,
    charge = function(entry, limit, now)
      limit.whole = limit.whole + limit.cost
      store_debt(entry, limit, now - limit.phase)
    end,
    availability = function(limit)
      return limit.quota - limit.whole, refill_time(limit.whole, limit)
    end,
    receipt_tag = function(entry, now)
      return now - entry.since
    end,
    refund = function(entry, limit, now, receipt)
      local anchor = receipt.at - receipt.tag
      -- Refills at other times belong to another bucket: the charged one was full, or evicted, in
      -- between.
      local beat = fmod(entry.since - anchor, limit.window)
      if receipt.at > now or beat ~= 0 or limit.whole == 0 then return false end
      local elapsed = now - anchor
      local refills = (elapsed - fmod(elapsed, limit.window)) / limit.window
      local left = limit.quota - receipt.remaining - refills * limit.times
      if left <= 0 then return false end
      entry.whole = max(entry.whole - min(left, limit.cost), 0)
      return true
    end,
    save = save_debt,
  }
  if not in_turn then return interval end
  return in_turn(
    interval,
    function(entry, limit)
      return entry.since + ceil_div(min(entry.whole, limit.quota), limit.times) * limit.window
    end,
    function(limit, entry, now) return fmod(now - entry.since, limit.window) end
  )
end
