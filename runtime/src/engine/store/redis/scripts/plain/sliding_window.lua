    -- Sliding window: the log of sliding_window.lua. The reply holds three elements: the one before
    -- the oldest admission inside the window, that admission, and the newest. Kept: the sum of the
    -- newest; and the number of the oldest one inside, from 1 at the end of the list (0: all have
    -- left the window), below 0 if the expiry must be renewed.
    --
    -- A log lives for a quarter of the window longer than it counts. So the first charge in each
    -- quarter of a window, as aligned to the epoch, sets the expiry, and the others need not.
    if code == 1 and not is_writing then
      local since_quarter = fmod(now, floor(window / 4))
      for i = first, last do
        local key = keys[i]
        local pair = call('LRANGE', key, '-2', '-1')
        local oldest, base = pair[1], pair[2]
        -- Nothing is inside the window yet.
        raw_values[i] = '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
        room[i], first_kept[i], second_kept[i] = times, 0, 0
        if not oldest then
          second_kept[i] = false -- no list
        elseif base then
          local newest = call('LINDEX', key, '0')
          local time, sum = read('>I6I3', newest)
          local age = (now - time) % TIME_SPAN
          -- The clock has stepped back: some admissions do not count.
          if age >= TIME_SPAN / 2 then return DECIDE end
          if age < window then
            local renews, inside = age > since_quarter, 1
            age = (now - read('>I6', oldest)) % TIME_SPAN
            -- Admission `outside` has left the window and `inside` has not, nor have all after it.
            -- The search moves `outside` in steps that double, and after the first hit halves what
            -- is between.
            local outside, step, is_found = 1, 1, age < window
            if not is_found then base, inside = oldest, MAX_MICROS end
            while inside - outside > 1 do
              local probe, index = outside + step, '-3'
              if is_found then probe = floor((outside + inside) / 2) end
              if probe ~= 2 then index = format('%d', -1 - probe) end
              local element = call('LINDEX', key, index)
              age = 0
              if element then
                age = (now - read('>I6', element)) % TIME_SPAN
              end
              if age < window then
                oldest, inside, is_found = element, probe, true
              else
                base, outside, step = element, probe, step * 2
              end
            end
            local _, before = read('>I6I3', base)
            room[i] = times - (sum - before) % SUM_SPAN
            if #base > 9 then base = base:sub(1, 9) end -- without the marks
            raw_values[i] = base .. oldest .. newest
            if renews then inside = -inside end
            first_kept[i], second_kept[i] = sum, inside
          end
        end
      end
    elseif code == 1 then
      for _, wanted in ipairs(missing or {}) do
        local i = wanted[1]
        local inside = i >= first and i <= last and second_kept[i]
        if inside and inside ~= 0 then
          local _, base = read('>I6I3', raw_values[i])
          local sum = (first_kept[i] - base) % SUM_SPAN
          for j = 2, 3 do
            local excess = wanted[j]
            -- The entries of this call leave the window last.
            if excess > 1 and excess <= sum then
              local below, above, step = max(inside, -inside) - 1, MAX_MICROS, 1
              local leaving
              while above - below > 1 do
                local probe = below + step
                if above < MAX_MICROS then probe = floor((below + above) / 2) end
                local element = call('LINDEX', keys[i], format('%d', -1 - probe))
                local reached = SUM_SPAN
                if element then
                  _, reached = read('>I6I3', element)
                  reached = (reached - base) % SUM_SPAN
                end
                if reached >= excess then
                  above, leaving = probe, element
                else
                  below, step = probe, step * 2
                end
              end
              found = found .. pack('>I2I4', i, excess) .. leaving
            end
          end
        end
      end
      local ttl = format('%d', ceil((window + floor(window / 4)) / 1000) + margin)
      local time = now % TIME_SPAN
      for i = first, last do
        local cost, key, inside = charged[i], keys[i], second_kept[i]
        if cost then
          local element = pack('>I6I3', time, (first_kept[i] + cost) % SUM_SPAN)
          if not inside or inside == 0 then
            call('LPUSH', key, '\0\0\0\0\0\0\0\0\0', element)
            if inside then call('LTRIM', key, '0', '1') end
            call('PEXPIRE', key, ttl)
          else
            local renews = inside < 0
            if renews then inside = -inside end
            if inside == 2 then
              call('LTRIM', key, '0', '-2')
            elseif inside > 2 then
              call('LTRIM', key, '0', format('%d', -inside))
            end
            call('LPUSH', key, element)
            if renews then call('PEXPIRE', key, ttl) end
          end
        end
      end
    end
