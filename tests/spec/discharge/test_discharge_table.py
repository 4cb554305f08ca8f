"""DIS-1 to DIS-7 by their table: just inside, just outside, missing; and that more is never less."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from limen.care.discharge import DischargeFacts, Pressure, Readiness, Seen, readiness
from limen.knowledge.discharge import discharge

TABLE: dict[str, Any] = YAML(typ="safe", pure=True).load(Path(__file__).with_name("table.yaml"))
CASES = [(rule, case) for rule, cases in TABLE.items() for case in cases]
GOOD: dict[str, Any] = {
    "aldrete": 10,
    "moaas": 5,
    "oriented": True,
    "walks_unaided": True,
    "distress": 0,
    "spo2_pct": 98.0,
    "escort": True,
    "instructions_given": True,
}
END_T_S = 3000.0


def asked(case: dict[str, Any]) -> Readiness:
    minutes = case.get("minutes", 120)
    now = END_T_S + 60 * (120 if minutes is None else minutes)
    values = {key: value for key, value in {**GOOD, **case.get("seen", {})}.items() if value is not None}
    ages = case.get("age_min", {})
    start = case.get("start", [128, 78])
    pressures = case.get("pressures", [[126, 78]])
    product = case.get("product", "racemic")
    return readiness(
        DischargeFacts(
            at_t_s=now,
            product=product,
            route="in" if product == "esketamine-nasal" else case.get("route", "iv"),
            dose_end_t_s=None if minutes is None else END_T_S,
            first_device_t_s=END_T_S if product == "esketamine-nasal" else None,
            seen={key: Seen(now - 60 * ages.get(key, 5), value) for key, value in values.items()},
            pressures=tuple(
                Pressure(now - 60 * (len(pressures) - place), *pair) for place, pair in enumerate(pressures)
            ),
            baseline_sbp_mmHg=start[0],
            baseline_dbp_mmHg=start[1],
            baseline_spo2_pct=case.get("start_spo2", 98),
            session_number=case.get("session_number", 4),
        )
    )


@pytest.mark.parametrize(("rule", "case"), CASES)
def test_what_stands_against_leaving(rule: str, case: dict[str, Any]) -> None:
    answer = asked(case)
    assert [entry.rule for entry in answer.unmet] == case["unmet"]
    assert answer.ready == (case["unmet"] == [])
    if "not_recorded" in case:
        assert [entry.because.removesuffix(" not recorded") for entry in answer.not_recorded] == case["not_recorded"]
    if "afterwards" in case:
        assert [entry["rule"] for entry in answer.afterwards] == case["afterwards"]


def test_every_criterion_has_a_case_inside_outside_and_missing() -> None:
    for criterion in discharge().criteria:
        assert {case["is"] for case in TABLE.get(criterion.id, [])} == {"inside", "outside", "missing"}, criterion.id


def test_every_minimum_time_has_a_case_on_both_sides() -> None:
    for entry in discharge().times:
        cases = [
            case
            for case in TABLE["DIS-5"]
            if case.get("product") in entry.products
            or ("product" not in case and case.get("route", "iv") in entry.routes and "minutes" in case)
        ]
        assert {case["is"] for case in cases if case.get("minutes") is not None} >= {"inside", "outside"}, entry.id


def test_each_reason_says_its_criterion_and_its_support() -> None:
    (told,) = asked({"seen": {"aldrete": 8}}).to_json()["unmet"]
    assert told["rule"] == "DIS-1"
    assert told["title"] == "Modified Aldrete score"
    assert told["sources"]
    assert told["verification"] == "V2"
    assert "8" in told["because"]
    assert "9 or over" in told["because"]


@given(
    gone=st.sets(st.sampled_from(sorted(GOOD)), max_size=4),
    more=st.sampled_from(sorted(GOOD)),
    minutes=st.integers(0, 240),
)
def test_knowing_less_never_lets_anybody_leave_sooner(gone: set[str], more: str, minutes: int) -> None:
    known = asked({"seen": dict.fromkeys(gone), "minutes": minutes})
    less = asked({"seen": dict.fromkeys({*gone, more}), "minutes": minutes})
    assert known.ready or not less.ready
    assert {entry.rule for entry in known.unmet} <= {entry.rule for entry in less.unmet}
