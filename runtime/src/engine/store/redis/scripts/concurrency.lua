-- Concurrency: the permits that are held, in a sorted set. A member is a permit's id (7 bytes) and
-- expiry (6, microseconds), its score the deadline. limit.times is `max`, limit.window the expiry
-- of a new permit.
if code == 7 then
  local function name_of(permit_id, expiry)
    return pack('>I7I6', permit_id, expiry)
  end

  local function text(number)
    return format('%.0f', number)
  end

  -- The member at an index in the order of deadlines, and its deadline.
  local function at(entry, index)
    local found = call('ZRANGE', entry.key, index, index, 'WITHSCORES')
    if #found == 0 then return nil, 0 end
    return found[1], tonumber(found[2])
  end

  local function too_far(name, deadline, now)
    local _, expiry = unpack('>I7I6', name)
    return deadline > now + expiry, now + expiry
  end

  local function expire(entry, _, margin)
    call('PEXPIRE', entry.key, ttl_text(entry.ttl, margin))
  end

  -- Lowers deadlines that lie further ahead than the permit's own expiry: the clock has stepped
  -- back. A permit granted since then has an earlier deadline, or came after this correction, so
  -- the last member tells whether a correction is needed.
  local function correct_deadlines(entry, now)
    local last
    last, entry.last = at(entry, -1)
    if not last or not too_far(last, entry.last, now) then return end
    local all = call('ZRANGE', entry.key, 0, -1, 'WITHSCORES')
    for i = 1, #all, 2 do
      local is_far, deadline = too_far(all[i], tonumber(all[i + 1]), now)
      if is_far then call('ZADD', entry.key, text(deadline), all[i]) end
    end
    has_written = true
    last, entry.last = at(entry, -1)
    entry.ttl, entry.save = max(entry.ttl, entry.last - now + 1), expire
  end

  -- Counts the permits that are held, then removes expired ones. The removal comes after the count
  -- and only if some are held: in a cluster slot that is being moved, an emptied key could not be
  -- read again.
  local function count(entry, now)
    entry.count, entry.last = call('ZCOUNT', entry.key, '(' .. text(now), '+inf'), 0
    if entry.count > 0 then
      call('ZREMRANGEBYSCORE', entry.key, '-inf', text(now))
      correct_deadlines(entry, now)
    end
  end

  return {
    has_permit_id = true,
    load = function(key, _, _, now)
      local entry = { key = key, ttl = 0, save = false, count = 0, last = 0, permit_id = 0 }
      count(entry, now)
      return entry
    end,
    peek = function() end,
    wait = function(limit, now, entry)
      if entry.count < limit.times then return 0 end
      -- The permit is held already.
      if call('ZSCORE', entry.key, name_of(limit.permit_id, limit.window)) then return 0 end
      -- Several permits must end first if `max` has been lowered.
      local _, deadline = at(entry, entry.count - limit.times)
      return max(deadline - now, 1)
    end,
    charge = function(entry, limit, now)
      local deadline = now + limit.window
      local name = name_of(limit.permit_id, limit.window)
      local is_new = call('ZADD', entry.key, text(deadline), name)
      if entry.count == 0 then
        -- Expired permits are still in the set.
        call('ZREMRANGEBYSCORE', entry.key, '-inf', text(now))
        is_new = 1
      end
      entry.count = entry.count + is_new
      entry.last, entry.permit_id = max(entry.last, deadline), limit.permit_id
      has_written = true
    end,
    availability = function(limit, now, entry)
      return max(limit.times - entry.count, 0), max(entry.last - now, 0)
    end,
    receipt_tag = function(entry)
      return entry.permit_id
    end,
    settle = function(entry, limit, now, receipt)
      local gone = call('ZREM', entry.key, name_of(receipt.tag, limit.window))
      if gone == 0 then return false end
      has_written = true
      if entry.count > 1 then
        count(entry, now)
      else
        -- The key is gone: in a cluster slot that is being moved, it could not be read again.
        entry.count, entry.last = 0, 0
      end
      return entry.count > 0
    end,
    save = expire,
  }
end
