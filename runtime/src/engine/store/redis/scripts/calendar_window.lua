-- Calendar window: the period of the calendar that contains now. State: latest (7 bytes), used (4):
-- when the latest charge was made, and what was charged in its period. Periods begin at whole
-- seconds: what is below a second in `latest` is that of the first charge, and tells this counter
-- from one that began after a reset.
if code == 11 then
  return {
    -- Reads the boundaries that follow the limit in the argument, and picks the period that
    -- contains now: the caller, whose clock is another one, cannot know which one it is. It knows
    -- the zone's rules: the period in which it believes to be, the one before and the one after.
    -- Beyond those, every period counts as long as the nearest one.
    read_period = function(limit, now, checks, at)
      local start, before, length, after
      start, before, length, after, limit.kept, at = unpack('>I7I6I6I6I6', checks, at)
      local finish = start + before
      if now >= finish then start, finish = finish, finish + length end
      if now >= finish then start, finish = finish, finish + after end
      if now >= finish then
        start = now - fmod(now - start, after)
        finish = start + after
      elseif now < start then
        start = start - ceil_div(start - now, before) * before
        finish = start + before
      end
      limit.start, limit.finish = start, finish
      return at
    end,
    load = function(key, raw)
      local latest, used = 0, 0
      if raw and #raw >= 11 then latest, used = unpack('>I7I4', raw) end
      return { key = key, ttl = 0, save = false, latest = latest, used = used, kept = 0 }
    end,
    peek = function(entry, limit, now)
      local latest = entry.latest
      limit.left = limit.finish - now
      if latest >= limit.start and latest < limit.finish then
        limit.used = entry.used
      else
        limit.used = 0
      end
    end,
    wait = function(limit)
      if limit.used + limit.cost <= limit.times then return 0 end
      return limit.left
    end,
    charge = function(entry, limit, now)
      if limit.used == 0 then
        entry.latest = now
      else
        local latest = max(entry.latest, now)
        entry.latest = latest - fmod(latest, 1000000) + fmod(entry.latest, 1000000)
      end
      limit.used = min(limit.used + limit.cost, MOST)
      entry.used, entry.kept = limit.used, limit.kept
    end,
    availability = function(limit)
      local used, times = limit.used, limit.times
      if used == 0 then return times, 0 end
      return max(times - used, 0), limit.left
    end,
    receipt_tag = function(entry) return fmod(entry.latest, 1000000) end,
    settle = function(entry, limit, now, receipt)
      if limit.used == 0 or receipt.at < limit.start or receipt.at >= limit.finish
        or receipt.tag ~= fmod(entry.latest, 1000000) then
        return false
      end
      entry.used, entry.kept = min(max(limit.used - limit.cost, 0), MOST), limit.kept
      return true
    end,
    -- The key is kept beyond the period's end, which may be later once the limit has another time
    -- zone.
    save = function(entry, now, margin)
      local state = pack('>I7I4', entry.latest, entry.used)
      call('SET', entry.key, state, 'PX', ttl_text(entry.ttl + entry.kept, margin))
    end,
  }
end
