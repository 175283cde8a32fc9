-- Fixed window. State: start (7 bytes), used (4).
if code == 3 then
  return {
    load = function(key, raw)
      local start, used = 0, 0
      if raw and #raw >= 11 then start, used = unpack('>I7I4', raw) end
      -- `was_start`: of the window that the key's life was set for, if there is one.
      return {
        key = key, life = 0, save = false,
        start = start, used = used, was_start = raw and start,
      }
    end,
    look = function(cell, limit, now)
      local elapsed = now - cell.start
      if elapsed >= 0 and elapsed < limit.window and cell.used > 0 then
        limit.used, limit.left = cell.used, limit.window - elapsed
      else
        limit.used, limit.left = 0, limit.window
      end
    end,
    wait = function(limit)
      if limit.used + limit.cost <= limit.times then return 0 end
      return limit.left
    end,
    take = function(cell, limit, now)
      if limit.used == 0 then cell.start = now end
      limit.used = limit.used + limit.cost
      cell.used = limit.used
    end,
    quota = function(limit)
      local used, times = limit.used, limit.times
      if used == 0 then return times, 0 end
      if used > times then return 0, limit.left end
      return times - used, limit.left
    end,
    mark = function(cell)
      return cell.start
    end,
    refund = function(cell, limit, now, receipt)
      if limit.used == 0 or cell.start ~= receipt.mark then return false end
      cell.used = max(limit.used - limit.cost, 0)
      return true
    end,
    save = function(cell, now, margin)
      local state = pack('>I7I4', cell.start, cell.used)
      if cell.start == cell.was_start then
        -- The same window has the same end.
        call('SET', cell.key, state, 'KEEPTTL')
      else
        call('SET', cell.key, state, 'PX', ttl_text(cell.life, margin))
      end
    end,
  }
end
