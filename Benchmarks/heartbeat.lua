-- Sends bodyless heartbeats from many sessions in turn. DWELL_COOKIES names a file with one cookie value a line.
local requests = {}
local next_request = 0

function init()
  for cookie in io.lines(os.getenv("DWELL_COOKIES")) do
    local headers = { ["Cookie"] = "session_record_id=" .. cookie, ["Content-Length"] = "0" }
    requests[#requests + 1] = wrk.format("POST", "/api/session-heartbeat", headers)
  end
end

function request()
  next_request = next_request % #requests + 1
  return requests[next_request]
end
