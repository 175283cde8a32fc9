-- The debt of a bucket: the tokens missing from a full one, `whole + part / W`, as of `since`.
-- State: whole (4 bytes), part (6), since (7), and until when the key lives (6, milliseconds), by
-- which the plain script knows whether its expiry suffices.
local load_debt, save_debt, store_debt, drain
local tag_of_debt, refund_debt, drain_time

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
        algorithm.peek(entry, limit, now)
      else
        charge(entry, limit, now)
      end
      entry.tag = tag(limit, entry, now)
    end
    algorithm.receipt_tag = function(entry) return entry.tag end
    return algorithm
  end
end

-- When the debt of a bucket of `capacity` was paid, or will be.
local settled_at

if code == 4 or code == 5 or code == 6 then
  load_debt = function(key, raw)
    local whole, part, since = 0, 0, 0
    if raw and #raw >= 23 then whole, part, since = unpack('>I4I6I7', raw) end
    return { key = key, ttl = 0, save = false, whole = whole, part = part, since = since }
  end

  save_debt = function(entry, now, margin)
    local life = ttl_text(entry.ttl, margin)
    local lives_until = floor(now / 1000) + life
    local state = pack('>I4I6I7I6', entry.whole, entry.part, entry.since, lives_until)
    call('SET', entry.key, state, 'PX', life)
  end

  store_debt = function(entry, limit, since)
    entry.whole, entry.part, entry.since = limit.whole, limit.part, since
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
    local whole, part = entry.whole, entry.part
    if whole >= capacity then whole, part = capacity, 0 end
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

  -- Refunds the part of a charge that would still be owed if nothing had been charged after it.
  -- `missing`: the debt right after the charge, rounded up; receipt.tag is its fraction. A lower
  -- debt at entry.since is a debt lower by the same amount now.
  refund_debt = function(entry, limit, now, receipt, missing)
    if limit.whole == 0 and limit.part == 0 then return false end
    if receipt.tag > 0 then missing = missing - 1 end
    local left = { window = limit.window, times = limit.times }
    drain({ whole = missing, part = receipt.tag, since = receipt.at }, left, missing + 1, now)
    local whole, part = left.whole, left.part
    if whole >= limit.cost then whole, part = limit.cost, 0 end
    if whole == 0 and part == 0 then return false end
    whole, part = entry.whole - whole, entry.part - part
    if part < 0 then whole, part = whole - 1, part + limit.window end
    if whole < 0 then whole, part = 0, 0 end
    entry.whole, entry.part = whole, part
    return true
  end

  settled_at = function(entry, limit, capacity)
    local whole, part = entry.whole, entry.part
    if whole >= capacity then whole, part = capacity, 0 end
    return entry.since + drain_time(whole, part, limit)
  end

  -- The time in which `whole + part / W` tokens drain, rounded up, at most FOREVER.
  drain_time = function(whole, part, limit)
    local rest = fmod(limit.window, limit.times)
    local per_token = (limit.window - rest) / limit.times
    local micros, left = mul_div(rest, whole, limit.times)
    micros = micros + whole * per_token + ceil_div(left + part, limit.times)
    return min(micros, FOREVER)
  end
end
