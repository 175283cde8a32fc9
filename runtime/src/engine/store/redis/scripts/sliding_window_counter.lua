-- Sliding window counter. State: start of the current window, and the mark (7 bytes); current (4);
-- previous (4). The mark tells a counter from one that began after a reset: how far into its window
-- its first charge came. It is added to the start, which is a multiple of the window.
if code == 2 then
  -- The weighted count of the previous window, rounded up.
  local function weight(limit)
    if limit.left == limit.window then return limit.previous end
    local whole, rest = mul_div(limit.left, limit.previous, limit.window)
    if rest > 0 then return whole + 1 end
    return whole
  end

  -- The part of a window that `room` of `full` requests takes, rounded down; room < full.
  local function share(room, window, full)
    local rest = fmod(window, full)
    local whole = (window - rest) / full
    local part = mul_div(rest, room, full)
    return room * whole + part
  end

  -- The start of the current window.
  local function start_of(limit, now)
    return now - limit.window + limit.left
  end

  local function store(entry, limit, now)
    entry.start, entry.current, entry.previous = start_of(limit, now), limit.current, limit.previous
  end

  return {
    load = function(key, raw, limit)
      local start, current, previous = 0, 0, 0
      if raw and #raw >= 15 then start, current, previous = unpack('>I7I4I4', raw) end
      local mark = fmod(start, limit.window)
      start = start - mark
      -- `lives_on`: the current window when the key's expiry was set, if there is one. Within that
      -- window the expiry stays right.
      return {
        key = key, ttl = 0, save = false,
        start = start, mark = mark, current = current, previous = previous,
        lives_on = current > 0 and start,
      }
    end,
    peek = function(entry, limit, now)
      local elapsed = fmod(now, limit.window)
      local start = now - elapsed
      if entry.start == start then
        limit.current, limit.previous = entry.current, entry.previous
      elseif entry.start + limit.window == start then
        limit.current, limit.previous = 0, entry.current
      else
        limit.current, limit.previous = 0, 0
      end
      limit.left = limit.window - elapsed
    end,
    wait = function(limit)
      if weight(limit) + limit.current + limit.cost <= limit.times then return 0 end
      local room = limit.times - limit.current - limit.cost
      if room >= 0 then return limit.left - share(room, limit.window, limit.previous) end
      return limit.left + limit.window
        - share(limit.times - limit.cost, limit.window, limit.current)
    end,
    charge = function(entry, limit, now)
      -- If nothing counts any more, it is a new counter.
      if limit.current == 0 and limit.previous == 0 then entry.mark = limit.window - limit.left end
      limit.current = min(limit.current + limit.cost, MOST)
      store(entry, limit, now)
    end,
    availability = function(limit)
      local remaining = max(limit.times - weight(limit) - limit.current, 0)
      if limit.current > 0 then return remaining, limit.left + limit.window end
      if limit.previous > 0 then return remaining, limit.left end
      return remaining, 0
    end,
    receipt_tag = function(entry)
      return entry.mark
    end,
    settle = function(entry, limit, now, receipt)
      if receipt.tag ~= entry.mark then return false end
      local start = receipt.at - fmod(receipt.at, limit.window)
      if start == start_of(limit, now) and limit.current > 0 then
        limit.current = min(max(limit.current - limit.cost, 0), MOST)
      elseif start + limit.window == start_of(limit, now) and limit.previous > 0 then
        limit.previous = min(max(limit.previous - limit.cost, 0), MOST)
      else
        return false
      end
      store(entry, limit, now)
      return true
    end,
    save = function(entry, now, margin)
      local state = pack('>I7I4I4', entry.start + entry.mark, entry.current, entry.previous)
      if entry.lives_on == entry.start then
        call('SET', entry.key, state, 'KEEPTTL')
      else
        call('SET', entry.key, state, 'PX', ttl_text(entry.ttl, margin))
      end
    end,
  }
end
