"""Whether a dose can be given with what there is: strength, dead space, syringe, pump; every unit and weight of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from limen.care.case_json import case_from_json
from limen.care.planning import plan
from limen.care.site_dosing import site_dosing
from limen.errors import InputError
from limen.knowledge.protocols import get_protocol, protocols

CLEAN = json.loads((Path(__file__).parents[1] / "screening" / "clean_trd.json").read_text(encoding="utf-8"))


def planned(
    protocol: str, dose: str | None = None, *, site: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    known = get_protocol(protocol)
    facts = CLEAN["facts"] | {"session_number": more.get("session_number", 9), "therapy_programme": True}
    entry = CLEAN | {
        "patient": CLEAN["patient"] | more.get("patient", {}),
        "indication": known.indication,
        "product": known.product,
        "route": known.route,
        "setting": known.settings[0],
        "facts": facts,
        "request": {"concentration_mg_per_mL": more.get("vial"), "diluted": more.get("diluted")},
    }
    declared = None if site is None else site_dosing(site)
    basis = more.get("basis")
    return plan(case_from_json(entry), protocol, dose, weight_basis=basis, site=declared).to_json()


def rules(made: dict[str, Any]) -> set[str]:
    return {item["rule"] for item in made["blocked_by"]}


def test_every_unit_of_one_dose_agrees() -> None:
    # 35 mg over 40 min in 70 kg: 52.5 mg/h, 0.75 mg/kg/h, 12.5 mcg/kg/min, 35 mL of 1 mg/mL at 52.5 mL/h.
    dose = planned("TRD-IV", "0.5 mg/kg iv over 40 min", vial=50, diluted=True)["dose"]
    assert (dose["dose_mg"], dose["dose_mg_per_kg"], dose["rate_mg_per_h"]) == (35, 0.5, 52.5)
    assert (dose["rate_mg_per_kg_per_h"], dose["rate_mcg_per_kg_per_min"]) == (0.75, 12.5)
    (step,) = dose["steps"]
    assert (step["volume_mL"], step["rate_mL_per_h"], step["rate_mcg_per_kg_per_min"]) == (35, 52.5, 12.5)


@pytest.mark.parametrize(
    "dose", ["0.35 mg/kg/h iv over 4 h", "28.525 mg/h iv over 4 h", "5.8333333333333 mcg/kg/min iv over 4 h"]
)
def test_a_dose_held_by_a_rate_is_exact(dose: str) -> None:
    # 0.35 mg/kg/h in 81.5 kg is 28.525 mg/h; 25 mg/h for 4 h is 100 mg and nothing beside it.
    made = planned("CRPS-OP", dose, vial=50, patient={"weight_kg": 81.5})
    assert (made["dose"]["dose_mg"], made["dose"]["rate_mg_per_h"]) == (100, 25)
    assert made["limits"]["binding"]["asked"] == pytest.approx(28.525)
    assert made["limits"]["binding"]["used"] == 25


@pytest.mark.parametrize(("vial", "blocked"), [(10, True), (50, False), (100, False)])
def test_the_nose_takes_50_mg_per_mL_or_stronger(vial: float, blocked: bool) -> None:
    made = planned("SDK-IN", "0.75 mg/kg in", vial=vial)
    assert ("DOSE-WEAK" in rules(made)) is blocked


def test_what_stays_in_the_atomiser_is_drawn_besides() -> None:
    # 52.5 mg of 50 mg/mL are 1.05 mL; the atomiser keeps 0.1 mL, 5 mg.
    syringe = planned("SDK-IN", "0.75 mg/kg in", vial=50)["dose"]["syringe"]
    assert (syringe["volume_mL"], syringe["dead_space_mL"]) == (1.05, 0.1)
    assert (syringe["fill_mL"], syringe["draw_with_dead_space_mL"]) == pytest.approx((1.15, 1.15))
    assert (syringe["dose_mg"], syringe["left_behind_mg"]) == (52.5, 5)


def test_the_line_of_a_site_is_filled_too() -> None:
    # 35 mL of 1 mg/mL and 2 mL in the line: 37 mg leave a vial of 50 mg/mL, 0.74 mL.
    made = planned("TRD-IV", vial=50, diluted=True, site={"equipment": {"dead_space_mL": 2}})
    syringe = made["dose"]["syringe"]
    assert (syringe["fill_mL"], syringe["left_behind_mg"]) == (37, 2)
    assert syringe["draw_with_dead_space_mL"] == pytest.approx(0.74)
    assert syringe["draw_mL"] == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("equipment", "blocked"),
    [
        ({"syringe_mL": 35}, None),
        ({"syringe_mL": 34.9}, "DOSE-SYRINGE"),
        ({"syringe_mL": 36, "dead_space_mL": 2}, "DOSE-SYRINGE"),
        ({"pump_least_mL_per_h": 52.5}, None),
        ({"pump_least_mL_per_h": 52.6}, "DOSE-PUMP"),
        ({"pump_most_mL_per_h": 52.5}, None),
        ({"pump_most_mL_per_h": 52.4}, "DOSE-PUMP"),
        ({}, None),
    ],
)
def test_what_a_site_cannot_give_is_refused(equipment: dict[str, float], blocked: str | None) -> None:
    made = planned("TRD-IV", "0.5 mg/kg iv over 40 min", vial=50, diluted=True, site={"equipment": equipment})
    assert rules(made) == (set() if blocked is None else {blocked})
    assert (made["dose"] is None) is (blocked is not None)


@pytest.mark.parametrize("vial", [100])
def test_a_strong_vial_never_runs_into_a_vein_undiluted(vial: float) -> None:
    for protocol in protocols().values():
        if (
            protocol.product == "racemic"
            and protocol.route == "iv"
            and len(protocol.steps) == 1
            and not protocol.closed
        ):
            step = protocol.steps[0]
            span = f" over {(step.duration.typical_min or 60) if step.duration else 0:g} min" if step.duration else ""
            made = planned(protocol.id, f"20 mg iv{span}", vial=vial, diluted=False)
            assert "DOSE-CONC" in rules(made), protocol.id


@pytest.mark.parametrize(
    "declared",
    [
        {"equipment": {"syringe_mL": 0}},
        {"equipment": {"dead_space_mL": -1}},
        {"equipment": {"pump_least_mL_per_h": 10, "pump_most_mL_per_h": 5}},
        {"equipment": {"pump": 5}},
        {"limits": [{"name": "a", "kind": "hard", "measure": "week", "limit": 0, "unit": "mg", "why": "x"}]},
        {"limits": [{"name": "a", "kind": "hard", "measure": "week", "limit": 5, "unit": "mg/h", "why": "x"}]},
        {"limits": [{"name": "a", "kind": "cap", "measure": "week", "limit": 5, "unit": "sessions", "why": "x"}]},
        {"limits": 2 * [{"name": "a", "kind": "hard", "measure": "week", "limit": 5, "unit": "mg", "why": "x"}]},
        [],
    ],
)
def test_a_declaration_that_cannot_be_is_refused(declared: Any) -> None:
    with pytest.raises(InputError):
        site_dosing(declared)


def test_a_limit_that_leaves_no_whole_device_blocks_the_dose() -> None:
    # A device holds 28 mg: of 56 mg a limit of 30 leaves no whole number, one of 28 leaves one.
    limit = {"name": "ours", "kind": "cap", "measure": "dose", "limit": 30, "unit": "mg", "why": "x"}
    made = planned("ESK-TRD", "56 mg in", site={"limits": [limit]})
    assert "DOSE-DEVICES" in rules(made)
    assert made["dose"] is None
    assert "DOSE-DEVICES" not in rules(planned("ESK-TRD", "56 mg in", site={"limits": [limit | {"limit": 28}]}))


def test_every_weight_stands_beside_the_one_used_and_its_reason() -> None:
    # Devine 1974, female, 170 cm: 45.5 + 2.3 x (170 / 2.54 - 60) = 61.43 kg; adjusted by 0.4 of the excess of 48.57.
    patient = {"weight_kg": 110, "height_cm": 170}
    made = planned("TRD-IV", vial=50, diluted=True, patient=patient, basis="ideal")
    weights = made["weights"]
    assert (weights["actual_kg"], weights["ideal_kg"], weights["adjusted_kg"]) == pytest.approx(
        (110, 61.43, 80.86), abs=0.01
    )
    assert (weights["basis"], weights["allowed"]) == ("ideal", ["actual", "ideal"])
    assert "body mass index of 30" in weights["because"]
    assert made["asked"]["dose_mg"] == pytest.approx(30.715, abs=0.01)
    with pytest.raises(InputError, match="not dosed by adjusted weight"):
        planned("TRD-IV", patient=patient, basis="adjusted")


@pytest.mark.parametrize(
    ("protocol", "age_years", "level"),
    [
        ("GA-IV", 15, "hold"),
        ("GA-IV", 16, None),
        ("ESK-ELD", 64, "warn"),
        ("ESK-ELD", 65, None),
        ("ESK-TRD", 17, "hold"),
    ],
)
def test_a_protocol_for_an_age_says_so(protocol: str, age_years: float, level: str | None) -> None:
    made = planned(protocol, patient={"age_years": age_years})
    assert [item["level"] for item in made["findings"] if item["rule"] == f"{protocol}-AGE"] == (
        [level] if level else []
    )
