-- floor(a * b / m) and the remainder, exact though a * b may be far above 2^53.
-- Wants a < m <= 2^45 and b < 2^35: long division, seven bits of b at a time.
local function mul_div(a, b, m)
  local product = a * b
  if product <= MAX_MICROS then
    local rest = fmod(product, m)
    return (product - rest) / m, rest
  end
  local quotient, rest = 0, 0
  local digit = 268435456 -- 2^28
  while digit >= 1 do
    local high = floor(b / digit)
    b = b - high * digit
    local sum = rest * 128 + a * high
    rest = fmod(sum, m)
    quotient = quotient * 128 + (sum - rest) / m
    digit = digit / 128
  end
  return quotient, rest
end
