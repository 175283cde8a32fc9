    -- Buckets. State: the missing tokens as `whole` (4 bytes) and `part` / W (6), as of `since`
    -- (7), and until when the key lives (6, milliseconds). A key lives twice as long as its debt
    -- asks for, and a second at least, so that most charges need not change its expiry.
    if (code == 4 or code == 6) and not is_writing then
      -- Tokens arrive continuously. Kept: the debt's `part`, or of a leaky bucket without debt what
      -- has drained past it in the last microsecond; and until when the key lives.
      local capacity = quota
      if code == 6 then capacity = times end
      for i = first, last do
        local raw, whole, part, since, lives = raw_values[i], 0, 0, 0, 0
        if raw and #raw >= 23 then
          whole, part, since, lives = read('>I4I6I7I6', raw)
          if #raw > 23 then raw_values[i] = raw:sub(1, 23) end
        else
          raw_values[i] = '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
        end
        local past = 0
        if since > now then
          -- The clock has stepped back: a debt from the future does not count.
          whole, part, lives = 0, 0, 0
        else
          if whole >= capacity then whole, part = capacity, 0 end
          local elapsed = now - since
          local owed = whole * window + part
          if owed <= FOREVER / 2 then
            -- Exact: what drains above 2^53 is more than is owed by far.
            owed = owed - elapsed * times
            if owed <= 0 then
              whole, part, past = 0, 0, -owed
            else
              part = owed % window
              -- `%` divides in floating point, which may round up to the next whole number.
              if part < 0 then part = part + window end
              whole = (owed - part) / window
            end
          else
            local rest = fmod(elapsed, window)
            local more, drained = mul_div(rest, times, window)
            whole = whole - (elapsed - rest) / window * times - more
            part = part - drained
            if part < 0 then whole, part = whole - 1, part + window end
            if whole < 0 then
              if whole == -1 then past = window - part end
              whole, part = 0, 0
            end
          end
        end
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
        if raw and #raw >= 23 then
          local _
          whole, _, since, lives = read('>I4I6I7I6', raw)
          if #raw > 23 then raw_values[i] = raw:sub(1, 23) end
        else
          raw_values[i] = '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
        end
        local missing, elapsed = 0, now - since
        if elapsed < 0 then
          lives = 0
        elseif elapsed < window then
          missing, phase = min(whole, quota), elapsed
        elseif whole > 0 then
          phase = fmod(elapsed, window)
          missing = min(whole, quota) - (elapsed - phase) / window * times
        end
        if missing <= 0 then missing, phase = 0, 0 end
        room[i], first_kept[i], second_kept[i] = quota - missing, phase, lives
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
          -- A microsecond more, because a leaky bucket carries over what drained in the last one.
          need = min(ceil(need + 1), 4e12)
          if second_kept[i] - now_millis >= need + margin then
            call('SETRANGE', keys[i], '0', pack('>I4I6I7', whole, part, since))
          else
            local life = max(2 * need, LEAST_LIFE) + margin
            local state = pack('>I4I6I7I6', whole, part, since, now_millis + life)
            call('SET', keys[i], state, 'PX', format('%d', life))
          end
        end
      end
    end
