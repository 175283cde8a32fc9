-- Milliseconds for PX and PEXPIRE: an integer as text, which a float or an exponent is not.
local function ttl_text(micros, margin)
  return format('%d', ceil(min(micros, MAX_MICROS - 1e12) / 1000) + margin)
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
-- settle(entry, limit, now, receipt) changes the cost of a charge from receipt.from to receipt.to,
--   which is limit.cost less (more if that is below 0), as far as the entry still holds it; true if
--   `save` must write that. receipt.at: when it was charged; receipt.taken: at which cost;
--   receipt.remaining: what remained then; receipt.tag; receipt.full: entry.full of a bucket.
local function make(code)
