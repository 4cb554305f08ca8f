"""What is told of a dose at a wall: what was asked in its own measure, which way, and who may decide against it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from limen.care.case_json import case_from_json
from limen.care.planning import plan
from limen.knowledge.protocols import protocols

CLEAN = json.loads((Path(__file__).parents[1] / "screening" / "clean_trd.json").read_text(encoding="utf-8"))


def findings(protocol_id: str, dose: str, strength: float, diluted: bool) -> dict[str, dict[str, Any]]:
    protocol = protocols()[protocol_id]
    entry = CLEAN | {
        "indication": protocol.indication,
        "product": protocol.product,
        "route": protocol.route,
        "protocol": protocol.id,
        "setting": protocol.settings[0],
        "request": {"concentration_mg_per_mL": strength, "diluted": diluted},
    }
    return {item["title"]: item for item in plan(case_from_json(entry), protocol_id, dose).to_json()["findings"]}


# One person of 70 kg. An infusion over two days is asked by what falls into one: 24 h of 6 mg/h are 144 mg.
@pytest.mark.parametrize(
    ("protocol", "dose", "title", "because", "level", "override"),
    [
        (
            "CRPS-OP",
            "6 mg/h iv over 48 h",
            "Daily maximum",
            "Asked 144 mg, over the daily maximum of 100 mg",
            "warn",
            None,
        ),
        (
            "CRPS-OP",
            "4.2 mg/h iv over 24 h",
            "Daily maximum",
            "Asked 100.8 mg, over the daily maximum of 100 mg",
            "warn",
            None,
        ),
        (
            "TRD-IV",
            "0.5 mg/kg iv over 1 min",
            "Shortest reported",
            "Asked 1 min, under the shortest reported of 2 min",
            "block",
            "none",
        ),
    ],
)
def test_what_was_asked_stands_in_the_walls_own_measure(
    protocol: str, dose: str, title: str, because: str, level: str, override: str | None
) -> None:
    found = findings(protocol, dose, 50, diluted=True)[title]
    assert (found["because"], found["level"], found["override"]) == (because, level, override)


def test_two_days_under_the_daily_maximum_are_not_at_it() -> None:
    # 2 mg/h are 48 mg in a day, 96 mg in all.
    assert "Daily maximum" not in findings("CRPS-OP", "2 mg/h iv over 48 h", 50, diluted=True)


def test_a_dose_no_syringe_measures_is_refused_and_nobody_overrides_it() -> None:
    # 0.2 mg of 100 mg/mL are 0.002 mL; the smallest mark is 0.01 mL.
    found = findings("TRD-IV", "0.2 mg iv over 40 min", 100, diluted=False)["Too little to measure"]
    assert (found["rule"], found["level"], found["override"]) == ("DOSE-ROUND", "block", "none")
