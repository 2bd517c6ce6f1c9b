"""The load itself: it can tell that something was lost."""

from __future__ import annotations

from dwell_process import Dwell

from .load import Load


def test_what_is_lost_is_seen(pair: Dwell) -> None:
    with Load(pair) as load:
        load.await_beats(20)
    assert load.lost() == []
    shortened = pair.store.change(
        "UPDATE segment SET ended_at = ended_at - 1 WHERE ended_at - started_at > 1"
        " AND n = 0 AND tab = ?",
        load.beaters[0].tab,
    )
    assert len(load.lost()) == shortened == 1
    removed = pair.store.change("DELETE FROM segment WHERE tab = ?", load.beaters[1].tab)
    assert len(load.lost()) == 1 + removed > 1
