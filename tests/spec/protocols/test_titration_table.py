"""Every titration rule: its steps, its ceiling, what is missing, and the cap that bound."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from limen.care.course import Reading
from limen.care.exposure import Exposure, History, Scored
from limen.care.plan_limits import standing_walls
from limen.care.plan_past import Asking
from limen.care.titration import propose
from limen.care.weights import Person
from limen.knowledge.protocols import Protocol, protocols

ROWS = YAML(typ="safe", pure=True).load((Path(__file__).parent / "titration.yaml").read_text(encoding="utf-8"))
ON, WEIGHT_KG = date(2026, 11, 21), 70.0
TOLERATED = {"y": True, "n": False, "?": None}
EFFECTS = {"enough": "enough", "not": "not-enough", None: None}


def given(protocol: Protocol, at: str, amount: float | None, tolerated: str, *more: Any) -> Exposure:
    effect, minutes, *_ = (*more, None, None)
    unit = "mg/kg" if protocol.titration is None else protocol.titration.unit
    dose_mg = amount
    if dose_mg is not None and unit.startswith("mg/kg"):
        dose_mg *= WEIGHT_KG
    if dose_mg is not None and unit.endswith("/h"):
        dose_mg *= minutes / 60
    return Exposure(
        at=datetime.fromisoformat(f"{at}T09:00").replace(tzinfo=UTC),
        dose_mg=dose_mg,
        product=protocol.product,
        route=protocol.route,
        protocol=protocol.id,
        duration_min=minutes or 0.0,
        weight_kg=WEIGHT_KG,
        tolerated=TOLERATED[tolerated],
        effect=EFFECTS[effect],  # type: ignore[arg-type]
    )


def proposed(row: dict[str, Any]) -> dict[str, Any]:
    protocol = protocols()[row["of"]]
    scores = [
        Scored(name, Reading(datetime.fromisoformat(f"{at}T08:00").replace(tzinfo=UTC), total))
        for key, name in (("madrs", "MADRS"), ("hamd", "HAM-D17"))
        for at, total in row.get(key, ())
    ]
    before = tuple(given(protocol, *entry) for entry in row["before"])
    duration = protocol.steps[0].duration
    runs_min = (duration.typical_min or 0.0) if duration is not None else 0.0
    asking = Asking(protocol.product, protocol.route, protocol.id, ON, History(before, tuple(scores)), runs_min)
    number = row.get("number", 1 + len(before))
    walls = standing_walls(protocol, Person(WEIGHT_KG, 170, "female", number), WEIGHT_KG, asking)
    return propose(protocol, asking, walls, WEIGHT_KG, number).to_json()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['of']}: {row['why']}")
def test_row(row: dict[str, Any]) -> None:
    found = proposed(row)
    assert found["decision"] == row["decision"], found["because"]
    assert found["by_hand"] is True
    assert row.get("says", "") in found["because"]
    assert (found["cap"] or {}).get("name") == row.get("cap")
    assert any(row["asks"] in ask for ask in found["ask"]) if "asks" in row else True
    if "value" not in row:
        assert found["proposal"] is None
        return
    assert found["proposal"]["value"] == row["value"]
    if "mg" in row:
        assert found["proposal"]["dose_mg"] == pytest.approx(row["mg"])


def test_every_rule_of_titration_has_its_rows() -> None:
    with_rule = {one.id for one in protocols().values() if one.titration is not None}
    assert with_rule <= {row["of"] for row in ROWS}


@pytest.mark.parametrize(
    "protocol", [one for one in protocols().values() if one.titration is not None], ids=lambda one: one.id
)
def test_no_step_of_a_rule_lies_over_a_hard_limit(protocol: Protocol) -> None:
    rule = protocol.titration
    assert rule is not None
    same = [
        wall.limit for wall in protocol.walls if wall.unit == rule.unit and wall.kind == "hard" and wall.bound == "most"
    ]
    assert all(rung <= max(same) for rung in rule.rungs)
    assert rule.start is None or not rule.rungs or rule.start <= rule.rungs[-1]


def test_the_response_that_a_proposal_rests_on_is_shown_with_its_dates() -> None:
    row = {"of": "TRD-SC", "before": [["2026-11-17", 0.5, "y"]], "madrs": [["2026-11-16", 32], ["2026-11-20", 24]]}
    found = proposed(row)
    assert found["response"] == {
        "instrument": "MADRS",
        "total": 24,
        "on": "2026-11-20",
        "baseline": 32,
        "baseline_on": "2026-11-16",
        "pct": -25.0,
        "response": False,
    }
    assert found["proposal"] == {
        "dose": "0.6 mg/kg sc",
        "value": 0.6,
        "unit": "mg/kg",
        "dose_mg": 42.0,
        "step": 2,
        "of": 4,
    }
    assert found["sources"] == ["loo-2023-kads"]


def test_without_a_history_nothing_is_proposed_but_a_first_dose() -> None:
    protocol = protocols()["TRD-SC"]
    asking = Asking("racemic", "sc", "TRD-SC", ON)
    assert propose(protocol, asking, (), WEIGHT_KG, 1).decision == "start"
    for number in (None, 2):
        found = propose(protocol, asking, (), WEIGHT_KG, number)
        assert (found.decision, found.because) == ("none", "what was given before is not known")


@pytest.mark.parametrize(("course_from", "decision"), [(date(2026, 11, 17), "raise"), (date(2026, 11, 18), "start")])
def test_a_new_course_starts_again(course_from: date, decision: str) -> None:
    protocol = protocols()["ANX"]
    before = (given(protocol, "2026-11-10", 0.25, "y"), given(protocol, "2026-11-17", 0.25, "y"))
    asking = Asking("racemic", "sc", "ANX", date(2026, 11, 24), History(before, course_from=course_from))
    assert propose(protocol, asking, (), WEIGHT_KG).decision == decision
