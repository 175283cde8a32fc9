-- The plain script decides a batch of plain checks: charges under rate limits that are no shadows,
-- with costs that are above 0 and could fit. It reads each state once, takes what fits, and replies
-- with the states as it has read them and the time: outcomes.rs makes the verdicts of these, by the
-- step functions of the in-memory store. It leaves to decide.lua what it cannot decide in this way.
--
-- KEYS: the strings (all states but logs), the marker of blocks, the logs, and maybe the blocks;
-- the keys of one limit follow each other. ARGV[1]: the limits and the runs of checks, packed by
-- call.rs. ARGV[2]: how many equal requests each check stands for, if any for more than one.
--
-- In a cluster, the marker would be in another slot. In its place is the idempotency key of the
-- call, and the blocks are always named. ARGV[3] is there then: for so many milliseconds the call
-- is remembered, so that a repeated one changes nothing.
--
-- All numbers are doubles and stay below 2^53, where they are exact. Times are microseconds.
-- Constants are passed to `call` as text, because Redis would print a number at a high cost.

local call, pack, read = redis.call, struct.pack, struct.unpack
local ceil, floor, fmod, max, min = math.ceil, math.floor, math.fmod, math.max, math.min
local format = string.format

local MIN_TTL = 1000 -- milliseconds, of a bucket's key
local MAX_MICROS = 9007199254740991 -- 2^53 - 1
-- An element of a log holds a time modulo 2^48 and a sum modulo 2^24.
local TIME_SPAN, SUM_SPAN = 281474976710656, 16777216
-- The flags in the `part` of a bucket mark a debt that may exceed the capacity, and charges that
-- are kept. The time for which the bucket was full is stored modulo a span. See bucket.lua.
local IS_BEYOND, HAS_HISTORY = 140737488355328, 70368744177664 -- 2^47, 2^46
-- The charges that a bucket keeps: see history.lua. The head ends at this byte of the value.
local HISTORY_HEAD, CHARGE_WIDTH, MOST_CHARGES, IS_FINAL = 51, 13, 64, 32768 -- 2^15
local KEPT_MILLIS = 600000
local FULL_SPAN = 1099511627776 -- 2^40

