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
      if limit.whole == 0 and limit.part == 0 then
        entry.full = full_at(entry, limit, limit.quota, now)
      end
      limit.whole = limit.whole + limit.cost
      store_debt(entry, limit.whole, limit.part, now, limit.quota)
    end,
    availability = function(limit)
      local missing = limit.whole
      if limit.part > 0 then missing = missing + 1 end
      return max(limit.quota - missing, 0), drain_time(limit.whole, limit.part, limit)
    end,
    receipt_tag = tag_of_debt,
    settle = function(entry, limit, now, receipt)
      local missing = limit.quota - receipt.remaining - receipt.taken + receipt.from
      return settle_debt(entry, limit, now, receipt, limit.quota, missing, receipt.from, 0)
    end,
    save = save_debt,
  }
  if not in_turn then return greedy end
  return in_turn(
    greedy,
    function(entry, limit) return paid_at(entry, limit, limit.quota) end,
    function(limit) return limit.part end
  )
end

-- Token bucket with interval refill: `times` tokens arrive at once, one window after the first use
-- and at the end of each window after that. The state is a debt (bucket.lua): `since` is the latest
-- refill or the first use, `part` has at most its flag.
if code == 5 then
  -- The time until `tokens` have arrived, given that the latest refill was `phase` ago.
  local function refill_time(tokens, limit)
    local micros = ceil_div(tokens, limit.times) * limit.window
    if micros >= MAX_MICROS then return MAX_MICROS end
    return max(micros - limit.phase, 0)
  end

  -- The missing tokens as of entry.since.
  local function missing_of(entry, limit)
    if entry.is_beyond then return entry.whole end
    return min(entry.whole, limit.quota)
  end

  local function store(entry, limit, whole, since)
    store_debt(entry, whole, 0, since, limit.quota)
  end

  local interval = {
    load = load_debt,
    peek = function(entry, limit, now)
      limit.whole, limit.part, limit.phase = 0, 0, 0
      local elapsed = now - entry.since
      if elapsed < 0 then return end
      local phase = fmod(elapsed, limit.window)
      local refills = (elapsed - phase) / limit.window
      local missing = missing_of(entry, limit) - refills * limit.times
      if missing > 0 then limit.whole, limit.phase = missing, phase end
    end,
    wait = function(limit)
      return refill_time(max(limit.whole + limit.cost - limit.quota, 0), limit)
    end,
    charge = function(entry, limit, now)
      if limit.whole == 0 then
        local refills = ceil_div(missing_of(entry, limit), limit.times)
        local full = max(now - entry.since - refills * limit.window, 0)
        entry.full = (entry.full + full) % FULL_SPAN
      end
      limit.whole = limit.whole + limit.cost
      store(entry, limit, limit.whole, now - limit.phase)
    end,
    availability = function(limit)
      return max(limit.quota - limit.whole, 0), refill_time(limit.whole, limit)
    end,
    receipt_tag = function(entry, now)
      return now - entry.since
    end,
    settle = function(entry, limit, now, receipt)
      if receipt.at > now then return false end
      local anchor = receipt.at - receipt.tag
      local elapsed = now - anchor
      local phase = fmod(elapsed, limit.window)
      local refilled = (elapsed - phase) / limit.window * limit.times
      local charged = limit.quota - receipt.remaining + receipt.from - receipt.taken
      charged = max(charged, receipt.from)
      -- Refills at other times belong to another bucket: the charged one was full, or evicted, in
      -- between.
      local has_phase = fmod(entry.since - anchor, limit.window) == 0
      if limit.cost > 0 then
        local left = charged - refilled
        if not has_phase or limit.whole == 0 or left <= 0 then return false end
        local was_beyond = entry.is_beyond
        store(entry, limit, max(entry.whole - min(left, limit.cost), 0), entry.since)
        entry.is_beyond = was_beyond and entry.is_beyond
        return true
      end
      local more = -limit.cost
      if now < entry.since then return false end
      local is_owed = receipt.from > refilled
      local was_full = not is_owed
      if now - receipt.at < FULL_SPAN then
        was_full = (entry.full - receipt.full) % FULL_SPAN > 0
      end
      if has_phase and not was_full then
        store(entry, limit, missing_of(entry, limit) + more, entry.since)
        return true
      end
      -- The bucket was full in between, or reset, as it surely was if the charge would still be
      -- owed.
      local late = min(receipt.from + more - refilled, more)
      if is_owed or late <= 0 then return false end
      if limit.whole == 0 then
        entry.full = receipt.full
      else
        phase = limit.phase
      end
      store(entry, limit, limit.whole + late, now - phase)
      return true
    end,
    save = save_debt,
  }
  if not in_turn then return interval end
  return in_turn(
    interval,
    function(entry, limit)
      return entry.since + ceil_div(missing_of(entry, limit), limit.times) * limit.window
    end,
    function(limit, entry, now) return fmod(now - entry.since, limit.window) end
  )
end
