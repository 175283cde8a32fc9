-- Marks, in a cluster alone. A call of one key is sent while the key's slot is being moved. It has
-- no room for an idempotency key, so it leaves a mark in the counter's value, by which a repeated
-- call is recognised: a random id (6 bytes) and when the call came (4 bytes; milliseconds, modulo
-- 2^32). Marks follow the state, oldest first; in a log they follow the last element. Permits need
-- none, because a permit id is charged once. Calls of several keys ignore marks, and most of them
-- write without them: their slot is usually not being moved. If one of them writes between a call
-- and its repetition, the repetition finds no mark and is carried out once more.
if code == 0 then
  local WIDTH, MOST, SPAN = 10, 256, 4294967296 -- 2^32
  local LOG, PERMITS, ENTRY = 1, 7, 9
  -- The length of each code's state in bytes; code 0 is a block.
  local STATES = {
    [0] = 29, [2] = 15, [3] = 11, [4] = 28, [5] = 28, [6] = 28, [8] = 28, [9] = 28, [10] = 28,
    [11] = 11,
  }

  -- The marks behind the value `raw` of the algorithm `of`, and this call's `mark`, which `save`
  -- adds. `memory`: how long a mark counts, in milliseconds.
  return function(raw, now, memory, mark, of)
    local key, tail = KEYS[1], ''
    local moment = fmod(floor(now / 1000), SPAN)
    if of == LOG then
      local last = call('LINDEX', key, '-1')
      if last then tail = last:sub(ENTRY + 1) end
    elseif raw and STATES[of] then
      local length = STATES[of]
      -- The flag of a bucket with a history is a bit of the fifth byte.
      if length == 28 and #raw > 28 and raw:byte(5) % 128 >= 64 then
        length = length + length_of_history(raw)
      end
      tail = raw:sub(length + 1)
    end

    -- The marks that still count. Marks from the future do as well: the clock has stepped back.
    local function fresh()
      local first = 1
      while first < #tail do
        local age = (moment - unpack('>I4', tail, first + 6)) % SPAN
        if age < memory or age > SPAN / 2 then break end
        first = first + WIDTH
      end
      return tail:sub(first)
    end

    local function has_own()
      for at = 1, #tail, WIDTH do
        if tail:sub(at, at + 5) == mark then return true end
      end
      return false
    end

    return {
      -- Whether this call was carried out before.
      has_own = has_own(),
      -- Writes the changed state and the marks behind it.
      save = function(entry, margin)
        if entry.is_dropped then
          -- A log without admissions counts nothing, but carries the marks.
          call('LTRIM', key, '-1', '-1')
        elseif entry.save then
          entry.save(entry, now, margin)
        elseif not has_written then
          return
        end
        if of == PERMITS then return end
        local marks = (fresh() .. mark .. pack('>I4', moment)):sub(-MOST * WIDTH)
        if of == LOG then
          local last = call('LINDEX', key, '-1')
          if last then call('LSET', key, '-1', last:sub(1, ENTRY) .. marks) end
        else
          call('APPEND', key, marks)
        end
        if call('PTTL', key) < memory then call('PEXPIRE', key, format('%d', memory)) end
      end,
    }
  end
end
