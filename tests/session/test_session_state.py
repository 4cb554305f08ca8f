"""The fold and the door, on doses that can be worked out by hand: 35 mg over 40 min is 52.5 mg/h."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limen.errors import InputError, RefusedError
from limen.session.events import parse_event, parse_events
from limen.session.header import SessionHeader
from limen.session.state import SessionState, admit, fold, legal

HEADER = SessionHeader(protocol="TRD-IV")
START = [
    {"t_s": 0, "kind": "session.started"},
    {"t_s": 60, "kind": "infusion.started", "dose_mg": 35, "duration_min": 40, "concentration_mg_per_mL": 1},
]


def at(t_s: float, *more: dict[str, Any]) -> SessionState:
    return fold(HEADER, parse_events([*START, *more]), at_t_s=t_s)


def test_given_follows_the_pump() -> None:
    assert at(30).given_mg == 0
    assert at(660).given_mg == pytest.approx(8.75)  # 10 min of 52.5 mg/h
    assert at(2460).given_mg == pytest.approx(35)
    assert at(9000).given_mg == pytest.approx(35)  # never over the dose


def test_a_pause_gives_nothing_and_moves_the_end() -> None:
    pause = {"t_s": 660, "kind": "infusion.paused", "reason": "pressure"}
    resume = {"t_s": 960, "kind": "infusion.resumed"}
    assert at(900, pause).phase == "paused"
    assert at(900, pause).given_mg == pytest.approx(8.75)
    assert at(900, pause).expected_end_t_s is None
    assert at(1000, pause, resume).expected_end_t_s == pytest.approx(2760)
    assert at(2759, pause, resume).phase == "running"
    assert at(2760, pause, resume).phase == "recovery"
    assert at(2760, pause, resume).end_t_s == pytest.approx(2760)


def test_a_rate_change_in_mg_or_mL() -> None:
    # 10 min at 52.5 mg/h is 8.75 mg; the other 26.25 mg at 26.25 mg/h take an hour.
    for change in ({"rate_mg_per_h": 26.25}, {"rate_mL_per_h": 26.25}):
        state = at(1260, {"t_s": 660, "kind": "infusion.rate-changed", **change})
        assert state.rate_mg_per_h == pytest.approx(26.25)
        assert state.given_mg == pytest.approx(8.75 + 26.25 / 6)
        assert state.expected_end_t_s == pytest.approx(4260)


def test_stopped_early_is_not_recovery() -> None:
    state = at(700, {"t_s": 660, "kind": "infusion.stopped", "reason": "asked to", "pump_volume_mL": 8.75})
    assert state.phase == "stopped"
    assert state.end_t_s == 660
    assert state.given_mg == pytest.approx(8.75)
    assert state.infusions[0].pump_volume_mL == 8.75


def test_doses_at_once_add_up() -> None:
    bolus = {"t_s": 2500, "kind": "dose.given", "dose_mg": 10, "route": "iv"}
    assert at(2600, bolus).given_mg == pytest.approx(45)
    assert at(2600, bolus).end_t_s == 2500


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(61, 6000), st.sampled_from(["infusion.paused", "infusion.resumed", "rate", "stop"])),
        max_size=8,
    ),
    st.integers(0, 7000),
    st.integers(0, 2000),
)
def test_given_only_grows_and_never_passes_the_dose(acts: list[tuple[int, str]], first: int, later: int) -> None:
    more: list[dict[str, Any]] = []
    for t_s, what in sorted(acts):
        if what == "rate":
            more.append({"t_s": t_s, "kind": "infusion.rate-changed", "rate_mg_per_h": 90})
        elif what == "stop":
            more.append({"t_s": t_s, "kind": "infusion.stopped"})
        else:
            more.append({"t_s": t_s, "kind": what})
    early, late = at(first, *more), at(first + later, *more)
    assert 0 <= early.given_mg <= late.given_mg + 1e-9
    assert late.given_mg <= 35 + 1e-9


@pytest.mark.parametrize(
    ("t_s", "more", "event", "why"),
    [
        (30, [], {"kind": "infusion.paused"}, "no infusion has started"),
        (100, [], {"kind": "infusion.started", "dose_mg": 5, "duration_min": 5}, "the infusion is running"),
        (100, [], {"kind": "infusion.resumed"}, "the infusion is running"),
        (100, [], {"kind": "session.started"}, "the infusion is running"),
        (100, [], {"kind": "discharged"}, "the infusion is running"),
        (100, [], {"kind": "session.ended"}, "the infusion is running"),
        (100, [], {"kind": "emergency.ended"}, "no emergency was started"),
        (
            3000,
            [{"t_s": 2900, "kind": "discharged"}],
            {"kind": "dose.given", "dose_mg": 5, "route": "iv"},
            "discharged",
        ),
        (3000, [{"t_s": 2900, "kind": "session.ended"}], {"kind": "alarm.acknowledged"}, "the session has ended"),
    ],
)
def test_the_door_refuses_what_cannot_follow(
    t_s: float, more: list[dict[str, Any]], event: dict[str, Any], why: str
) -> None:
    with pytest.raises(RefusedError, match=why):
        legal(at(t_s, *more), parse_event({"t_s": t_s, **event}))


def test_mL_without_a_concentration_are_refused() -> None:
    plain = [START[0], {"t_s": 60, "kind": "infusion.started", "dose_mg": 35, "duration_min": 40}]
    state = fold(HEADER, parse_events(plain), at_t_s=100)
    with pytest.raises(RefusedError, match="mL are not milligrams"):
        legal(state, parse_event({"t_s": 100, "kind": "infusion.rate-changed", "rate_mL_per_h": 30}))


def test_a_pump_that_ran_empty_may_still_be_stopped() -> None:
    legal(at(2500), parse_event({"t_s": 2500, "kind": "infusion.stopped", "pump_volume_mL": 35}))


@pytest.mark.parametrize("kind", ["infusion.paused", "infusion.stopped"])
def test_a_pause_told_after_the_pump_would_have_run_empty_still_counts(kind: str) -> None:
    """35 mg over 40 min from second 60: paused at 1260 s, told at 2700 s by a page that was cut off."""
    told = {"t_s": 1260, "received_t_s": 2700, "id": "late", "kind": kind}
    state = admit(HEADER, parse_events(START), parse_event(told))
    assert state.phase == ("paused" if kind == "infusion.paused" else "stopped")
    assert state.given_mg == pytest.approx(17.5)
    after = {"t_s": 2470, "received_t_s": 2700, "id": "late", "kind": "infusion.paused"}
    with pytest.raises(RefusedError, match="the infusion is over"):
        admit(HEADER, parse_events(START), parse_event(after))


def test_the_fold_keeps_and_names_what_does_not_follow() -> None:
    events = parse_events([{"t_s": 5, "kind": "infusion.resumed"}, *START])
    state = fold(HEADER, events, at_t_s=100)
    assert [(entry["kind"], entry["because"]) for entry in state.irregular] == [
        ("infusion.resumed", "no infusion has started")
    ]


def test_corrections_apply_from_when_they_were_known() -> None:
    wrong = {"t_s": 300, "id": "a", "kind": "observation.recorded", "moaas": 3}
    fixed = {"t_s": 400, "kind": "entry.corrected", "entry": "a", "changes": {"moaas": 5}}
    gone = {"t_s": 500, "kind": "entry.corrected", "entry": "a"}
    assert at(350, wrong, fixed, gone).latest["moaas"].value == 3
    assert at(450, wrong, fixed, gone).latest["moaas"].value == 5
    assert "moaas" not in at(550, wrong, fixed, gone).latest


def test_a_correction_must_name_an_entry_and_a_possible_value() -> None:
    events = parse_events(START)
    with pytest.raises(InputError, match="no entry 'zz'"):
        admit(HEADER, events, parse_event({"t_s": 90, "id": "c", "kind": "entry.corrected", "entry": "zz"}))
    slip = {"t_s": 90, "id": "c", "kind": "entry.corrected", "entry": "#1", "changes": {"dose_mg": -3}}
    with pytest.raises(InputError, match="-3 refused"):
        admit(HEADER, events, parse_event(slip))


def test_a_symptom_stands_until_an_observation_says_otherwise() -> None:
    symptom = {"t_s": 300, "kind": "symptom.reported", "text": "nausea"}
    quiet = {"t_s": 400, "kind": "observation.recorded", "moaas": 5}
    over = {"t_s": 500, "kind": "observation.recorded", "symptoms": []}
    assert [noted.value for noted in at(450, symptom, quiet, over).symptoms] == ["nausea"]
    assert at(550, symptom, quiet, over).symptoms == ()
