-- One script decides a list of checks. KEYS: every counter and block that the checks name.
-- ARGV[1]: the checks, packed by call_builder.rs. The reply is packed too; reply.rs parses it.
--
-- All numbers are doubles and stay below 2^53, where they are exact. Times are microseconds.
-- Each algorithm below is the twin of the Rust file of its name in `algorithm/`.

local call, pack, unpack, spread = redis.call, struct.pack, struct.unpack, unpack
local ceil, floor, fmod, max, min = math.ceil, math.floor, math.fmod, math.max, math.min
local format = string.format

local MAX_MICROS = 9007199254740991 -- 2^53 - 1
local MOST = 4294967295 -- 2^32 - 1: no count is larger

local function ceil_div(a, b)
  local rest = fmod(a, b)
  local whole = (a - rest) / b
  if rest > 0 then return whole + 1 end
  return whole
end

