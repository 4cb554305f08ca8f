"""What stands around a chair: an offer until it is answered, a call until somebody goes."""

from __future__ import annotations

from typing import Any

import pytest

from limen.errors import InputError
from limen.session.events import Event, parse_event, parse_events
from limen.session.floor import last_signal, standing_call, standing_offer

OFFER = {"t_s": 10, "kind": "owner.offered", "to": "N. Berg", "by": "D. Kessel"}
COME = {"t_s": 20, "kind": "patient.called", "signal": "come"}
OK = {"t_s": 30, "kind": "patient.called", "signal": "ok"}


def events(*values: dict[str, Any]) -> tuple[Event, ...]:
    return parse_events(values)


@pytest.mark.parametrize(
    ("after", "stands"),
    [
        ([], True),
        ([{"t_s": 11, "kind": "owner.changed", "to": "N. Berg"}], False),
        ([{"t_s": 11, "kind": "owner.declined"}], False),
        ([{"t_s": 11, "kind": "session.ended"}], False),
        ([{"t_s": 11, "kind": "owner.declined"}, {**OFFER, "t_s": 12}], True),
    ],
)
def test_an_offer_stands_until_it_is_answered(after: list[dict[str, Any]], stands: bool) -> None:
    found = standing_offer(events(OFFER, *after))
    assert (found is not None) is stands
    if found:
        assert (found.to, found.by) == ("N. Berg", "D. Kessel")


@pytest.mark.parametrize(
    ("after", "since_s", "times"),
    [
        ([], 20, 1),
        ([{**COME, "t_s": 25}], 20, 2),
        ([OK], None, 0),
        ([{"t_s": 22, "kind": "call.answered"}], None, 0),
        ([{"t_s": 22, "kind": "call.answered"}, {**COME, "t_s": 40}], 40, 1),
        ([{"t_s": 22, "kind": "observation.recorded", "moaas": 5}], 20, 1),
    ],
)
def test_a_call_stands_until_somebody_goes(after: list[dict[str, Any]], since_s: float | None, times: int) -> None:
    found = standing_call(events(COME, *after))
    assert (found.t_s if found else None) == since_s
    assert (found.times if found else 0) == times


def test_the_last_word_of_the_patient() -> None:
    assert last_signal(events()) is None
    said = last_signal(events(COME, OK))
    assert said is not None
    assert said.signal == "ok"


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({"t_s": 0, "kind": "owner.offered"}, "event.to"),
        ({"t_s": 0, "kind": "owner.offered", "to": ""}, "event.to"),
        ({"t_s": 0, "kind": "patient.called", "signal": "maybe"}, "event.signal"),
    ],
)
def test_a_word_that_is_no_word_is_refused(value: dict[str, Any], where: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_event(value)
    assert refused.value.where == where
