    -- Sliding window counter. State: start of the current window, and the mark (7 bytes);
    -- current (4); previous (4). Kept: current, or below 0 the previous window where a new one
    -- begins; and the mark.
    if code == 2 and not is_writing then
      local elapsed = fmod(now, window)
      local current_start, left = now - elapsed, window - elapsed
      for i = first, last do
        local raw, since, current, previous, is_old = raw_values[i], 0, 0, 0, true
        local mark = 0
        if raw and #raw >= 15 then
          since, current, previous = read('>I7I4I4', raw)
          mark = fmod(since, window)
          since = since - mark
          if #raw > 15 then raw_values[i] = raw:sub(1, 15) end
        else
          raw_values[i] = '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
        end
        if since == current_start then
          is_old = current == 0
        elseif since + window == current_start then
          current, previous = 0, current
        else
          current, previous = 0, 0
        end
        -- The weighted count of the previous window, rounded up.
        local weight = previous
        if previous > 0 and elapsed > 0 then
          local whole, rest = mul_div(left, previous, window)
          weight = whole
          if rest > 0 then weight = whole + 1 end
        end
        room[i] = times - weight - current
        if is_old then current = -previous end
        if current == 0 and previous == 0 then mark = elapsed end
        first_kept[i], second_kept[i] = current, mark
      end
    elseif code == 2 then
      local elapsed = fmod(now, window)
      local ttl = format('%d', ceil((2 * window - elapsed) / 1000) + margin)
      for i = first, last do
        local cost = charged[i]
        if cost then
          local current = first_kept[i]
          if current > 0 then
            call('SETRANGE', keys[i], '7', pack('>I4', current + cost))
          else
            call('SET', keys[i], pack('>I7I4I4', now - elapsed + second_kept[i], cost, -current), 'PX', ttl)
          end
        end
      end
    end
