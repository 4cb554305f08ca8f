"""Every protocol as it is ordered: a usual order, each wall, and what is refused; and what holds for all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from limen.care.case_json import case_from_json
from limen.care.planning import plan
from limen.knowledge.monitoring import monitoring
from limen.knowledge.protocols import Protocol, protocols

HERE = Path(__file__).parent
TABLE = YAML(typ="safe", pure=True).load((HERE / "table.yaml").read_text(encoding="utf-8"))
CLEAN = json.loads((HERE.parent / "screening" / "clean_trd.json").read_text(encoding="utf-8"))
# Where a stronger vial would leave nothing to measure the dose by, the strength is the syringe's own.
DRAWN = {"bolus", "infusion"}


def planned(protocol: Protocol, dose: str | None, *, weight_kg: float = 70, session_number: int = 1) -> dict[str, Any]:
    facts = CLEAN["facts"] | {
        "session_number": session_number,
        "rems_site_certified": True,
        "rems_patient_enrolled": True,
        "ventilated": protocol.id == "SE",
        "therapy_programme": True,
    }
    from_syringe = protocol.product == "racemic" and all(step.kind in DRAWN for step in protocol.steps)
    entry = CLEAN | {
        "patient": CLEAN["patient"] | {"weight_kg": weight_kg},
        "indication": protocol.indication,
        "product": protocol.product,
        "route": protocol.route,
        "protocol": protocol.id,
        "setting": protocol.settings[0],
        "facts": facts,
        "request": {
            "concentration_mg_per_mL": 50 if from_syringe else None,
            "diluted": True if protocol.preparation else None,
        },
    }
    return plan(case_from_json(entry), protocol.id, dose).to_json()


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row['of']} {row.get('dose', 'as it stands')}: {row['why']}")
def test_row(row: dict[str, Any]) -> None:
    known = {key: row[key] for key in ("weight_kg", "session_number") if key in row}
    result = planned(protocols()[row["of"]], row.get("dose"), **known)
    if "refused" in row:
        assert result["released"] is False
        assert result["dose"] is None
        assert row["refused"] in [item["rule"] for item in result["blocked_by"]]
        return
    assert result["blocked_by"] == []
    expected = row.get("gives", row.get("held"))
    # A syringe is read to its mark: a dose stands up to 0.05 mL of 50 mg/mL, or a larger syringe's mark, under.
    assert expected - max(2.5, 0.03 * expected) <= result["dose"]["dose_mg"] <= expected * (1 + 1e-9)
    if "held" in row:
        assert result["limits"]["binding"]["name"] == row["by"]
    else:
        assert result["limits"]["binding"] is None or result["limits"]["binding"]["kind"] == "rounding"
    if "devices" in row:
        assert result["dose"]["devices"] == row["devices"]
        assert [step["dose_mg"] for step in result["dose"]["steps"]] == [28] * row["devices"]
        assert [step["at_min"] for step in result["dose"]["steps"]] == [5 * number for number in range(row["devices"])]


def test_every_protocol_has_an_order_and_a_refusal() -> None:
    ordered = {row["of"] for row in TABLE if "refused" not in row}
    refused = {row["of"] for row in TABLE if "refused" in row}
    everything = set(protocols())
    assert everything - ordered == {"EPI", "PERIOP-PCA"}
    assert everything - refused == {"CRPS-OP"}


@pytest.mark.parametrize("protocol", protocols().values(), ids=lambda one: one.id)
def test_outside_its_settings_it_is_read_and_never_ordered(protocol: Protocol) -> None:
    entry = CLEAN | {"indication": protocol.indication, "product": protocol.product, "route": protocol.route}
    entry |= {"protocol": protocol.id, "request": {}}
    for setting in ("clinic", "palliative", "emergency", "anaesthesia", "intensive-care", "home"):
        made = plan(case_from_json(entry | {"setting": setting}), protocol.id).to_json()
        barred = [item for item in made["findings"] if item["rule"] == f"{protocol.id}-SETTING"]
        assert bool(barred) == (setting not in protocol.settings)
        assert all(item["level"] == "block" for item in barred)
        if barred:
            assert made["released"] is False
            assert made["evidence"]["regulatory_status"]


def test_home_is_a_setting_of_no_protocol() -> None:
    assert [one.id for one in protocols().values() if "home" in one.settings] == []


DEFAULTED = {one.id for one in protocols().values() if not any(one.id in s.protocols for s in monitoring().schedules)}


def test_every_open_protocol_names_its_schedule() -> None:
    assert {"EPI"} == DEFAULTED
