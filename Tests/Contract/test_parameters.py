"""How parameters of a query are written, whichever list they are for, and dates that nobody means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dwell_process import Dwell, eventually, let_pass

from .helpers import enter, now_ms, person, problem, segment, succeeded, unique_email, visitor
from .test_operators import set_up, sign_in

VIDEO, PAGE = "my lesson+notes", "/a page+more"
SPELLINGS = {
    "video": ["my+lesson%2Bnotes", "my%20lesson%2Bnotes", "my%20lesson%2bnotes"],
    "page": ["/a+page%2Bmore", "%2Fa%20page%2Bmore", "/a%20page%2bmore"],
    "email": ["ann%2Bnews%40example.org", "ann%2bnews@example.org"],
}
# A plus for the space, or none.
OTHERS = {"video": "my%2Blesson%2Bnotes", "page": "/a%2Bpage%2Bmore", "email": "annnews@example.org"}
LISTS = ["sessions", "overview", "export/sessions", "export/segments", "export/statistics"]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dwell]:
    """A server that saw one person watch one video on one page, and another do something else."""
    server = Dwell(tmp_path_factory.mktemp("lists")).start()
    ann, bea = visitor(server, "ann+news@example.org"), visitor(server)
    let_pass(0.5)
    now = now_ms()
    for guest, page, video in ((ann, PAGE, VIDEO), (bea, "/other", "other")):
        media: dict[str, Any] = {"video": video, "mediaFrom": 0, "mediaTo": 300, "mediaDuration": 1000}
        times = {"from": now - 400, "to": now - 100}
        told = segment(tab="page", page=page, **times), segment(tab="film", end="paused", **times, **media)
        succeeded(guest.beat(*told))
    for video in (VIDEO, "other"):
        eventually(lambda video=video: server.api(f"/api/v1/videos/{video}").status_code == 200, what=video)
    succeeded(server.client().get("/cronjob/trigger?accessKey=secretcronjob"))
    yield server
    server.discard()


def answer(server: Dwell, path: str) -> str:
    found = server.api(f"/api/v1/{path}")
    assert found.status_code == 200, (path, found.text)
    return found.text


@pytest.mark.parametrize("name", SPELLINGS)
@pytest.mark.parametrize("path", LISTS)
def test_a_space_and_a_plus_are_understood_by_every_list(seen: Dwell, path: str, name: str) -> None:
    first, *others = [answer(seen, f"{path}?{name}={value}") for value in SPELLINGS[name]]
    assert all(other == first for other in others)
    nothing = answer(seen, f"{path}?{name}={OTHERS[name]}")
    assert first not in (nothing, answer(seen, path))
    assert nothing == answer(seen, f"{path}?{name}=nobody@example.org")


@pytest.mark.parametrize("name", ["video", "page"])
def test_contents_are_found_by_their_whole_name(seen: Dwell, name: str) -> None:
    wanted = {"video": VIDEO, "page": PAGE}[name]
    for value in SPELLINGS[name]:
        for whose in ("", *(f"&email={email}" for email in SPELLINGS["email"])):
            found = succeeded(seen.api(f"/api/v1/contents?{name}={value}{whose}"))
            assert (found["name"], found["viewers"]) == (wanted, 1)
    problem(seen.api(f"/api/v1/contents?{name}={OTHERS[name]}"), 404)


@pytest.mark.parametrize("path", ["videos/my%20lesson%2Bnotes/viewers?email=", "viewers?q="])
def test_people_are_found_by_an_email_with_a_plus(seen: Dwell, path: str) -> None:
    for email in SPELLINGS["email"]:
        (found,) = succeeded(seen.api(f"/api/v1/{path}{email}"))["viewers"]
        assert found["viewer"]["email"] == "ann+news@example.org"
    assert succeeded(seen.api("/api/v1/viewers?q=ann+news"))["viewers"] == []
    problem(seen.api("/api/v1/sessions?email=ann+news@example.org"), 400, "email")


def test_a_video_is_opened_as_the_earlier_clients_write_it(dwell: Dwell) -> None:
    device = person(dwell).login()
    for video, value in (("my lesson", "my+lesson"), ("my lesson", "my%20lesson"), ("c++", "c%2B%2B")):
        opened = succeeded(device.client.get(f"/session/init?videoId={value}"))["sessionId"]
        assert opened in [str(one["id"]) for one in device.person.sessions(video=video)]


def test_no_date_ends_the_server(fresh_dwell) -> None:
    """The first of our era are compared with days before it."""
    server = fresh_dwell()
    assert set_up(server).status_code == 303
    olga = sign_in(server)
    answers = [
        server.api("/api/v1/overview?from=0001-01-01&to=0001-01-29"),
        server.api("/api/v1/sessions?from=0001-01-01"),
        server.api("/api/v1/overview?from=9999-12-01&to=9999-12-31"),
        olga.get("/dashboard/overview?from=0001-01-01&through=0001-01-28"),
    ]
    assert {answer.status_code for answer in answers} <= {200, 400}
    assert all(node.is_running for node in server.nodes)
    assert succeeded(enter(server.client(), unique_email()))["success"] is True
