-- Sends beats from many sessions in turn, as dwell.js does while a page is looked at: one open segment each.
-- DWELL_TOKENS names a file of tokens, 54 characters a line; with DWELL_BODYLESS=1 beats are what the blueprint's
-- script sends, a cookie and no body.
local width = 55
local threads = {}
local head = "POST /api/session-heartbeat HTTP/1.1\r\nHost: localhost\r\n"

function setup(thread)
  thread:set("first", #threads)
  threads[#threads + 1] = thread
  for _, each in ipairs(threads) do each:set("step", #threads) end
end

function init()
  local file = assert(io.open(os.getenv("DWELL_TOKENS")))
  -- One string a thread: each has a world of its own, and a million strings would take hundreds of megabytes in each.
  tokens = file:read("*a")
  file:close()
  count = #tokens / width
  turn = 0
  began = os.time() * 1000 - 600000
  bodyless = os.getenv("DWELL_BODYLESS") == "1"
end

function request()
  local start = (first + turn * step) % count * width + 1
  local token = tokens:sub(start, start + width - 2)
  turn = turn + 1
  if bodyless then
    return head .. "Content-Length: 0\r\nCookie: session_record_id=" .. token .. "\r\n\r\n"
  end
  local now = os.time() * 1000
  local body = '{"v":1,"sentAt":' .. now .. ',"token":"' .. token
    .. '","segments":[{"tab":"k3f9q2w8","n":0,"from":' .. began .. ',"to":' .. now
    .. ',"attention":"active","page":"/page-1"}]}'
  return head .. "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
end
