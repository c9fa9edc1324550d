-- wrk: sends the requests of the files that TRIAGED_REQUESTS names with %d for the thread, one after another. A record
-- is seven digits of length and the whole HTTP request, signed beforehand, so that signing costs nothing here.
local threads = 0
function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init()
  file = assert(io.open(string.format(os.getenv("TRIAGED_REQUESTS"), number), "rb"))
  ran_out = false
end

function request()
  local length = file:read(7)
  if not length then
    ran_out = true
    file:seek("set", 0)
    length = file:read(7)
  end
  return file:read(tonumber(length))
end


function done(summary, latency)
  io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests, summary.duration,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
