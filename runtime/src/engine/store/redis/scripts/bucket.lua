-- The debt of a bucket: the tokens missing from a full one, `whole + part / W`, as of `since`.
-- State: whole (4 bytes), part (6), since (7), full (5), and until when the key lives (6,
-- milliseconds), by which the plain script knows whether its expiry suffices. Its latest charges
-- may follow (history.lua).
--
-- full: how long the bucket has been full at any time until its latest charge, in microseconds
-- modulo FULL_SPAN; an absent bucket has been full since the epoch. IS_BEYOND, added to part: a
-- settlement has made the debt larger than the capacity. Other debts above the capacity are those
-- of a capacity that was lowered since, and count as the capacity. The twin of `debt.rs`.
local FULL_SPAN = 1099511627776 -- 2^40
local load_debt, save_debt, store_debt, drain
local tag_of_debt, settle_debt, drain_time, full_at

-- Codes 8 to 10 are 4 to 6 for a charge that has waited in a wait queue. Timers wake a waiter late,
-- so its charge counts from the moment at which the bucket was full again, at most TIMER_SLACK
-- back. A bucket that was full for longer than IDLE has kept no request waiting. `in_turn` wraps an
-- algorithm so that it counts like this: `due` gives when the bucket was full, `tag` the receipt's
-- tag.
local TIMER_SLACK, IDLE = 5000, 100000
local in_turn
if code >= 8 then
  code = code - 4
  in_turn = function(algorithm, due, tag)
    local charge = algorithm.charge
    algorithm.charge = function(entry, limit, now)
      local late = now - due(entry, limit)
      if late > 0 and late <= IDLE then
        local from = now - min(late, TIMER_SLACK)
        algorithm.peek(entry, limit, from)
        charge(entry, limit, from)
        entry.from = from
        algorithm.peek(entry, limit, now)
      else
        charge(entry, limit, now)
      end
      entry.tag = tag(limit, entry, now)
    end
    algorithm.charge_at = charge
    algorithm.receipt_tag = function(entry) return entry.tag end
    return algorithm
  end
end

-- The time at which the debt of a bucket of `capacity` was paid, or will be.
local paid_at

if code == 4 or code == 5 or code == 6 then
  load_debt = function(key, raw)
    local whole, part, since, full = 0, 0, 0, 0
    if raw and #raw >= 28 then whole, part, since, full = unpack('>I4I6I7I5', raw) end
    local is_beyond = part >= IS_BEYOND
    if is_beyond then part = part - IS_BEYOND end
    local has_history = part >= HAS_HISTORY
    if has_history then part = part - HAS_HISTORY end
    has_history = has_history and #raw > 28 and #raw >= 28 + length_of_history(raw)
    local entry = {
      key = key, ttl = 0, save = false,
      whole = whole, part = part, since = since, full = full, is_beyond = is_beyond,
    }
    if has_history then entry.history = raw:sub(29, 28 + length_of_history(raw)) end
    return entry
  end

  save_debt = function(entry, now, margin)
    local kept, history = entry.ttl, entry.history
    local whole, part = entry.whole, entry.part
    if entry.is_beyond then part = part + IS_BEYOND end
    if history then kept, part = kept + KEPT_FOR_SETTLEMENT, part + HAS_HISTORY end
    local ttl = ttl_text(kept, margin)
    local lives_until = floor(now / 1000) + ttl
    local state = pack('>I4I6I7I5I6', whole, part, entry.since, entry.full, lives_until)
    call('SET', entry.key, state .. (history or ''), 'PX', ttl)
  end

  -- Sets the debt of a bucket of `capacity`.
  store_debt = function(entry, whole, part, since, capacity)
    entry.whole, entry.part, entry.since = min(whole, MOST), part, since
    entry.is_beyond = whole > capacity or (whole == capacity and part > 0)
  end

  -- The debt as of entry.since.
  local function owed(entry, capacity)
    if entry.whole >= capacity and not entry.is_beyond then return capacity, 0 end
    return entry.whole, entry.part
  end

  -- The time in which `whole + part / W` tokens drain, rounded down.
  local function drain_time_down(whole, part, limit)
    local rest = fmod(limit.window, limit.times)
    local per_token = (limit.window - rest) / limit.times
    local micros, left = mul_div(rest, whole, limit.times)
    left = left + part
    return micros + whole * per_token + (left - fmod(left, limit.times)) / limit.times
  end

  -- entry.full as of now.
  full_at = function(entry, limit, capacity, now)
    local elapsed = now - entry.since
    if elapsed < 0 then return entry.full end
    local whole, part = owed(entry, capacity)
    return (entry.full + max(elapsed - drain_time_down(whole, part, limit), 0)) % FULL_SPAN
  end

  -- The debt of a bucket of `capacity` now, into limit.whole and limit.part. limit.past: the W-ths
  -- of a token that drained past empty, if that is less than one token; else nil.
  drain = function(entry, limit, capacity, now)
    limit.past = nil
    if entry.since > now then
      -- The clock has stepped back: a debt from the future does not count.
      limit.whole, limit.part = 0, 0
      return
    end
    local whole, part = owed(entry, capacity)
    local elapsed = now - entry.since
    local rest = fmod(elapsed, limit.window)
    local tokens = (elapsed - rest) / limit.window * limit.times
    local more, drained = mul_div(rest, limit.times, limit.window)
    whole, part = whole - tokens - more, part - drained
    if part < 0 then whole, part = whole - 1, part + limit.window end
    if whole < 0 then
      if whole == -1 then limit.past = limit.window - part end
      whole, part = 0, 0
    end
    limit.whole, limit.part = whole, part
  end

  tag_of_debt = function(entry)
    return entry.part
  end

  -- The rest, as of now, of a debt of `whole + part / W` tokens as of receipt.at.
  local function left_of(whole, part, limit, now, receipt)
    local left = { window = limit.window, times = limit.times }
    local debt = { whole = whole, part = part, since = receipt.at, is_beyond = true }
    drain(debt, left, 0, now)
    return left.whole, left.part
  end

  -- Charges more to a bucket whose key has expired: it is the one that a charge of that cost alone,
  -- `whole + part / W`, would have left. The debt beneath the charge may have been refunded since.
  local function create_debt(entry, limit, now, receipt, capacity, whole, part)
    local left_whole, left_part = left_of(whole, part, limit, now, receipt)
    if left_whole == 0 and left_part == 0 then return false end
    -- Charges before this one find how long the bucket was full.
    entry.full = receipt.full
    store_debt(entry, whole, part, receipt.at, capacity)
    return true
  end

  -- The twin of `bucket_charge.rs`: `own_whole + own_part / W` is the charge's own part of the debt
  -- right after it.
  local function raise_debt(entry, limit, now, receipt, capacity, own_whole, own_part)
    local elapsed, more = now - receipt.at, -limit.cost
    if elapsed < 0 or now < entry.since then return false end
    local latest = max(entry.since - receipt.at, 0)
    local longest = max(latest - drain_time_down(own_whole, own_part, limit), 0)
    -- The time is not known after a span. The most that it may have been is never too little.
    local full = longest
    if elapsed < FULL_SPAN then full = (entry.full - receipt.full) % FULL_SPAN end
    local most, part = more, 0
    -- Each time is rounded up to a microsecond.
    if entry.since == 0 or full > longest + 1 then
      -- This is another bucket than the one of the charge. If the charge would still be owed, it
      -- was deleted with its bucket.
      local left_whole, left_part = left_of(own_whole, own_part, limit, now, receipt)
      if left_whole > 0 or left_part > 0 then return false end
      if entry.since == 0 then
        return create_debt(entry, limit, now, receipt, capacity, own_whole + more, own_part)
      end
      -- The bucket has been full since, and its key has expired. It counts as full until the next
      -- charge, and time has paid for this one first.
      full = (entry.full - receipt.at) % FULL_SPAN
      more, part = more + own_whole, own_part
    end
    -- `more + part / W` tokens, less what time has paid while the bucket was full.
    local rest = fmod(full, limit.window)
    local tokens, paid = mul_div(rest, limit.times, limit.window)
    more = more - tokens - (full - rest) / limit.window * limit.times
    part = part - paid
    if part < 0 then more, part = more - 1, part + limit.window end
    if more >= most then more, part = most, 0 end
    if more < 0 or (more == 0 and part == 0) then return false end
    local whole
    whole, paid = owed(entry, capacity)
    whole, part = whole + more, part + paid
    if part >= limit.window then whole, part = whole + 1, part - limit.window end
    store_debt(entry, whole, part, entry.since, capacity)
    return true
  end

  -- Settles a charge. Only the part is refunded that would still be owed if nothing had been
  -- charged after it. `missing`: the debt right after the charge, rounded up; receipt.tag is its
  -- fraction. A lower debt at entry.since is a debt lower by the same amount now.
  settle_debt = function(entry, limit, now, receipt, capacity, missing, own_whole, own_part)
    if receipt.tag > 0 then missing = missing - 1 end
    local charged, tag = missing, receipt.tag
    -- The receipt of a forced charge does not show a debt above the capacity.
    if receipt.remaining == 0 and charged < own_whole then charged, tag = own_whole, own_part end
    if limit.cost < 0 then
      return raise_debt(entry, limit, now, receipt, capacity, own_whole, own_part)
    end
    if limit.whole == 0 and limit.part == 0 then return false end
    local whole, part = left_of(charged, tag, limit, now, receipt)
    if whole >= limit.cost then whole, part = limit.cost, 0 end
    if whole == 0 and part == 0 then return false end
    whole, part = entry.whole - whole, entry.part - part
    if part < 0 then whole, part = whole - 1, part + limit.window end
    if whole < 0 then whole, part = 0, 0 end
    local was_beyond = entry.is_beyond
    store_debt(entry, whole, part, entry.since, capacity)
    entry.is_beyond = was_beyond and entry.is_beyond
    return true
  end

  paid_at = function(entry, limit, capacity)
    local whole, part = owed(entry, capacity)
    return entry.since + drain_time(whole, part, limit)
  end

  -- The time in which `whole + part / W` tokens drain, rounded up, at most MAX_MICROS.
  drain_time = function(whole, part, limit)
    local rest = fmod(limit.window, limit.times)
    local per_token = (limit.window - rest) / limit.times
    local micros, left = mul_div(rest, whole, limit.times)
    micros = micros + whole * per_token + ceil_div(left + part, limit.times)
    return min(micros, MAX_MICROS)
  end
end
