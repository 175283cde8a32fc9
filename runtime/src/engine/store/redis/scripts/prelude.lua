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

-- The flags in the `part` of a bucket: a settlement has made the debt larger than the capacity; its
-- latest charges follow the state (history.lua), whose length is that of a head and of the charges.
-- A full bucket keeps them for ten minutes.
local IS_BEYOND, HAS_HISTORY = 140737488355328, 70368744177664 -- 2^47, 2^46
local HISTORY_HEAD, CHARGE_WIDTH, KEPT_FOR_SETTLEMENT = 23, 13, 600000000
local MOST_CHARGES, IS_FINAL = 64, 32768 -- 2^15

local function length_of_history(raw)
  return HISTORY_HEAD + raw:byte(29) * CHARGE_WIDTH
end

local function ceil_div(a, b)
  local rest = fmod(a, b)
  local whole = (a - rest) / b
  if rest > 0 then return whole + 1 end
  return whole
end

