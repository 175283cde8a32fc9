-- Leaky bucket: one each W / T, evenly spaced; what drained past empty within the last
-- microsecond (less than T of W-ths of a token) is carried over.
if code == 6 then
  local leaky = {
    load = load_deficit,
    look = function(cell, limit, now)
      drain(cell, limit, limit.times, now)
    end,
    wait = function(limit)
      return drain_time(limit.whole, limit.part, limit)
    end,
    take = function(cell, limit, now)
      cell.drained = 0
      if limit.past and limit.past < limit.times then
        cell.drained = limit.past
        limit.whole, limit.part = limit.cost - 1, limit.window - limit.past
      else
        limit.whole, limit.part = limit.cost, 0
      end
      store_deficit(cell, limit, now)
    end,
    quota = function(limit)
      local reset = drain_time(limit.whole, limit.part, limit)
      if reset == 0 then return 1, 0 end
      return 0, reset
    end,
    -- How much of the charge has drained already, in W-ths of a token.
    mark = function(cell) return cell.drained end,
    refund = function(cell, limit, now, receipt)
      -- It owed nothing but the charge, less what had drained of that.
      local rest = fmod(receipt.mark, limit.window)
      local missing = limit.cost - (receipt.mark - rest) / limit.window
      receipt.mark = 0
      if rest > 0 then receipt.mark = limit.window - rest end
      return refund_deficit(cell, limit, now, receipt, missing)
    end,
    save = save_deficit,
  }
  if not in_turn then return leaky end
  return in_turn(
    leaky,
    function(cell, limit) return settled_at(cell, limit, limit.times) end,
    function(limit, cell, now)
      local drained = cell.drained + limit.times * (now - cell.since)
      return min(drained, limit.cost * limit.window)
    end
  )
end
