-- Functions that few calls need. They are created once in a call that needs one of them: everything
-- that a script defines is created again by each call.
local function define_rare()
  -- The time that a block still lasts; 0: not blocked. State: start (7 bytes), until (7), the
  -- offences in a row (1); and for the people who look at it, of the limit of the latest offence
  -- the number of lengths (1) and the length of the next block (6); then until when the offences
  -- are remembered (7). A block's key differs from every counter's.
  local function blocked(index)
    local entry = entries[index]
    if entry == nil then
      entry = {
        key = KEYS[index], save = false, start = 0, until_ = 0, offences = 0,
        steps = 0, following = 0, kept_until = 0,
      }
      local raw = raw_values[index]
      if raw and #raw >= 29 then
        entry.start, entry.until_, entry.offences, entry.steps, entry.following, entry.kept_until =
          unpack('>I7I7BBI6I7', raw)
      end
      entries[index] = entry
    end
    -- A block from the future does not count: the clock has stepped back.
    if entry.start > now then return 0 end
    return max(entry.until_ - now, 0)
  end

  local function save_block(entry)
    local state = pack('>I7I7BBI6I7', entry.start, entry.until_, entry.offences, entry.steps,
      entry.following, entry.kept_until)
    call('SET', entry.key, state, 'PX', ttl_text(entry.kept_until - now, margin))
    if not block_marker then return end
    local marked = raw_values[#KEYS]
    if marked and #marked >= 7 and unpack('>I7', marked) >= entry.until_ then return end
    -- The marker outlives the block, whose key may expire a moment later.
    marked = pack('>I7', entry.until_)
    raw_values[#KEYS] = marked
    call('SET', block_marker, marked, 'PX', ttl_text(entry.until_ - now, 2 * margin))
  end

  -- Starts a block and returns its length. With `steps`, it is an offence: each further one lasts
  -- for the next of these lengths. It is remembered for as long as the last, and longest, of them
  -- after the block. Without `steps`, the offences stay as they are. The twin of `block.rs` in
  -- `decide/`.
  local function start_block(index, length, steps)
    blocked(index)
    local known = entries[index]
    local offences, kept, count, following = known.offences, 0, known.steps, known.following
    if known.start > now or now >= known.kept_until then offences = 0 end
    if steps then
      count, kept = #steps, steps[#steps]
      if now >= known.until_ + kept then offences = 0 end
      -- Two limits of one decision may start it: that is one offence.
      if known.start ~= now or offences == 0 then offences = min(offences + 1, 255) end
      length, following = steps[min(offences, count)], steps[min(offences + 1, count)]
    elseif offences > 0 then
      kept = max(known.kept_until - now - length, 0)
    else
      count, following = 0, 0
    end
    entries[index] = {
      key = known.key, save = save_block, start = now, until_ = now + length,
      offences = offences, steps = count, following = following,
      kept_until = now + length + kept,
    }
    return length
  end

  -- Reads what remains of the limit, and when it is whole again, into the limit.
  local function availability_of(limit)
    limit.remaining, limit.reset = limit.algorithm.availability(limit, now, limit.entry)
    if limit.blocked > 0 then
      limit.remaining, limit.reset = 0, max(limit.reset, limit.blocked)
    end
  end

  local function drop(entry)
    call('DEL', entry.key)
  end

  -- Changes the cost of a charge, to nothing or to another one.
  local function settle(limit, receipt)
    local entry, algorithm, cost = limit.entry, limit.algorithm, limit.cost
    local kept, is_changed = entry.history, nil
    limit.cost = receipt.from - receipt.to
    if limit.cost == 0 and not kept then
      limit.cost = cost
      return
    end
    algorithm.peek(entry, limit, now)
    if kept then is_changed = define_history().settle(limit, receipt) end
    if is_changed == nil then
      entry.history = nil
      is_changed = limit.cost ~= 0 and algorithm.settle(entry, limit, now, receipt)
    end
    limit.cost = cost
    if not is_changed and kept == entry.history then return end
    algorithm.peek(entry, limit, now)
    local _, reset = algorithm.availability(limit, now, entry)
    if reset == 0 and not marks and not entry.history then
      entry.save = drop
    else
      entry.ttl, entry.save = max(entry.ttl, reset + 1), algorithm.save
    end
  end

  -- The cost that may be leased. A lease opens no fixed window: only a request does.
  local function lease(limit)
    availability_of(limit)
    if limit.used == 0 then return 0 end
    return min(limit.cost, floor(limit.remaining / LEASE_SHARE))
  end

  -- Reports a limit that was not charged: after a denial, a peek or a cost of 0. Starts the block
  -- that a denial begins.
  local function leave_unchanged(limit, charges, allowed)
    availability_of(limit)
    -- A call of one key names no block.
    if limit.block > 0 and limit.block_index > 0 and limit.blocked == 0 and limit.wait > 0
      and allowed == limit.shadow and charges then
      local length = start_block(limit.block_index, limit.block, limit.steps)
      limit.blocked = length
      limit.remaining, limit.reset = 0, max(limit.reset, length)
      limit.wait = max(limit.wait, length)
    end
  end

  -- The time for which a denial by this limit stays the same by itself: until more remains or a
  -- block ends. Times that only count down are not a change.
  local function stable_for(limit)
    if limit.blocked > 0 then return limit.blocked end
    -- A permit may be released at any moment.
    if limit.algorithm.has_permit_id then
      if limit.wait > 0 and not limit.shadow then return 0 end
      return MAX_MICROS
    end
    if limit.remaining >= limit.quota then return MAX_MICROS end
    local cost = limit.cost
    limit.cost = limit.remaining + 1
    local wait = limit.algorithm.wait(limit, now, limit.entry)
    limit.cost = cost
    -- A leaky bucket never holds more than one.
    if wait == 0 then return MAX_MICROS end
    return wait
  end

  return {
    blocked = blocked, start_block = start_block, settle = settle,
    lease = lease, leave_unchanged = leave_unchanged, stable_for = stable_for,
  }
end
