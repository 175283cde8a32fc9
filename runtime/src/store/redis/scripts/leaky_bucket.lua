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
      if limit.past and limit.past < limit.times then
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
    mark = mark_of_deficit,
    refund = function(cell, limit, now, receipt)
      -- It owed nothing but the charge.
      return refund_deficit(cell, limit, now, receipt, limit.cost)
    end,
    save = save_deficit,
  }
  if not in_turn then return leaky end
  return in_turn(
    leaky,
    function(cell, limit) return settled_at(cell, limit, limit.times) end,
    function(limit)
      -- It may owe nothing any more. The least there is stands for that: 0 is a whole token.
      if limit.whole == 0 and limit.part == 0 then return 1 end
      return limit.part
    end
  )
end
