"""Beats of which something is wrong: it is named, and what is right is stored nevertheless."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import requests

from dwell_process import Dwell, let_pass

from .helpers import (
    BEAT,
    Visitor,
    beat_of,
    now_ms,
    refused_by_gate,
    segment,
    succeeded,
    visitor,
)

pytestmark = pytest.mark.usefixtures("way")

WATCHED = {"video": "v", "mediaFrom": 5, "mediaTo": 9, "rate": 1}
NO_NUMBER = ['"1"', '""', "true", "{}", "[]", "[1]", "null"]
NO_WHOLE_NUMBER = [*NO_NUMBER, "01", "1.5", "1e999", "-1e999", "9223372036854775808", "1e400"]
NO_TEXT = ["1", "1.5", "true", "{}", "[]", '["v"]', "1e999"]
NO_RATE = [value for value in NO_NUMBER if value != "null"]
FAR = ["9223372036854775807", "-9223372036854775808", "0", "-1", "1e17"]

# JSON as it stands in the body, by the field of the segment that it is put into.
WRONG: dict[str, list[str]] = {
    "tab": [*NO_TEXT, "null", '""', '"a b"', '"ä"', '"\\u0000"', '"../x"', f'"{"k" * 33}"'],
    "n": [*NO_WHOLE_NUMBER, "-1", "2147483648", "9223372036854775807"],
    "from": [*NO_WHOLE_NUMBER, *FAR],
    "to": [*NO_WHOLE_NUMBER, *FAR],
    "attention": [*NO_TEXT, "null", '""', '"asleep"', '"Active"', '"active "'],
    "page": [*NO_TEXT, f'"/{"p" * 2048}"', f'"/{"ä" * 1024}"'],
    "video": [*NO_TEXT, '""', f'"{"v" * 256}"', f'"{"ä" * 128}"'],
    "mediaFrom": [*NO_WHOLE_NUMBER, "-1", "9223372036854775807", "10"],
    "mediaTo": [*NO_WHOLE_NUMBER, "-1", "9223372036854775807"],
    "rate": [*NO_RATE, "0", "-0", "-1", "16.01", "1e308"],
    "end": [*NO_TEXT, '""', '"Hidden"', '"closed"', '"hidden "'],
}
EACH = [(field, value) for field, values in WRONG.items() for value in values]
MISSING = ["tab", "n", "from", "to", "attention", "mediaFrom", "mediaTo"]

# The same for the fields of the beat itself.
WRONG_BEAT: dict[str, list[str]] = {
    "v": [*NO_WHOLE_NUMBER, "0", "2", "-1", "9223372036854775807"],
    "sentAt": [*NO_WHOLE_NUMBER, "9223372036854775807", "-9223372036854775808"],
    "token": NO_TEXT,
    "interval": [
        *(value for value in NO_WHOLE_NUMBER if value != "null"),
        "0", "-1", "999", "86400001", "9223372036854775807", "-9223372036854775808",
    ],
    "segments": ['"all"', '""', "true", "{}", "null", "1", "1e999"],
}  # fmt: skip
EACH_OF_BEAT = [(field, value) for field, values in WRONG_BEAT.items() for value in values]


def raw(beat: Any) -> str:
    """JSON in which the texts `@…` stand for themselves: what no encoder would write."""
    return re.sub(
        r'"@((?:[^"\\]|\\.)*?)@"', lambda found: json.loads(f'"{found[1]}"'), json.dumps(beat)
    )


def as_is(value: str) -> str:
    return f"@{value}@"


def post(guest: Visitor, body: str | bytes) -> requests.Response:
    return guest.client.post(BEAT, data=body)


def post_with(guest: Visitor, field: str, value: str) -> requests.Response:
    """Sends three segments, the second of which has that value."""
    wrong = WATCHED | {"n": 2, field: as_is(value)}
    return post(guest, raw(beat_of(segment(n=1), segment(**wrong), segment(n=3))))


def names(guest: Visitor) -> list[int]:
    return [row["n"] for row in guest.stored]


# One wrong segment among others


@pytest.mark.parametrize(("field", "value"), EACH)
def test_a_wrong_field_is_named_and_the_other_segments_are_stored(
    dwell: Dwell, field: str, value: str
) -> None:
    ann, bea = visitor(dwell), visitor(dwell)
    succeeded(bea.beat(segment(n=2)))
    beside = bea.evidence
    answer = refused_by_gate(post_with(ann, field, value))
    assert names(ann) == [1, 3]
    assert answer["stored"] == 2
    assert answer["code"] == "invalid_field"
    assert answer["field"] == f"segments[1].{field}"
    assert answer["field"] in answer["error"]
    (refused,) = answer["refused"]
    assert refused["field"] == answer["field"]
    assert refused["expected"] and refused["expected"] in answer["error"]
    assert bea.evidence == beside


@pytest.mark.parametrize("field", MISSING)
def test_a_field_that_is_missing_is_named(dwell: Dwell, field: str) -> None:
    ann = visitor(dwell)
    wrong = {name: value for name, value in segment(**WATCHED).items() if name != field}
    answer = refused_by_gate(ann.beat(segment(n=0), wrong))
    assert answer["field"] == f"segments[1].{field}"
    assert answer["stored"] == 1
    assert names(ann) == [0]


@pytest.mark.parametrize("wrong", [1, "x", None, True, [], [[]], 1.5, {}], ids=repr)
def test_what_is_no_segment_at_all_is_named_by_its_place(dwell: Dwell, wrong: object) -> None:
    ann = visitor(dwell)
    answer = refused_by_gate(ann.beat(wrong, segment(n=1), wrong))
    assert answer["stored"] == 1
    places = [one["field"].split(".")[0] for one in answer["refused"]]
    assert places == ["segments[0]", "segments[2]"]
    assert names(ann) == [1]


def test_a_segment_that_ends_before_it_begins_is_named(dwell: Dwell) -> None:
    ann, now = visitor(dwell), now_ms()
    answer = refused_by_gate(ann.beat(segment(n=1), segment(**{"from": now, "to": now - 1})))
    assert answer["field"] in ("segments[1].from", "segments[1].to")
    assert names(ann) == [1]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "+1", "0x10", "'1'"])
@pytest.mark.parametrize("field", ["n", "from", "rate"])
def test_what_is_no_json_is_refused_as_a_whole(dwell: Dwell, field: str, value: str) -> None:
    ann = visitor(dwell)
    answer = refused_by_gate(post_with(ann, field, value))
    assert answer["code"] == "malformed_json"
    assert ann.stored == []


@pytest.mark.parametrize("text", ['"\\ud800"', '"\\udc00x"'])
@pytest.mark.parametrize("field", ["tab", "page", "video", "end"])
def test_half_a_character_is_refused_as_a_whole(dwell: Dwell, field: str, text: str) -> None:
    ann = visitor(dwell)
    assert refused_by_gate(post_with(ann, field, text))["code"] == "malformed_json"
    assert ann.stored == []


@pytest.mark.parametrize("number", ["1e999", "-1e999"])
def test_a_speed_that_no_computer_holds_is_refused_as_a_whole(dwell: Dwell, number: str) -> None:
    ann = visitor(dwell)
    assert refused_by_gate(post_with(ann, "rate", number))["code"] == "malformed_json"
    assert ann.stored == []


def test_every_segment_that_is_refused_is_listed_in_its_order(dwell: Dwell) -> None:
    ann = visitor(dwell)
    answer = refused_by_gate(
        ann.beat(
            segment(n=0),
            segment(n=-1),
            segment(n=2, attention="eager", end="never"),
            segment(n=3),
            segment(n=4, tab=""),
        )
    )
    places = [one["field"] for one in answer["refused"]]
    assert places[0] == answer["field"] == "segments[1].n"
    assert places[1] in ("segments[2].attention", "segments[2].end")
    assert places[2:] == ["segments[4].tab"]
    assert answer["stored"] == 2
    assert names(ann) == [0, 3]


def test_of_500_segments_one_wrong_one_leaves_499(dwell: Dwell) -> None:
    ann = visitor(dwell)
    segments = [segment(n=n, attention="dozing" if n == 77 else "active") for n in range(500)]
    answer = refused_by_gate(ann.beat(*segments))
    assert answer["stored"] == 499
    assert names(ann) == [n for n in range(500) if n != 77]


def test_500_wrong_segments_are_all_listed(dwell: Dwell) -> None:
    ann = visitor(dwell)
    answer = refused_by_gate(ann.beat(*(segment(n=-n) for n in range(1, 501))))
    assert answer["stored"] == 0
    assert [one["field"] for one in answer["refused"]] == [f"segments[{n}].n" for n in range(500)]


def test_what_was_refused_once_is_refused_again_and_what_was_stored_is_not_doubled(
    dwell: Dwell,
) -> None:
    ann = visitor(dwell)
    let_pass(0.1)
    beat = beat_of(segment(n=1), segment(n=-1))
    answers = [refused_by_gate(ann.client.post(BEAT, json=beat)) for _ in range(2)]
    assert answers[0] == answers[1]
    assert names(ann) == [1]


def test_a_beat_by_token_keeps_its_valid_segments_too(dwell: Dwell) -> None:
    ann = visitor(dwell)
    beat = beat_of(segment(n=1), segment(n=-1), token=ann.token)
    assert refused_by_gate(dwell.client().post(BEAT, json=beat))["stored"] == 1
    assert names(ann) == [1]


# Nothing of it is right


def test_a_beat_that_is_wholly_refused_touches_nothing(dwell: Dwell) -> None:
    ann = visitor(dwell)
    succeeded(ann.beat(segment(n=1, tab="known", page="/known")))
    before, contents = ann.evidence, dwell.sql("SELECT * FROM content")
    let_pass(0.1)
    answer = refused_by_gate(ann.beat(segment(n=-1, page="/never/seen"), segment(tab="!")))
    assert answer["stored"] == 0
    assert ann.evidence == before
    assert dwell.sql("SELECT * FROM content") == contents


def test_a_first_beat_that_is_wholly_refused_leaves_the_session_as_it_was(dwell: Dwell) -> None:
    ann = visitor(dwell)
    let_pass(0.1)
    refused_by_gate(ann.beat(segment(n=-1)))
    assert ann.record["elapsedMs"] == 0
    assert ann.stored == []


@pytest.mark.parametrize(("field", "value"), EACH_OF_BEAT)
def test_a_wrong_field_of_the_beat_is_named_and_nothing_is_stored(
    dwell: Dwell, field: str, value: str
) -> None:
    ann = visitor(dwell)
    let_pass(0.01)
    beat = beat_of(segment()) | {field: as_is(value)}
    answer = refused_by_gate(post(ann, raw(beat)))
    assert answer["code"] == "invalid_field"
    assert answer["field"] == field
    assert ann.stored == []
    assert ann.record["elapsedMs"] == 0


@pytest.mark.parametrize("field", ["v", "sentAt", "segments"])
def test_a_field_of_the_beat_that_is_missing_is_named(dwell: Dwell, field: str) -> None:
    ann = visitor(dwell)
    beat = {name: value for name, value in beat_of(segment()).items() if name != field}
    answer = refused_by_gate(ann.client.post(BEAT, json=beat))
    assert answer["field"] == field
    assert ann.stored == []


@pytest.mark.parametrize("field", ["token", "interval"])
def test_an_optional_field_of_the_beat_may_be_null(dwell: Dwell, field: str) -> None:
    ann = visitor(dwell)
    succeeded(post(ann, raw(beat_of(segment()) | {field: as_is("null")})))
    assert names(ann) == [1]


@pytest.mark.parametrize("field", ["page", "video", "rate", "end"])
def test_an_optional_field_of_a_segment_may_be_null(dwell: Dwell, field: str) -> None:
    ann = visitor(dwell)
    succeeded(post_with(ann, field, "null"))
    assert names(ann) == [1, 2, 3]


# Too much of it


def test_501_segments_are_refused_by_name(dwell: Dwell) -> None:
    ann = visitor(dwell)
    answer = refused_by_gate(ann.beat(*(segment(n=n) for n in range(501))))
    assert answer["field"] == "segments"
    assert "500" in answer["error"]
    assert ann.stored == []


def test_10_000_segments_are_too_large(dwell: Dwell) -> None:
    ann = visitor(dwell)
    refused_by_gate(ann.beat(*(segment(n=n) for n in range(10_000))), 413)
    assert ann.stored == []


def test_10_000_segments_in_as_few_bytes_as_possible_are_refused_by_name(dwell: Dwell) -> None:
    ann = visitor(dwell)
    for empty in ("1", "{}", "[]"):
        body = f'{{"v":1,"sentAt":{now_ms()},"segments":[{",".join([empty] * 10_000)}]}}'
        assert refused_by_gate(post(ann, body))["field"] == "segments"
    assert ann.stored == []


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("place", ["segment", "tab", "rate"])
def test_a_segment_that_is_nested_deeply_takes_no_other_with_it(
    dwell: Dwell, place: str, opening: str, closing: str
) -> None:
    ann = visitor(dwell)
    nested = as_is(opening * 300 + "1" + closing * 300)
    wrong = nested if place == "segment" else segment(**{place: nested})
    answer = refused_by_gate(post(ann, raw(beat_of(segment(n=1), wrong))))
    assert answer["field"].startswith("segments[1]")
    assert names(ann) == [1]


@pytest.mark.parametrize("repeats", ['"n":7', '"attention":"idle"', '"tab":"tab2"', '"from":"x"'])
def test_a_key_that_stands_there_twice_is_one_segment_or_none(dwell: Dwell, repeats: str) -> None:
    ann = visitor(dwell)
    doubled = json.dumps(segment())[:-1] + f",{repeats}}}"
    body = f'{{"v":1,"sentAt":{now_ms()},"segments":[{json.dumps(segment(n=5))},{doubled}]}}'
    response = post(ann, body)
    assert response.status_code in (200, 400)
    assert 5 in names(ann)
    assert len(names(ann)) == (2 if response.status_code == 200 else 1)
