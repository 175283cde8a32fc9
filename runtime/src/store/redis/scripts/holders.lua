-- Who holds places. A sorted set: deadline by holder (7 bytes) and that holder's expiry (6), in
-- microseconds: limit.times is how many may, limit.window the expiry of whoever comes.
if code == 7 then
  local function name_of(holder, expiry)
    return pack('>I7I6', holder, expiry)
  end

  local function text(number)
    return format('%.0f', number)
  end

  -- The holder at a place in the order of deadlines, with its deadline.
  local function at(cell, place)
    local found = call('ZRANGE', cell.key, place, place, 'WITHSCORES')
    if #found == 0 then return nil, 0 end
    return found[1], tonumber(found[2])
  end

  local function too_far(name, deadline, now)
    local _, expiry = unpack('>I7I6', name)
    return deadline > now + expiry, now + expiry
  end

  local function expire(cell, _, margin)
    call('PEXPIRE', cell.key, ttl_text(cell.life, margin))
  end

  -- Brings down what lies further ahead than its own expiry: the clock has stepped back. Whoever
  -- came since stands behind it or came after this was done, so one look shows whether there is
  -- any.
  local function settle(cell, now)
    local last
    last, cell.last = at(cell, -1)
    if not last or not too_far(last, cell.last, now) then return end
    local all = call('ZRANGE', cell.key, 0, -1, 'WITHSCORES')
    for i = 1, #all, 2 do
      local is_far, deadline = too_far(all[i], tonumber(all[i + 1]), now)
      if is_far then call('ZADD', cell.key, text(deadline), all[i]) end
    end
    has_written = true
    last, cell.last = at(cell, -1)
    cell.life, cell.save = max(cell.life, cell.last - now + 1), expire
  end

  -- Counts who holds a place, and lets go of what has reached its deadline: after the count, and
  -- only beside others, as a key that is emptied in a slot that is being moved cannot be looked at
  -- again.
  local function count(cell, now)
    cell.count, cell.last = call('ZCOUNT', cell.key, '(' .. text(now), '+inf'), 0
    if cell.count > 0 then
      call('ZREMRANGEBYSCORE', cell.key, '-inf', text(now))
      settle(cell, now)
    end
  end

  return {
    has_holder = true,
    load = function(key, _, _, now)
      local cell = { key = key, life = 0, save = false, count = 0, last = 0, holder = 0 }
      count(cell, now)
      return cell
    end,
    look = function() end,
    wait = function(limit, now, cell)
      if cell.count < limit.times then return 0 end
      -- Who holds a place has one.
      if call('ZSCORE', cell.key, name_of(limit.holder, limit.window)) then return 0 end
      -- More than one must go where `max` has been lowered.
      local _, deadline = at(cell, cell.count - limit.times)
      return max(deadline - now, 1)
    end,
    take = function(cell, limit, now)
      local deadline = now + limit.window
      local name = name_of(limit.holder, limit.window)
      local is_new = call('ZADD', cell.key, text(deadline), name)
      if cell.count == 0 then
        -- Holders past their deadline are still there.
        call('ZREMRANGEBYSCORE', cell.key, '-inf', text(now))
        is_new = 1
      end
      cell.count = cell.count + is_new
      cell.last, cell.holder = max(cell.last, deadline), limit.holder
      has_written = true
    end,
    quota = function(limit, now, cell)
      return max(limit.times - cell.count, 0), max(cell.last - now, 0)
    end,
    mark = function(cell)
      return cell.holder
    end,
    refund = function(cell, limit, now, receipt)
      local gone = call('ZREM', cell.key, name_of(receipt.mark, limit.window))
      if gone == 0 then return false end
      has_written = true
      if cell.count > 1 then
        count(cell, now)
      else
        -- The key is gone: in a slot that is being moved, it could not be looked at again.
        cell.count, cell.last = 0, 0
      end
      return cell.count > 0
    end,
    save = expire,
  }
end
