"""One dose towards a level by routes that no pump serves: shares of patients, limits, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from limen.errors import InputError
from limen.pharmacology.forecast import forecast
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose
from limen.pharmacology.single_dose import SingleDose, one_dose
from limen.pharmacology.targets import Target, Wall

PERSON = PatientProfile(age_years=42, weight_kg=70)
PLASMA = "ketamine_plasma_ng_per_mL"
LARGEST = Wall("largest dose", "total", 70, "mg")


def asked(**changes: Any) -> SingleDose:
    options: dict[str, Any] = {
        "target": Target(PLASMA, 120, 0, 60), "route": "im", "product": "racemic", "walls": [LARGEST], "step_mg": 10,
        "n": 40,
    }  # fmt: skip
    options |= changes
    target, route, product, walls = (options.pop(key) for key in ("target", "route", "product", "walls"))
    return one_dose(target, PERSON, product, route, walls, **options)


def test_the_least_dose_that_is_enough_is_advised_and_the_next_below_is_not_enough() -> None:
    found = asked()
    assert found.advised is not None
    place = found.tried.index(found.advised)
    highest = [item.highest["typical"] for item in found.tried]
    assert highest[place] is not None
    assert highest[place] >= 120  # type: ignore[operator]
    assert highest[place - 1] < 120  # type: ignore[operator]


def test_levels_are_linear_in_the_dose_and_so_is_nothing_else_assumed() -> None:
    """Every model is linear: twice the dose has twice the level in the same patients."""
    by_dose = {item.dose_mg: item for item in asked().tried}
    for level in ("typical", "p05", "p95"):
        assert by_dose[40.0].highest[level] == pytest.approx(2 * by_dose[20.0].highest[level])  # type: ignore[operator]


def test_the_share_of_patients_grows_with_the_dose_and_is_counted() -> None:
    found = asked(n=100)
    shares = [item.reached_probability for item in found.tried]
    assert shares == sorted(shares)
    made = forecast([Dose(50, "im")], PERSON, until_min=61, every_min=1, n=100, rng=np.random.default_rng(1))
    band = made.outputs[PLASMA].between_patients
    assert band is not None
    # half of the virtual patients reach the median of their own peaks
    middle = asked(
        n=100, target=Target(PLASMA, float(next(i for i in found.tried if i.dose_mg == 50).highest["p50"]), 0, 60)
    )  # type: ignore[arg-type]
    of_fifty = next(item for item in middle.tried if item.dose_mg == 50)
    assert of_fifty.reached_probability == pytest.approx(0.5, abs=0.02)


def test_a_limit_keeps_a_dose_from_being_advised_and_is_named() -> None:
    tight = Wall("ceiling", "peak", 100, "ng/mL", output=PLASMA)
    found = asked(walls=[LARGEST, tight])
    assert found.advised is None
    assert found.to_json()["dose_mg"] is None
    high = [item for item in found.tried if (item.highest["typical"] or 0) > 100]
    assert high
    assert all("ceiling" in item.passed for item in high)
    assert found.tried[0].touched["largest dose"] == 10


def test_nasal_esketamine_is_counted_in_devices() -> None:
    target = Target("S_ketamine_plasma_ng_per_mL", 70, 0, 120)
    wall = Wall("three devices", "total", 84, "mg")
    found = asked(target=target, product="esketamine-nasal", route="in", walls=[wall], step_mg=None)
    assert [(item.devices, item.dose_mg) for item in found.tried] == [(1, 28), (2, 56), (3, 84)]
    # Perez-Ruixo 2021: mean peaks of 43.8, 72.5 and 101 ng/mL after 28, 56 and 84 mg
    for item, seen in zip(found.tried, (43.8, 72.5, 101.0), strict=True):
        assert item.highest["typical"] == pytest.approx(seen, rel=0.05)
    assert found.advised is not None
    assert found.advised.devices == 2


def test_an_effect_may_be_aimed_at() -> None:
    found = asked(target=Target("dissociation_pct", 30, 0, 90), n=20)
    assert found.advised is not None
    assert 0 < found.advised.reached_probability < 1


def test_what_is_assumed_of_absorption_is_told_and_the_answer_is_json() -> None:
    entry = asked(route="sc", n=10).to_json()
    json.dumps(entry, allow_nan=False)
    codes = {flag["code"] for flag in entry["flags"]}
    assert {"single-dose", "assumed-absorption"} <= codes


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"route": "iv"}, "one dose by vein"),
        ({"walls": []}, "no largest dose"),
        ({"walls": [LARGEST, Wall("rate", "rate", 30, "mg/h")]}, "a rate"),
        ({"step_mg": 1.0}, "70 doses"),
        ({"step_mg": 0.0}, "step of 0.0 mg"),
        ({"step_mg": 100.0}, "0 doses"),
        ({"n": 0}, "population of 0"),
        ({"target": Target("shoe_size", 3, 0, 60)}, "shoe_size is not forecast"),
        ({"product": "esketamine-nasal", "route": "in", "step_mg": 14.0}, "whole devices"),
        ({"route": "sc", "product": "s-ketamine"}, "sc"),
    ],
)
def test_what_cannot_be_answered_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        asked(**changes)
