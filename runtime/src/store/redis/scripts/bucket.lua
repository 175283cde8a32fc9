-- What a bucket owes: missing tokens, `whole + part / W`, as of `since`.
-- State: whole (4 bytes), part (6), since (7).
local load_deficit, save_deficit, store_deficit, drain
local mark_of_deficit, refund_deficit, drain_time

-- 8 to 10 are 4 to 6 for a charge that has waited for its turn. It counts from the moment at which
-- the bucket was whole, but at most LATENESS back: who waits is woken late. A bucket that has been
-- whole for longer than IDLE has kept nobody waiting. `in_turn` makes an algorithm count so: `due`
-- says when the bucket was whole, `mark` what a receipt must say of the limit as it then stands.
local LATENESS, IDLE = 5000, 100000
local in_turn
if code >= 8 then
  code = code - 4
  in_turn = function(algorithm, due, mark)
    local take = algorithm.take
    algorithm.take = function(cell, limit, now)
      local late = now - due(cell, limit)
      if late > 0 and late <= IDLE then
        local from = now - min(late, LATENESS)
        algorithm.look(cell, limit, from)
        take(cell, limit, from)
        algorithm.look(cell, limit, now)
      else
        take(cell, limit, now)
      end
      cell.mark = mark(limit, cell, now)
    end
    algorithm.mark = function(cell) return cell.mark end
    return algorithm
  end
end

-- When a bucket of `capacity` owed nothing any more.
local settled_at

if code == 4 or code == 5 or code == 6 then
  load_deficit = function(key, raw)
    local whole, part, since = 0, 0, 0
    if raw and #raw >= 17 then whole, part, since = unpack('>I4I6I7', raw) end
    return { key = key, life = 0, save = false, whole = whole, part = part, since = since }
  end

  save_deficit = function(cell, now, margin)
    local state = pack('>I4I6I7', cell.whole, cell.part, cell.since)
    call('SET', cell.key, state, 'PX', ttl_text(cell.life, margin))
  end

  store_deficit = function(cell, limit, since)
    cell.whole, cell.part, cell.since = limit.whole, limit.part, since
  end

  -- What a bucket of `capacity` owes now. `past`: W-ths of a token drained past empty, less than
  -- one token's; nil if there are none or more.
  drain = function(cell, limit, capacity, now)
    limit.past = nil
    if cell.since > now then
      -- The clock has stepped back: what is from the future counts for nothing.
      limit.whole, limit.part = 0, 0
      return
    end
    local whole, part = cell.whole, cell.part
    if whole >= capacity then whole, part = capacity, 0 end
    local elapsed = now - cell.since
    local rest = fmod(elapsed, limit.window)
    local tokens = (elapsed - rest) / limit.window * limit.times
    local more, drained = mul_div(rest, limit.times, limit.window)
    whole, part = whole - tokens - more, part - drained
    if part < 0 then whole, part = whole - 1, part + limit.window end
    if whole < 0 then
      if whole == -1 then limit.past = limit.window - part end
      whole, part = 0, 0
    end
    limit.whole, limit.part = whole, part
  end

  mark_of_deficit = function(cell)
    return cell.part
  end

  -- Gives back of a charge what would still be owed of it, had nothing come after it. `missing`:
  -- what was owed right after it, rounded up; receipt.mark is the fraction. Less owed at cell.since
  -- is as much less owed now.
  refund_deficit = function(cell, limit, now, receipt, missing)
    if limit.whole == 0 and limit.part == 0 then return false end
    if receipt.mark > 0 then missing = missing - 1 end
    local left = { window = limit.window, times = limit.times }
    drain({ whole = missing, part = receipt.mark, since = receipt.at }, left, missing + 1, now)
    local whole, part = left.whole, left.part
    if whole >= limit.cost then whole, part = limit.cost, 0 end
    if whole == 0 and part == 0 then return false end
    whole, part = cell.whole - whole, cell.part - part
    if part < 0 then whole, part = whole - 1, part + limit.window end
    if whole < 0 then whole, part = 0, 0 end
    cell.whole, cell.part = whole, part
    return true
  end

  settled_at = function(cell, limit, capacity)
    local whole, part = cell.whole, cell.part
    if whole >= capacity then whole, part = capacity, 0 end
    return cell.since + drain_time(whole, part, limit)
  end

  -- How long `whole + part / W` tokens take to drain, rounded up and cut at FOREVER.
  drain_time = function(whole, part, limit)
    local rest = fmod(limit.window, limit.times)
    local per_token = (limit.window - rest) / limit.times
    local micros, left = mul_div(rest, whole, limit.times)
    micros = micros + whole * per_token + ceil_div(left + part, limit.times)
    return min(micros, FOREVER)
  end
end
