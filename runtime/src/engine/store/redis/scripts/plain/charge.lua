  end
  if is_writing then break end
  is_writing = true

  -- The runs of checks, which begin where the limits end. The checks of a run have equal limits and
  -- costs; each limit's keys follow each other, or are one key for all (`stride` is 0). A check
  -- stands for so many equal requests, of which the first ones that fit are charged.
  --
  -- A denial by a log says when so much of it has left the window that the cost fits. If that is
  -- more than the oldest admission brings, `missing` has how much of the log must leave for the
  -- cost, and for any cost at all: this is looked up before the log is written.
  local index = 0
  for _ = 1, runs do
    local checks, width
    checks, width, at = read('>I2B', head, at)
    if width == 1 then
      local i, stride, cost
      i, stride, cost, at = read('>I2BI4', head, at)
      for _ = 1, checks do
        local count, left = 1, room[i]
        if counts then
          count = read('>I2', counts, index + 1)
          index = index + 2
        end
        local fitting = floor(left / cost)
        if fitting > count then fitting = count end
        if fitting > 0 then
          left = left - fitting * cost
          room[i], charged[i] = left, (charged[i] or 0) + fitting * cost
        end
        if fitting < count then
          if is_strict then return DECIDE end
          if i > marker and cost - left > 1 then
            missing = missing or {}
            missing[#missing + 1] = { i, cost - left, 1 - left }
          end
        end
        i = i + stride
      end
    else
      local indexes, strides, costs = {}, {}, {}
      for j = 1, width do indexes[j], strides[j], costs[j], at = read('>I2BI4', head, at) end
      for _ = 1, checks do
        local count = 1
        if counts then
          count = read('>I2', counts, index + 1)
          index = index + 2
        end
        local fitting = count
        for j = 1, width do
          local fits = floor(room[indexes[j]] / costs[j])
          if fits < fitting then fitting = fits end
        end
        for j = 1, width do
          local i, cost = indexes[j], costs[j]
          local left = room[i]
          if fitting > 0 then
            left = left - fitting * cost
            room[i], charged[i] = left, (charged[i] or 0) + fitting * cost
          end
          if fitting < count then
            if is_strict then return DECIDE end
            if i > marker and cost - left > 1 then
              missing = missing or {}
              missing[#missing + 1] = { i, cost - left, 1 - left }
            end
          end
          indexes[j] = i + strides[j]
        end
      end
    end
  end
  if memory and next(charged) then call('SET', keys[marker], '', 'PX', memory) end
end

raw_values[#keys - blocks + 1] = pack('>I7', now)
return table.concat(raw_values) .. found
