-- wrk -s clients.lua URL -- KEYS START
--
-- KEYS > 1: each request names a client in `X-Client`; any KEYS in a row name all of them. The same
-- cheap function drives this crate, the other limiters and the bare handler, so what it costs
-- cancels out.

-- A prime that divides no power of ten: neighbours in time are far apart in the store.
local STEP = 611953
-- Names of one length, whatever their number.
local FIRST = 10000000

function init(args)
   local keys = tonumber(args[1]) or 1
   if keys <= 1 then
      return -- wrk sends one request that it has made beforehand
   end
   local at = ((tonumber(args[2]) or 0) * STEP) % keys
   local head = "GET " .. wrk.path .. " HTTP/1.1\r\nHost: " .. wrk.headers["Host"] .. "\r\nX-Client: "
   request = function()
      at = (at + STEP) % keys
      return head .. (FIRST + at) .. "\r\n\r\n"
   end
end

-- One line for the program that started wrk. `status` counts responses above 399.
function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      '{"requests":%d,"micros":%d,"p50":%d,"status":%d,"failed":%d}\n',
      summary.requests, summary.duration, latency:percentile(50), errors.status,
      errors.connect + errors.read + errors.write + errors.timeout))
end
