"""The blueprint's own method, beside Dwell on the same page: last beat minus first beat.

The script is written from the blueprint's description. Its beats go to a server of their own, which
notes when they arrive by the clock of the scenario.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from dwell_process import HOST

SCRIPT = """
<script>
  (function () {
    var url = '%s' + location.search;
    var timer = null;

    function beat() {
      fetch(url, { method: 'POST', mode: 'no-cors' }).catch(function () {});
    }

    function start() {
      if (timer !== null) return;
      beat();
      timer = setInterval(beat, 180000);
    }

    function stop() {
      clearInterval(timer);
      timer = null;
    }

    function last() {
      navigator.sendBeacon(url);
    }

    document.addEventListener('visibilitychange', function () {
      if (document.hidden) stop();
      else start();
    });
    window.addEventListener('beforeunload', last);
    window.addEventListener('pagehide', last);
    if (!document.hidden) start();
  })();
</script>
"""


class Blueprint:
    """Takes the blueprint's beats; one record for each `?who=` that a page was opened with."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._beats: dict[str, list[int]] = {}
        self.is_away = False
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.send_response(503 if recorder.is_away else 204)
                self.end_headers()
                if not recorder.is_away:
                    recorder._beats.setdefault(self.path, []).append(recorder._now())

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def script(self) -> str:
        return SCRIPT % f"http://{HOST}:{self._server.server_port}/"

    @property
    def duration(self) -> int:
        """What it reports: of every record the last beat minus the first, in milliseconds."""
        return sum(max(beats) - min(beats) for beats in self._beats.values())

    @property
    def last(self) -> int:
        return max((max(beats) for beats in self._beats.values()), default=0)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
