    -- Fixed window. State: start (7 bytes), used (4).
    if code == 3 and not is_writing then
      local open = now - window
      for i = first, last do
        local raw, left = raw_values[i], times
        if raw and #raw >= 11 then
          local since, used = read('>I7I4', raw)
          if since > open and since <= now then left = times - used end
          if #raw > 11 then raw_values[i] = raw:sub(1, 11) end
        else
          raw_values[i] = '\0\0\0\0\0\0\0\0\0\0\0'
        end
        room[i] = left
      end
    elseif code == 3 then
      local ttl = format('%d', ceil(window / 1000) + margin)
      for i = first, last do
        local cost = charged[i]
        if cost then
          local used = times - room[i]
          if used > cost then
            call('SETRANGE', keys[i], '7', pack('>I4', used))
          else
            call('SET', keys[i], pack('>I7I4', now, used), 'PX', ttl)
          end
        end
      end
    end
