-- One script decides a list of checks. KEYS: every counter and block that the checks name.
-- ARGV[1]: the checks, packed by call_builder.rs. The reply is packed too; reply.rs parses it.
--
-- All numbers are doubles and stay below 2^53, where they are exact. Times are microseconds.
-- Each algorithm below is the twin of the Rust file of its name in `algorithm/`.

local call, pack, unpack, spread = redis.call, struct.pack, struct.unpack, unpack
local ceil, floor, fmod, max, min = math.ceil, math.floor, math.fmod, math.max, math.min
local format = string.format

local FOREVER = 9007199254740991 -- 2^53 - 1

local function ceil_div(a, b)
  local rest = fmod(a, b)
  local whole = (a - rest) / b
  if rest > 0 then return whole + 1 end
  return whole
end

-- floor(a * b / m) and the remainder, exact though a * b may be far above 2^53.
-- Wants a < m <= 2^45 and b < 2^35: long division, seven bits of b at a time.
local function mul_div(a, b, m)
  local product = a * b
  if product <= FOREVER then
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

-- Milliseconds for PX and PEXPIRE: an integer as text, which a float or an exponent is not.
local function ttl_text(micros, margin)
  return format('%d', ceil(min(micros, FOREVER - 1e12) / 1000) + margin)
end

-- Whether anything was written before the end, where `save` does.
local has_written = false

-- Creates the algorithm of a code. It is one function, and each file below is a part of its body:
-- definitions outside of it are created again by every call of the script, and a call should pay
-- only for what it uses. `entry` is the parsed value of one key; `limit` is one limit's view of it:
-- load(key, raw, limit, now) parses a value; it sets all fields at once, because a table that grows
--   is reallocated,
-- peek(entry, limit, now) reads the entry under the limit's numbers into the limit,
-- wait(limit, now, entry) gives the time until limit.cost fits (0: now),
-- charge(entry, limit, now) charges it,
-- availability(limit, now, entry) gives what remains and the time until it is whole,
-- save(entry, now, margin) writes what charge or refund has changed,
-- receipt_tag(entry, now) gives the tag of the charge's receipt, asked right after charge,
-- refund(entry, limit, now, receipt) refunds what is left of a charge; true if `save` must write
--   that. receipt.at: when it was charged; receipt.remaining: what remained then; receipt.tag.
local function make(code)
