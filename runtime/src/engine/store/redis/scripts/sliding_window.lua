-- Sliding window: an exact log of admissions in a list, newest first. An element has nine bytes:
-- the time modulo 2^48, which is nine years where a window is at most one, and the running sum of
-- costs modulo 2^24 (a window holds at most 10^6, and more only by settlements). The last element
-- is the base, not an admission: it holds the sum before the oldest admission. A charge trims the
-- admissions that have left the window; the youngest of them becomes the new base.
local TIME_SPAN, SUM_SPAN = 281474976710656, 16777216 -- 2^48, 2^24
-- The largest cost of one admission: it alone exceeds every limit, so more makes no difference.
local MOST_COST = 1000001
-- The most elements of one call: Lua passes fewer than 8,000 arguments.
local MOST_PUSHED = 4000

if code == 1 then
  local function packed(time, sum)
    return pack('>I6I3', time % TIME_SPAN, sum)
  end

  local function element(entry, index)
    local time, sum = unpack('>I6I3', call('LINDEX', entry.key, index))
    return time, sum
  end

  -- The age of an admission. It is negative if the clock has stepped back since.
  local function age(time, now)
    local age = (now - time) % TIME_SPAN
    if age >= TIME_SPAN / 2 then return age - TIME_SPAN end
    return age
  end

  -- The first index in low..high for which `inside` is true; high + 1 if there is none. The search
  -- starts at the low end in steps that double, because the answer is usually near.
  local function gallop(low, high, inside)
    local step = 1
    local probe = low
    while probe <= high and not inside(probe) do
      low = probe + 1
      probe = probe + step
      step = step * 2
    end
    high = min(probe, high + 1)
    while low < high do
      local middle = floor((low + high) / 2)
      if inside(middle) then high = middle else low = middle + 1 end
    end
    return low
  end

  -- Admissions are numbered by age: 1 is the oldest, entry.count the newest. In the list, counted
  -- from its end, -1 is the base and -1 - i is admission i.
  local function load_log(key, window, now)
    local count = call('LLEN', key) - 1
    local entry = {
      key = key, ttl = 0, save = false, added = false, is_dropped = false, future = 0,
      window = window,
      stored = count >= 0, count = count, first = 1, base = 0, sum = 0, oldest = 0,
    }
    if count < 1 then
      -- The list is absent or holds the base alone: nothing counts.
      entry.count = 0
      return entry
    end
    local newest = count
    local time, sum = element(entry, 0)
    if age(time, now) < 0 then
      -- The clock has stepped back: admissions from the future do not count.
      newest = entry.count - gallop(0, entry.count - 1, function(index)
        return age(element(entry, index), now) >= 0
      end)
      sum = nil
    end
    -- Index 0 is the base, so `first` is at least 1.
    entry.first = gallop(1, newest, function(index)
      local time = element(entry, -1 - index)
      if age(time, now) >= window then return false end
      -- The search ends at the oldest admission inside the window, so the last hit is kept.
      entry.oldest = time
      return true
    end)
    local _
    _, entry.base = element(entry, -entry.first)
    if sum == nil then _, sum = element(entry, -1 - newest) end
    entry.future = entry.count - newest
    entry.count, entry.sum = newest, sum
    return entry
  end

  local function used(entry)
    return (entry.sum - entry.base) % SUM_SPAN
  end

  -- A log lives for a quarter of the window longer than it counts: the plain script relies on it,
  -- which sets the expiry only with the first charge in each quarter of a window.
  local function expire(entry, margin)
    local ttl = entry.window + floor(entry.window / 4)
    call('PEXPIRE', entry.key, ttl_text(max(entry.ttl, ttl), margin))
  end

  local function drop(entry)
    call('DEL', entry.key)
  end

  -- The part of a cost that the window can hold on top of what is in it.
  local function may_add(entry, cost)
    return min(cost, MOST_COST, SUM_SPAN - 1 - used(entry))
  end

  -- Lowers the sums of the newest elements, and puts them before all from `older` on. They are
  -- read at once and written in parts, because a call takes a limited number of arguments.
  local function lower(entry, newest, older, given)
    local elements = newest == 0 and {} or call('LRANGE', entry.key, 0, newest - 1)
    local lowered = {}
    for index = newest, 1, -1 do
      local time, sum = unpack('>I6I3', elements[index])
      lowered[newest + 1 - index] = pack('>I6I3', time, (sum - given) % SUM_SPAN)
    end
    call('LTRIM', entry.key, older, -1)
    has_written = true
    for first = 1, newest, MOST_PUSHED do
      call('LPUSH', entry.key, spread(lowered, first, min(first + MOST_PUSHED - 1, newest)))
    end
  end

  -- Settles a charge: changes what was admitted at the receipt's time. Admissions of one
  -- microsecond leave the window together, so they are merged into one element for what is left of
  -- them. The sums of newer admissions are rewritten too, which is linear in their number. The
  -- key's expiry stays: it is long enough.
  local function settle_entries(entry, limit, now, receipt)
    local ago = now - receipt.at
    -- Admissions from the future do not count now but may count again: they stay unchanged.
    if entry.future > 0 or ago < 0 or ago >= limit.window then return end
    local function age_of(index)
      return age(element(entry, index), now)
    end
    -- List indexes, newest first: the admissions of that time are newest..older - 1.
    local last = entry.count - entry.first
    local newest = gallop(0, last, function(index) return age_of(index) >= ago end)
    local older = gallop(newest, last, function(index) return age_of(index) > ago end)
    if newest == older then return end
    local _, sum = element(entry, newest)
    local _, before = element(entry, older)
    local taken = (sum - before) % SUM_SPAN
    local given = min(taken, limit.cost)
    if given < 0 then given = -may_add(entry, -given) end
    -- One element of that time stays, unless nothing is left of it.
    local kept = newest
    if taken ~= given then kept = newest + 1 end
    lower(entry, kept, older, given)
    entry.count = entry.count - older + kept
    entry.sum = (entry.sum - given) % SUM_SPAN
    if entry.count < entry.first and not entry.added then
      entry.count, entry.first, entry.save, entry.is_dropped = 0, 1, drop, true
    end
    if entry.first <= entry.count then entry.oldest = element(entry, -1 - entry.first) end
  end

  return {
    load = function(key, _, limit, now)
      -- The window is part of the key, so one entry serves every limit of this key.
      return load_log(key, limit.window, now)
    end,
    peek = function() end,
    wait = function(limit, now, entry)
      local excess = used(entry) + limit.cost - limit.times
      if excess <= 0 then return 0 end
      -- There is room once the admission leaves that brings the sum up to the excess. Each
      -- admission has a cost of at least 1.
      local leaving = entry.first
      if excess > 1 then
        leaving = gallop(leaving, entry.count, function(index)
          local _, sum = element(entry, -1 - index)
          return (sum - entry.base) % SUM_SPAN >= excess
        end)
      end
      -- The admission is not among the stored ones: this call itself has added it.
      if leaving > entry.count then return limit.window end
      local time = entry.oldest
      if leaving > entry.first then time = element(entry, -1 - leaving) end
      return limit.window - age(time, now)
    end,
    charge = function(entry, limit)
      local more = may_add(entry, limit.cost)
      -- A forced charge to a window that holds the most already.
      if more == 0 then return end
      entry.sum = (entry.sum + more) % SUM_SPAN
      entry.added, entry.is_dropped = true, false
    end,
    availability = function(limit, now, entry)
      local remaining = max(limit.times - used(entry), 0)
      if entry.added then return remaining, limit.window end
      if entry.count < entry.first then return remaining, 0 end
      return remaining, limit.window - age(element(entry, -1 - entry.count), now)
    end,
    receipt_tag = function()
      return 0
    end,
    settle = function(entry, limit, now, receipt)
      settle_entries(entry, limit, now, receipt)
      return false -- `settle_entries` has written the list
    end,
    save = function(entry, now, margin)
      if not entry.added then return end
      local key = entry.key
      if entry.count == 0 then
        -- Old elements are trimmed last: in a cluster slot that is being moved, an emptied key
        -- could not be created again on the source node.
        call('LPUSH', key, packed(0, entry.base), packed(now, entry.sum))
        if entry.stored then call('LTRIM', key, '0', '1') end
        expire(entry, margin)
        return
      elseif entry.first > 1 or entry.future > 0 then
        call('LTRIM', key, entry.future, -entry.first)
      end
      call('LPUSH', key, packed(now, entry.sum))
      expire(entry, margin)
    end,
  }
end
