-- wrk's side of bench/load.py: an optional body with a fresh title each time, and the totals as JSON.
-- Arguments: [body template, in which @@ becomes a fresh word; prefix of those words].

local template, prefix
local count = 0

function init(args)
  template, prefix = args[1], args[2]
  if template then
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/json"
    request = create
  end
end

function create()
  count = count + 1
  local word = prefix .. "x" .. count
  return wrk.format(nil, nil, nil, (template:gsub("@@", word)))
end

function done(summary, latency, requests)
  io.write(string.format(
    '\n{"requests": %d, "seconds": %f, "refused": %d, "broken": %d, "p50": %f, "p99": %f, "bytes": %d}\n',
    summary.requests, summary.duration / 1e6, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, summary.bytes))
end
