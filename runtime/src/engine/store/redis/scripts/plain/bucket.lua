    -- Buckets. State: the missing tokens as `whole` (4 bytes) and `part` / W (6), as of `since`
    -- (7), how long it was full (5), and until when the key lives (6, milliseconds). A key lives
    -- twice as long as its debt asks for, and a second at least, so that most charges need not
    -- change its expiry.
    if (code == 4 or code == 6) and not is_writing then
      -- Tokens arrive continuously. Kept: the debt's `part`, or of a leaky bucket without debt what
      -- has drained past it in the last microsecond; until when the key lives; and how long the
      -- bucket was full.
      local capacity = quota
      if code == 6 then capacity = times end
      for i = first, last do
        local raw, whole, part, since, lives = raw_values[i], 0, 0, 0, 0
        local full = 0
        if raw and #raw >= 28 then
          whole, part, since, full, lives = read('>I4I6I7I5I6', raw)
          if #raw > 28 then raw_values[i] = raw:sub(1, 28) end
        else
          raw_values[i] = '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
        end
        local past = 0
        if since > now then
          -- The clock has stepped back: a debt from the future does not count.
          whole, part, lives = 0, 0, 0
        else
          local is_beyond = part >= IS_BEYOND
          if is_beyond then part = part - IS_BEYOND end
          if part >= HAS_HISTORY then
            part = part - HAS_HISTORY
            -- The charges that the bucket keeps. decide.lua drops the oldest ones. This is written
            -- out twice, because each call would create a function anew.
            local count = raw:byte(29) or MOST_CHARGES
            local last_byte = HISTORY_HEAD + count * CHARGE_WIDTH
            if count >= MOST_CHARGES or #raw < last_byte then return DECIDE end
            histories = histories or {}
            histories[i] = raw:sub(29, last_byte)
          end
          if whole >= capacity and not is_beyond then
            whole, part = capacity, 0
          end
          local elapsed, was_full = now - since, full
          local owed = whole * window + part
          if owed <= MAX_MICROS / 2 then
            -- The numbers are exact: what drains above 2^53 is more than is owed by far.
            local paid_after = (owed - fmod(owed, times)) / times
            owed = owed - elapsed * times
            if owed <= 0 then
              whole, part, past = 0, 0, -owed
              full = (full + elapsed - paid_after) % FULL_SPAN
            else
              part = owed % window
              -- `%` divides in floating point, which may round up to the next whole number.
              if part < 0 then part = part + window end
              whole = (owed - part) / window
            end
          else
            local rest = fmod(window, times)
            local paid_after, left = mul_div(rest, whole, times)
            left = left + part
            paid_after = paid_after + whole * ((window - rest) / times)
              + (left - fmod(left, times)) / times
            rest = fmod(elapsed, window)
            local more, drained = mul_div(rest, times, window)
            whole = whole - (elapsed - rest) / window * times - more
            part = part - drained
            if part < 0 then whole, part = whole - 1, part + window end
            if whole < 0 then
              past = times
              if whole == -1 then past = window - part end
              whole, part = 0, 0
            end
            if whole == 0 and part == 0 then
              full = (full + max(elapsed - paid_after, 0)) % FULL_SPAN
            end
          end
          -- The part that is carried over has not been lost.
          if code == 6 and past < times then full = was_full end
        end
        third_kept[i] = full
        second_kept[i] = lives
        if code == 4 then
          local missing = whole
          if part > 0 then missing = whole + 1 end
          room[i], first_kept[i] = quota - missing, part
        else
          -- A leaky bucket has room for one request, whatever its cost, or for none.
          room[i] = 0
          if whole == 0 and part == 0 then room[i] = 1 end
          if past >= times then past = 0 end
          first_kept[i] = past
        end
      end
    elseif code == 5 and not is_writing then
      -- Tokens arrive at the ends of windows. Kept: the time since the latest refill.
      for i = first, last do
        local raw, whole, phase, since, lives = raw_values[i], 0, 0, 0, 0
        local full = 0
        if raw and #raw >= 28 then
          local flag
          whole, flag, since, full, lives = read('>I4I6I7I5I6', raw)
          if flag > IS_BEYOND or flag == HAS_HISTORY then
            flag = flag - HAS_HISTORY
            local count = raw:byte(29) or MOST_CHARGES
            local last_byte = HISTORY_HEAD + count * CHARGE_WIDTH
            if count >= MOST_CHARGES or #raw < last_byte then return DECIDE end
            histories = histories or {}
            histories[i] = raw:sub(29, last_byte)
          end
          if flag == 0 and whole > quota then whole = quota end
          if #raw > 28 then raw_values[i] = raw:sub(1, 28) end
        else
          raw_values[i] = '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
        end
        local missing, elapsed = 0, now - since
        if elapsed < 0 then
          lives = 0
        elseif elapsed < window then
          missing, phase = whole, elapsed
        elseif whole > 0 then
          phase = fmod(elapsed, window)
          missing = whole - (elapsed - phase) / window * times
        end
        if missing <= 0 then
          missing, phase = 0, 0
          full = (full + max(elapsed - ceil(whole / times) * window, 0)) % FULL_SPAN
        end
        room[i], first_kept[i], second_kept[i] = quota - missing, phase, lives
        third_kept[i] = full
      end
    elseif code >= 4 then
      local millis_a_token = window / times / 1000
      for i = first, last do
        local cost = charged[i]
        if cost then
          local whole, part, since, need = quota - room[i], 0, now, 0
          if code == 4 then
            part = first_kept[i]
            need = whole * millis_a_token
            if part > 0 then whole = whole - 1 end
          elseif code == 5 then
            since = now - first_kept[i]
            need = ceil(whole / times) * window / 1000
          else
            -- The quota of a leaky bucket is the cost of a request here.
            local past = first_kept[i]
            whole = quota
            need = whole * millis_a_token
            if past > 0 then whole, part = whole - 1, window - past end
          end
          -- The time is a microsecond longer, because a leaky bucket carries over what drained in
          -- the last one. Whole intervals end exactly.
          if code ~= 5 then need = need + 1 end
          need = min(ceil(need), 4e12)
          local history = histories and histories[i]
          if history then
            -- The charge is kept with the others: they may still be settled, and it will not be.
            history = string.char(history:byte(1) + 1) .. history:sub(2)
              .. pack('>I7I2I4', now, IS_FINAL, cost)
            local ttl = need + KEPT_MILLIS + margin
            local state = pack('>I4I6I7I5I6', whole, part + HAS_HISTORY, since, third_kept[i],
              now_millis + ttl)
            call('SET', keys[i], state .. history, 'PX', format('%d', ttl))
          elseif second_kept[i] - now_millis >= need + margin then
            local debt = pack('>I4I6I7I5', whole, part, since, third_kept[i])
            call('SETRANGE', keys[i], '0', debt)
          else
            local ttl = max(2 * need, MIN_TTL) + margin
            local lives_until = now_millis + ttl
            local state = pack('>I4I6I7I5I6', whole, part, since, third_kept[i], lives_until)
            call('SET', keys[i], state, 'PX', format('%d', ttl))
          end
        end
      end
    end
