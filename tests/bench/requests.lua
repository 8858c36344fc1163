-- SPDX-License-Identifier: Apache-2.0
-- For wrk: sends the requests of a file, one after the other, again and again.
-- The file is a row of records, each its length in decimal, a line end and the bytes.
-- At the end one line of numbers, for tests/bench/run to read.
local requests, at = {}, 0

function init(args)
	local f = assert(io.open(args[1], "rb"))
	while true do
		local n = f:read("*l")
		if n == nil then break end
		requests[#requests + 1] = f:read(tonumber(n))
	end
	f:close()
end

function request()
	at = at % #requests + 1
	return requests[at]
end

function done(summary, latency, requests)
	local e = summary.errors
	io.write(string.format("RESULT requests=%d us=%d bytes=%d p50=%d p99=%d max=%d refused=%d broken=%d\n",
		summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99), latency.max,
		e.status, e.connect + e.read + e.write + e.timeout))
end
