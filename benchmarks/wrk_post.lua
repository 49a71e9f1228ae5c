-- POSTs the bodies of a plan in turn, after so many of them. The plan is a file: the path, a header a line, an empty
-- line, a body a line.

local requests, turn = {}, 0

function init(args)
  local path, headers, at_bodies = nil, {}, false
  -- The first request that wrk asks for is looked at and not sent.
  turn = tonumber(args[2]) - 1
  for line in io.lines(args[1]) do
    if path == nil then
      path = line
    elseif at_bodies then
      requests[#requests + 1] = wrk.format("POST", path, headers, line)
    elseif line == "" then
      at_bodies = true
    else
      local name, text = line:match("^([^:]+): (.*)$")
      headers[name] = text
    end
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency, _)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  local seconds = summary.duration / 1e6
  io.write(string.format("measured: %d %d %f %d %d\n", summary.requests, failed, seconds, latency:percentile(50),
    latency:percentile(99)))
end
