-- Marks, in a cluster alone. A call of one key, as is made while the key's slot is being moved,
-- leaves a mark there, by which it is known if the client sends it again: a name (6 bytes) and when
-- it came (4; milliseconds, from 0 again after 2^32). Marks stand behind the state, oldest first; a
-- log has them behind its last element. Permits have none: nobody holds one twice. Calls of several
-- keys read past marks and write without them: by then the slot is whole again.
if code == 0 then
  local WIDTH, MOST, SPAN = 10, 256, 4294967296 -- 2^32
  local LOG, PERMITS, ENTRY = 1, 7, 9
  -- How long the state of each code is; 0 is a block.
  local STATES = {
    [0] = 14, [2] = 15, [3] = 11, [4] = 17, [5] = 17, [6] = 17, [8] = 17, [9] = 17, [10] = 17,
  }

  -- Those behind the key's value `raw`, of the algorithm `of`, and `mark`, which is added by
  -- `save`. `life`: how long a mark counts, in milliseconds.
  return function(raw, now, life, mark, of)
    local key, tail = KEYS[1], ''
    local moment = fmod(floor(now / 1000), SPAN)
    if of == LOG then
      local last = call('LINDEX', key, '-1')
      if last then tail = last:sub(ENTRY + 1) end
    elseif raw and STATES[of] then
      tail = raw:sub(STATES[of] + 1)
    end

    -- The marks that count still, or are from the future: the clock has stepped back.
    local function fresh()
      local first = 1
      while first < #tail do
        local age = (moment - unpack('>I4', tail, first + 6)) % SPAN
        if age < life or age > SPAN / 2 then break end
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
      -- Writes what has changed, and the marks behind it.
      save = function(cell, margin)
        if cell.is_dropped then
          -- A log without admissions says nothing, but it carries the marks.
          call('LTRIM', key, '-1', '-1')
        elseif cell.save then
          cell.save(cell, now, margin)
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
        if call('PTTL', key) < life then call('PEXPIRE', key, format('%d', life)) end
      end,
    }
  end
end
