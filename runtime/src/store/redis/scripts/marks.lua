-- Marks, in a cluster alone. A call that names one key leaves a mark in it, by which it is known if
-- the client sends it again: a name (6 bytes) and when it came (4; milliseconds, from 0 again after
-- 2^32). Marks stand behind the state, oldest first; a log has them behind its last element. Holders
-- have none, whoever holds a place cannot take it twice.
if code == 0 then
  local WIDTH, MOST, SPAN = 10, 256, 4294967296 -- 2^32
  local LOG, HOLDERS = 1, 7
  -- How long the state is of each code; 0 is a block.
  local STATES = { [0] = 14, [2] = 15, [3] = 11, [4] = 17, [5] = 17, [6] = 17 }

  -- `life`: how long a mark counts, in milliseconds. `mark`: this call's name, if it leaves a mark.
  return function(raws, now, life, mark, margin)
    local tails, codes = {}, {}
    local moment = fmod(floor(now / 1000), SPAN)

    -- A key's last element, if it is a log's.
    local function last_of(key)
      if codes[key] == LOG then return call('LINDEX', key, '-1') end
    end

    -- The marks that count still, or are from the future: the clock has stepped back.
    local function fresh(tail)
      local first = 1
      while first < #tail do
        local age = (moment - unpack('>I4', tail, first + 6)) % SPAN
        if age < life or age > SPAN / 2 then break end
        first = first + WIDTH
      end
      return tail:sub(first)
    end

    local function strip(index, code)
      local key, raw, width = KEYS[index], raws[index], STATES[code]
      codes[key] = code
      if raw and width and #raw > width and fmod(#raw - width, WIDTH) == 0 then
        tails[key], raws[index] = raw:sub(width + 1), raw:sub(1, width)
      end
    end

    local function attach(key, tail)
      tail = fresh(tail)
      if mark and codes[key] ~= HOLDERS then tail = tail .. mark .. pack('>I4', moment) end
      if #tail == 0 then return end
      tail = tail:sub(-MOST * WIDTH)
      local last = last_of(key)
      if last then
        call('LSET', key, '-1', last:sub(1, 9) .. tail)
      else
        call('APPEND', key, tail)
      end
      if call('PTTL', key) < life then call('PEXPIRE', key, format('%d', life)) end
    end

    return {
      -- Takes them off what was read.
      strip = strip,
      -- Whether this call was carried out before. It names one key.
      has_own = function(code)
        strip(1, code)
        local tail = tails[KEYS[1]]
        local last = last_of(KEYS[1])
        if last then tail = last:sub(10) end
        if not tail then return false end
        local at = tail:find(mark, 1, true)
        while at and fmod(at - 1, WIDTH) > 0 do at = tail:find(mark, at + 1, true) end
        return at ~= nil
      end,
      -- Whether a key may not be deleted for them.
      keep = function(key)
        return mark or tails[key]
      end,
      save = function(cell)
        local key = cell.key
        local tail = tails[key] or ''
        local last = last_of(key)
        if last then tail = last:sub(10) end
        if cell.save and last and cell.is_dropped and (mark or #fresh(tail) > 0) then
          -- What a log says without admissions is nothing, but for the marks.
          call('LTRIM', key, '-1', '-1')
        elseif cell.save then
          cell.save(cell, now, margin)
        end
        attach(key, tail)
      end,
    }
  end
end
