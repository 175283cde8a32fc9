-- Fixed window. State: start (7 bytes), used (4).
if code == 3 then
  return {
    load = function(key, raw)
      local start, used = 0, 0
      if raw and #raw >= 11 then start, used = unpack('>I7I4', raw) end
      -- `was_start`: the start of the window for which the key's expiry was set, if there is one.
      return {
        key = key, ttl = 0, save = false,
        start = start, used = used, was_start = raw and start,
      }
    end,
    peek = function(entry, limit, now)
      local elapsed = now - entry.start
      if elapsed >= 0 and elapsed < limit.window and entry.used > 0 then
        limit.used, limit.left = entry.used, limit.window - elapsed
      else
        limit.used, limit.left = 0, limit.window
      end
    end,
    wait = function(limit)
      if limit.used + limit.cost <= limit.times then return 0 end
      return limit.left
    end,
    charge = function(entry, limit, now)
      if limit.used == 0 then entry.start = now end
      limit.used = min(limit.used + limit.cost, MOST)
      entry.used = limit.used
    end,
    availability = function(limit)
      local used, times = limit.used, limit.times
      if used == 0 then return times, 0 end
      if used > times then return 0, limit.left end
      return times - used, limit.left
    end,
    receipt_tag = function(entry)
      return entry.start
    end,
    settle = function(entry, limit, now, receipt)
      if limit.used == 0 or entry.start ~= receipt.tag then return false end
      entry.used = min(max(limit.used - limit.cost, 0), MOST)
      return true
    end,
    save = function(entry, now, margin)
      local state = pack('>I7I4', entry.start, entry.used)
      if entry.start == entry.was_start then
        -- The window has not changed, and neither has its end: the expiry stays.
        call('SET', entry.key, state, 'KEEPTTL')
      else
        call('SET', entry.key, state, 'PX', ttl_text(entry.ttl, margin))
      end
    end,
  }
end
