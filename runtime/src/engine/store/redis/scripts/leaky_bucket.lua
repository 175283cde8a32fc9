-- Leaky bucket: one admission each W / T, evenly spaced. Times are whole microseconds and W / T
-- need not be, so what drained past empty within the last microsecond (less than T W-ths of a
-- token) is carried over to the next charge.
if code == 6 then
  local leaky = {
    load = load_debt,
    peek = function(entry, limit, now)
      drain(entry, limit, limit.times, now)
    end,
    wait = function(limit)
      return drain_time(limit.whole, limit.part, limit)
    end,
    charge = function(entry, limit, now)
      entry.drained = 0
      if limit.whole > 0 or limit.part > 0 then
        -- A forced charge adds to the debt.
        limit.whole = limit.whole + limit.cost
      elseif limit.past and limit.past < limit.times then
        entry.drained = limit.past
        limit.whole, limit.part = limit.cost - 1, limit.window - limit.past
      else
        entry.full = full_at(entry, limit, limit.times, now)
        limit.whole, limit.part = limit.cost, 0
      end
      store_debt(entry, limit.whole, limit.part, now, limit.times)
    end,
    availability = function(limit)
      local reset = drain_time(limit.whole, limit.part, limit)
      if reset == 0 then return 1, 0 end
      return 0, reset
    end,
    -- The part of the charge that has drained already, in W-ths of a token.
    receipt_tag = function(entry) return entry.drained end,
    settle = function(entry, limit, now, receipt)
      -- The bucket owed only this charge, less what had drained of it already.
      local rest = fmod(receipt.tag, limit.window)
      local missing = max(receipt.from - (receipt.tag - rest) / limit.window, 0)
      receipt.tag = 0
      if rest > 0 and missing > 0 then receipt.tag = limit.window - rest end
      local own = missing
      if receipt.tag > 0 then own = own - 1 end
      return settle_debt(entry, limit, now, receipt, limit.times, missing, own, receipt.tag)
    end,
    save = save_debt,
  }
  if not in_turn then return leaky end
  return in_turn(
    leaky,
    function(entry, limit) return paid_at(entry, limit, limit.times) end,
    function(limit, entry, now)
      local drained = entry.drained + limit.times * (now - entry.since)
      return min(drained, limit.cost * limit.window)
    end
  )
end
