"""What the server counts about itself: `--metrics-address`."""

from __future__ import annotations

import re
import socket
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from dwell_process import CONFIGURATION_ERROR, Dwell, eventually, free_port

from .helpers import BEAT, now_ms, person, segment, succeeded, visitor


class Metered:
    """A server that shows its metrics, each node on an address of its own."""

    def __init__(self, fresh_dwell: Any, *flags: str) -> None:
        self.host, self.port = "127.0.0.1", free_port()
        self.address = f"{self.host}:{self.port}"
        self.server: Dwell = fresh_dwell("--metrics-address", self.address, *flags)
        # It may come a moment after the door for people.
        eventually(self.is_shown, what="metrics")

    def is_shown(self) -> bool:
        with closing(socket.socket()) as connection:
            return connection.connect_ex((self.host, self.port)) == 0

    def scrape(self) -> requests.Response:
        return requests.get(f"http://{self.address}/metrics", timeout=30)

    def samples(self) -> dict[str, float]:
        """By their name and label, such as `dwell_beats_total stored`."""
        response = self.scrape()
        assert response.status_code == 200
        families = list(text_string_to_metric_families(response.text))
        found = [
            (" ".join([sample.name, *sample.labels.values()]), sample.value)
            for family in families for sample in family.samples
        ]  # fmt: skip
        assert len(dict(found)) == len(found), "a sample that comes twice"
        assert all(family.documentation and family.type != "unknown" for family in families)
        return dict(found)

    def __getitem__(self, sample: str) -> float:
        return self.samples()[sample]


pytestmark = pytest.mark.one_node("two nodes can't listen on one address")


def test_a_scrape_is_what_prometheus_reads(fresh_dwell) -> None:
    metered = Metered(fresh_dwell)
    response = metered.scrape()
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "no-store" in response.headers["Cache-Control"]
    samples = metered.samples()
    assert any(re.fullmatch(r"dwell_build_info \d+\.\d+\.\d+", name) for name in samples)
    status = Path(f"/proc/{metered.server.nodes[0].process_id}/status").read_text()
    resident = int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024
    assert resident / 4 < samples["process_resident_memory_bytes"] < resident * 4
    assert 0 < samples["process_open_fds"] < samples["process_max_fds"]
    assert metered["process_cpu_seconds_total"] > 0


def test_beats_are_counted_by_what_became_of_them(fresh_dwell, way: str) -> None:
    metered = Metered(fresh_dwell)
    guest = visitor(metered.server)
    for _ in range(3):
        succeeded(guest.beat(segment()))
    assert guest.beat(segment(), segment(tab="two", attention="asleep")).status_code == 400
    assert guest.beat(segment(attention="asleep")).status_code == 400
    assert metered.server.client().post(BEAT).status_code == 400
    assert guest.client.post(BEAT, json={"v": 1, "sentAt": now_ms(), "token": "x", "segments": []}).status_code == 401
    samples = metered.samples()
    beats = {name.split()[1]: value for name, value in samples.items() if name.startswith("dwell_beats_total")}
    assert beats == {"stored": 3, "partly": 1, "refused": 1, "unknown": 2, "unavailable": 0, "failed": 0}
    assert samples["dwell_live_viewers"] == 1
    assert samples["dwell_beat_queue_segments"] == 0


def test_time_that_was_not_credited_is_counted_once(fresh_dwell) -> None:
    metered = Metered(fresh_dwell)
    guest = visitor(metered.server)
    now = now_ms()
    claim = segment(**{"from": now, "to": now + 60_000})
    for _ in range(3):
        succeeded(guest.beat(claim, sentAt=now))
    early = segment(n=2, **{"from": now - 3_600_000, "to": now - 3_000_000})
    succeeded(guest.beat(early, sentAt=now))
    evidence = guest.evidence["refused"]
    samples = metered.samples()
    assert samples["dwell_refused_milliseconds_total future"] == evidence["futureMs"] > 50_000
    assert samples["dwell_refused_milliseconds_total before_session"] == evidence["beforeSessionMs"] > 500_000
    assert samples["dwell_refused_milliseconds_total media"] == 0


def test_logins_are_counted_by_what_became_of_them(fresh_dwell) -> None:
    metered = Metered(fresh_dwell, "--device-limit", "1")
    ann = person(metered.server)
    ann.login()
    assert ann.try_login().status_code == 421
    assert ann.try_login(password="another password").status_code == 401
    assert metered.server.client().post("/auth/login", json={}).status_code == 400
    samples = metered.samples()
    assert samples["dwell_logins_total admitted"] == 1
    assert samples["dwell_logins_total device_limit"] == 1
    assert samples["dwell_logins_total wrong_credentials"] == 1
    assert samples["dwell_logins_total failed"] == 0


def test_commits_are_timed(fresh_dwell) -> None:
    metered = Metered(fresh_dwell)
    before = metered["dwell_commit_seconds_count"]
    guest = visitor(metered.server)
    for _ in range(5):
        succeeded(guest.beat(segment()))
    samples = metered.samples()
    assert samples["dwell_commit_seconds_count"] >= before + 6
    assert samples["dwell_commit_seconds_sum"] > 0
    buckets = [value for name, value in samples.items() if name.startswith("dwell_commit_seconds_bucket")]
    assert buckets == sorted(buckets)
    assert buckets[-1] == samples["dwell_commit_seconds_count"]


@pytest.mark.sqlite("a lock that lasts")
def test_a_store_that_is_away_is_counted_and_the_rest_still_shown(fresh_dwell) -> None:
    metered = Metered(fresh_dwell)
    guest = visitor(metered.server)
    with metered.server.store.locked():
        assert guest.beat(segment()).status_code == 503
        samples = metered.samples()
    assert samples["dwell_beats_total unavailable"] == 1
    assert samples["dwell_database_errors_total unavailable"] >= 1
    assert eventually(lambda: guest.beat(segment()).status_code == 200)
    assert metered["dwell_beats_total stored"] >= 1


def test_they_are_shown_there_and_nowhere_else(fresh_dwell) -> None:
    metered = Metered(fresh_dwell)
    assert metered.server.client().get("/metrics").status_code == 404
    for path in ("/", "/api/v1/sessions", "/health/live"):
        assert requests.get(f"http://{metered.address}{path}", timeout=30).status_code == 404
    guest = visitor(metered.server)
    ann = person(metered.server).login()
    text = metered.scrape().text
    for secret in (guest.email, guest.token, ann.token, ann.person.username, metered.server.database_url):
        assert secret not in text


def test_they_end_with_the_server(fresh_dwell) -> None:
    metered = Metered(fresh_dwell)
    metered.scrape()
    assert metered.server.stop() == 0
    with pytest.raises(requests.ConnectionError):
        metered.scrape()


def test_an_address_that_is_taken_is_named(tmp_path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        server = Dwell(tmp_path, "--metrics-address", address)
        server.launch(server.nodes[0])
        assert server.wait() == CONFIGURATION_ERROR
    assert "--metrics-address (DWELL_METRICS_ADDRESS)" in server.logs and address in server.logs
    server.discard()


def test_without_an_address_nothing_is_shown(dwell: Dwell) -> None:
    assert dwell.client().get("/metrics").status_code == 404
