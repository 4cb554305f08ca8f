"""What was given before, by any route and protocol, counts: by day, week and year of the site's own clock."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from limen.care.case_json import case_from_json
from limen.care.exposure_json import history_from_json
from limen.care.planning import plan
from limen.errors import InputError
from limen.knowledge.protocols import protocols

HERE = Path(__file__).parent
ROWS = YAML(typ="safe", pure=True).load((HERE / "previous.yaml").read_text(encoding="utf-8"))
CLEAN = json.loads((HERE.parent / "screening" / "clean_trd.json").read_text(encoding="utf-8"))
PRODUCTS = {"r": "racemic", "e": "esketamine-nasal", "s": "s-ketamine", "?": None}
ON = date(2026, 11, 21)


def exposure(row: dict[str, Any]) -> dict[str, Any]:
    """Sessions a month apart where only their number in the year is told, else as they stand."""
    every = [
        [(ON - timedelta(days=25 * place)).isoformat(), 84, "r", "iv", "PAIN-GEN"]
        for place in range(1, row.get("yearly", 0) + 1)
    ]
    sessions = []
    for at, dose_mg, product, route, *more in row.get("before", every):
        entry = {"dose_mg": dose_mg, "product": PRODUCTS[product], "route": route}
        entry |= dict(zip(("protocol", "duration_min"), more, strict=False))
        sessions.append(entry | ({"at": at} if "T" in str(at) else {"on": str(at)}))
    return {"zone": "Europe/Berlin", "sessions": sessions}


def planned(row: dict[str, Any]) -> dict[str, Any]:
    protocol = protocols()[row["of"]]
    facts = CLEAN["facts"] | {"session_number": row.get("number"), "therapy_programme": True}
    facts |= {"rems_site_certified": True, "rems_patient_enrolled": True}
    from_syringe = protocol.product == "racemic" and all(step.kind in {"bolus", "infusion"} for step in protocol.steps)
    entry = CLEAN | {
        "indication": protocol.indication,
        "product": protocol.product,
        "route": protocol.route,
        "setting": protocol.settings[0],
        "facts": facts,
        "request": {"concentration_mg_per_mL": 50 if from_syringe else None, "diluted": True},
    }
    if protocol.ages is not None and protocol.ages.from_years > 42:
        entry["patient"] = CLEAN["patient"] | {"age_years": 70}
    history, unknown = history_from_json(exposure(row), ON)
    assert unknown == ()
    return plan(case_from_json(entry), row["of"], row["dose"], history=history).to_json()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['of']}: {row['why']}")
def test_row(row: dict[str, Any]) -> None:
    made = planned(row)
    rules = {(item["rule"], item["level"]) for item in made["blocked_by"]}
    if "refused" in row:
        assert (row["refused"], "block") in rules
        assert made["dose"] is None
    elif "waits" in row:
        assert rules & {(row["waits"], "hold"), (row["waits"], "needs-data")}
        assert made["dose"] is None
    else:
        assert rules == set()
        expected = float(row["gives"] if "gives" in row else row["held"])
        # A syringe of 50 mg/mL is read to 0.05 mL: 2.5 mg at most under.
        assert expected - 2.5 <= made["dose"]["dose_mg"] <= expected
        binding = made["limits"]["binding"]
        if "held" in row:
            assert (binding["name"], binding["used"] < binding["asked"]) == (row["by"], True)


def test_without_a_history_nothing_is_counted_and_that_is_said() -> None:
    entry = CLEAN | {"indication": "crps", "protocol": "CRPS-OP"}
    made = plan(case_from_json(entry), "CRPS-OP", "0.35 mg/kg/h iv over 4 h").to_json()
    assert made["exposure"]["known"] is False
    assert [item["rule"] for item in made["missing"] if item["input"] == "exposure"] == ["CRPS-OP"]
    assert made["limits"]["day_max_mg"] == 100


def test_spans_without_a_limit_on_record_are_named() -> None:
    entry = CLEAN | {"indication": "crps", "protocol": "CRPS-OP"}
    made = plan(case_from_json(entry), "CRPS-OP").to_json()
    assert made["exposure"]["no_limit_on_record"] == ["week", "year", "course", "lifetime"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"sessions": [{"on": "2026-11-22", "dose_mg": 35}]}, "sessions.0.on"),
        ({"sessions": [{"at": "2026-11-22T00:30", "dose_mg": 35}]}, "sessions.0.at"),
        ({"sessions": [{"on": "2026-11-20", "dose_mg": -1}]}, "sessions.0.dose_mg"),
        ({"sessions": [{"on": "2026-11-20", "product": "ketamine"}]}, "sessions.0.product"),
        ({"sessions": [{"on": "2026-11-20", "protocol": "TRD-XX"}]}, "sessions.0.protocol"),
        ({"sessions": [{"dose_mg": 35}]}, "sessions.0.on"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"scores": [{"on": "2026-11-20", "instrument": "MADRS", "total": 61}]}, "total"),
        ({"scores": [{"on": "2026-11-20", "instrument": "MADRAS", "total": 6}]}, "instrument"),
    ],
)
def test_a_history_that_cannot_be_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as refusal:
        history_from_json(change, ON)
    assert says in str(refusal.value)


@pytest.mark.parametrize(
    ("done", "count", "due"), [({}, 11, False), ({}, 12, True), ({"MNT-5": "2026-11-19"}, 12, False), ({}, 24, True)]
)
def test_the_whole_treatment_is_reviewed_at_12_and_24_sessions(done: dict[str, str], count: int, due: bool) -> None:
    days = [(ON - timedelta(days=7 * (count - place))).isoformat() for place in range(count)]
    entry = {
        "done": done,
        "sessions": [{"on": day, "dose_mg": 35, "product": "racemic", "route": "iv"} for day in days],
    }
    if count == 24:
        entry["done"] = {"MNT-5": days[12]}
    history, _ = history_from_json(entry, ON)
    made = plan(case_from_json(CLEAN), "TRD-IV", history=history).to_json()
    assert ("MNT-5" in [item["rule"] for item in made["findings"]]) is due
