-- Sliding window: an exact log. A list, newest first, of nine bytes each: the time (52 bits, until
-- the year 2112, then again from 0) and the running sum of costs (20 bits; a window holds at most
-- 10^6). The last element is no admission: its sum is the one before the oldest. What has left the
-- window is trimmed with the next charge, all but the youngest of it, which becomes the last
-- element.
local LOW_SPAN, TIME_SPAN, SUM_SPAN = 281474976710656, 4503599627370496, 1048576 -- 2^48, 2^52, 2^20

if code == 1 then
  local function packed(time, sum)
    local low = time % LOW_SPAN
    local high = (time % TIME_SPAN - low) / LOW_SPAN
    return pack('>I6I3', low, high * SUM_SPAN + sum)
  end

  local function entry(cell, index)
    local low, rest = unpack('>I6I3', call('LINDEX', cell.key, index))
    local sum = rest % SUM_SPAN
    return low + (rest - sum) / SUM_SPAN * LOW_SPAN, sum
  end

  -- Negative for entries from the future.
  local function age(time, now)
    local age = (now - time) % TIME_SPAN
    if age >= TIME_SPAN / 2 then return age - TIME_SPAN end
    return age
  end

  -- The first of low..high for which `inside` is true, looked for from the low end in steps that
  -- double: what is looked for is usually near. high + 1 if there is none.
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

  -- Entries are named by how old they are: 1 is the oldest admission, cell.count the newest. In the
  -- list, counted from its end, -1 is the base and -1 - i is entry i.
  local function load_log(key, window, now)
    local count = call('LLEN', key) - 1
    local cell = {
      key = key, life = 0, save = false, added = false, is_dropped = false, future = 0,
      stored = count >= 0, count = count, first = 1, base = 0, sum = 0, oldest = 0,
    }
    if count < 1 then
      -- Nothing, or a base alone, which says nothing.
      cell.count = 0
      return cell
    end
    local newest = count
    local time, sum = entry(cell, 0)
    if age(time, now) < 0 then
      -- The clock has stepped back: what is from the future counts for nothing.
      newest = cell.count - gallop(0, cell.count - 1, function(index)
        return age(entry(cell, index), now) >= 0
      end)
      sum = nil
    end
    -- 0 is the base, so `first` is at least 1.
    cell.first = gallop(1, newest, function(index)
      local time = entry(cell, -1 - index)
      if age(time, now) >= window then return false end
      -- The last one that is found inside is the first that is.
      cell.oldest = time
      return true
    end)
    local _
    _, cell.base = entry(cell, -cell.first)
    if sum == nil then _, sum = entry(cell, -1 - newest) end
    cell.future = cell.count - newest
    cell.count, cell.sum = newest, sum
    return cell
  end

  local function used(cell)
    return (cell.sum - cell.base) % SUM_SPAN
  end

  local function drop(cell)
    call('DEL', cell.key)
  end

  -- Lowers what was admitted at one time. Entries of one time leave the window together, so nobody
  -- can tell which of them was the charge: one stays for what is left of them all. The sums of
  -- newer entries are lowered with it, which takes time for each of them: refunds follow soon on
  -- their charges. The list is left with its life, which is long enough.
  local function refund_entries(cell, limit, now, receipt)
    local ago = now - receipt.at
    -- What is from the future counts for nothing now, but may again: it is left alone.
    if cell.future > 0 or ago < 0 or ago >= limit.window then return end
    local function age_of(index)
      return age(entry(cell, index), now)
    end
    -- Counted in the list, newest first: those of that time are newest..older - 1.
    local last = cell.count - cell.first
    local newest = gallop(0, last, function(index) return age_of(index) >= ago end)
    local older = gallop(newest, last, function(index) return age_of(index) > ago end)
    if newest == older then return end
    local _, sum = entry(cell, newest)
    local _, before = entry(cell, older)
    local taken = (sum - before) % SUM_SPAN
    local given = min(taken, limit.cost)
    local oldest_kept = newest
    if taken == given then oldest_kept = newest - 1 end
    local kept = {}
    for index = oldest_kept, 0, -1 do
      local time, sum = entry(cell, index)
      kept[#kept + 1] = packed(time, (sum - given) % SUM_SPAN)
    end
    call('LTRIM', cell.key, older, -1)
    has_written = true
    for _, element in ipairs(kept) do call('LPUSH', cell.key, element) end
    cell.count = cell.count - older + #kept
    cell.sum = (cell.sum - given) % SUM_SPAN
    if cell.count < cell.first and not cell.added then
      cell.count, cell.first, cell.save, cell.is_dropped = 0, 1, drop, true
    end
    if cell.first <= cell.count then cell.oldest = entry(cell, -1 - cell.first) end
  end

  return {
    load = function(key, _, limit, now)
      -- The window is part of the key, so what was read for one limit holds for all.
      return load_log(key, limit.window, now)
    end,
    look = function() end,
    wait = function(limit, now, cell)
      local excess = used(cell) + limit.cost - limit.times
      if excess <= 0 then return 0 end
      -- Room is made when the first entry that brings the sum up to the excess leaves. Each has
      -- brought something.
      local leaving = cell.first
      if excess > 1 then
        leaving = gallop(leaving, cell.count, function(index)
          local _, sum = entry(cell, -1 - index)
          return (sum - cell.base) % SUM_SPAN >= excess
        end)
      end
      -- Past what is stored: what this very call has added.
      if leaving > cell.count then return limit.window end
      local time = cell.oldest
      if leaving > cell.first then time = entry(cell, -1 - leaving) end
      return limit.window - age(time, now)
    end,
    take = function(cell, limit)
      cell.sum, cell.added, cell.is_dropped = (cell.sum + limit.cost) % SUM_SPAN, true, false
    end,
    quota = function(limit, now, cell)
      local remaining = max(limit.times - used(cell), 0)
      if cell.added then return remaining, limit.window end
      if cell.count < cell.first then return remaining, 0 end
      return remaining, limit.window - age(entry(cell, -1 - cell.count), now)
    end,
    mark = function()
      return 0
    end,
    refund = function(cell, limit, now, receipt)
      refund_entries(cell, limit, now, receipt)
      return false -- written already
    end,
    save = function(cell, now, margin)
      local key = cell.key
      if cell.count == 0 then
        -- Old entries go last: in a slot that is being moved, an emptied key could not be made anew
        -- where it was.
        call('LPUSH', key, packed(0, cell.base), packed(now, cell.sum))
        if cell.stored then call('LTRIM', key, '0', '1') end
        call('PEXPIRE', key, ttl_text(cell.life, margin))
        return
      elseif cell.first > 1 or cell.future > 0 then
        call('LTRIM', key, cell.future, -cell.first)
      end
      call('LPUSH', key, packed(now, cell.sum))
      call('PEXPIRE', key, ttl_text(cell.life, margin))
    end,
  }
end
