"""The door of the event vocabulary."""

from __future__ import annotations

from typing import Any

import pytest

from limen.errors import InputError
from limen.session.events import KINDS, parse_event, parse_events, unknown_keys

CONTRACT = (
    "session.started session.ended infusion.started infusion.paused infusion.resumed infusion.rate-changed "
    "infusion.stopped dose.given observation.recorded symptom.reported alarm.acknowledged audio.paused limits.changed "
    "device.associated device.lost rescue.given adverse-event.recorded owner.changed emergency.started emergency.ended "
    "discharge.asked discharged entry.corrected monitor.started monitor.stopped"
)


# What happens around a chair, beside the contract's own kinds: more may be added, these stay.
FLOOR = "owner.offered owner.declined patient.called call.answered forecast.updated emergency.step"


def test_the_vocabulary_is_the_contract_and_the_floor() -> None:
    assert [kind for kind in KINDS if kind not in FLOOR.split()] == CONTRACT.split()
    assert set(FLOOR.split()) <= set(KINDS)


@pytest.mark.parametrize(
    ("value", "where", "allowed"),
    [
        ({"t_s": 0, "kind": "nap.taken"}, "event.kind", "session.started"),
        ({"kind": "session.started"}, "event.t_s", "needed"),
        ({"t_s": "0", "kind": "session.started"}, "event.t_s", "number"),
        ({"t_s": True, "kind": "session.started"}, "event.t_s", "number"),
        ({"t_s": 1e12, "kind": "session.started"}, "event.t_s", "31622400"),
        ({"t_s": 0, "kind": "observation.recorded", "sbp_mmHg": 700}, "event.sbp_mmHg", "30 to 300 mmHg"),
        ({"t_s": 0, "kind": "observation.recorded", "spo2_pct": 0}, "event.spo2_pct", "30 to 100 %"),
        ({"t_s": 0, "kind": "observation.recorded", "sbp_mmHg": 80, "dbp_mmHg": 90}, "event.dbp_mmHg", "systolic"),
        ({"t_s": 0, "kind": "observation.recorded", "moaas": 6}, "event.moaas", "5"),
        ({"t_s": 0, "kind": "observation.recorded", "aldrete": 9.5}, "event.aldrete", "integer"),
        ({"t_s": 0, "kind": "infusion.started", "dose_mg": -35, "duration_min": 40}, "event.dose_mg", "0"),
        ({"t_s": 0, "kind": "infusion.started", "dose_mg": 35, "duration_min": 0}, "event.duration_min", "0"),
        ({"t_s": 0, "kind": "infusion.rate-changed"}, "event.rate_mg_per_h", "rate_mL_per_h"),
        (
            {"t_s": 0, "kind": "limits.changed", "limits": {"SPO2": {"low": 95, "high": 90}}},
            "event.limits.SPO2.low",
            "under",
        ),
    ],
)
def test_refusals_name_the_key_and_what_is_allowed(value: dict[str, Any], where: str, allowed: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_event(value)
    assert refused.value.where == where
    assert allowed in refused.value.allowed
    assert "\n" not in str(refused.value)


def test_unknown_keys_are_kept_and_listed() -> None:
    event = parse_event(
        {"t_s": 0, "kind": "limits.changed", "limits": {"HR": {"high": 120, "why": "run"}}, "mood": "calm"}
    )
    assert unknown_keys(event) == ["limits.HR.why", "mood"]
    assert event.model_dump()["mood"] == "calm"


def test_events_get_ids_by_place_and_ids_are_unique() -> None:
    ended = {"t_s": 9, "kind": "session.ended", "id": "x"}
    first, second = parse_events([{"t_s": 0, "kind": "session.started"}, ended])
    assert (first.id, second.id) == ("#0", "x")
    with pytest.raises(InputError, match="two events with the id"):
        parse_events([{"t_s": 0, "kind": "session.started", "id": "x"}, ended])


@pytest.mark.parametrize(("said", "grade"), [(False, 0), (True, 2), ("none", 0), ("Mild", 1), ("severe", 3), (1, 1)])
def test_distress_is_read_as_staff_say_it(said: object, grade: int) -> None:
    event = parse_event({"t_s": 0, "kind": "observation.recorded", "distress": said})
    assert event.model_dump()["distress"] == grade
