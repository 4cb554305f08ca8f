"""Who the forecast is for: what is impossible is refused, what is unknown is named."""

from __future__ import annotations

from typing import Any

import pytest

from limen.errors import InputError
from limen.pharmacology.patient import PatientProfile

CONTRACT = {
    "age_years": 42,
    "sex": "female",
    "weight_kg": 70,
    "weight_on": None,
    "height_cm": 168,
    "ancestry": None,
    "egfr_mL_per_min": None,
    "child_pugh": None,
}


def test_reads_the_contract() -> None:
    profile, unknown = PatientProfile.from_json(CONTRACT | {"shoe_size": 40})
    assert profile.weight_kg == 70
    assert profile.ancestry is None
    assert unknown == ("shoe_size",)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("weight_kg", 700),
        ("weight_kg", 0),
        ("weight_kg", -70),
        ("weight_kg", "70"),
        ("weight_kg", True),
        ("weight_kg", float("nan")),
        ("weight_kg", float("inf")),
        ("weight_kg", 10**400),
        ("weight_kg", [70]),
        ("age_years", 130),
        ("age_years", -1),
        ("height_cm", 1.68),
        ("egfr_mL_per_min", -5),
        ("sex", "F"),
        ("ancestry", "martian"),
        ("child_pugh", "D"),
        ("weight_on", "yesterday"),
        ("weight_on", 20260101),
        ("sex", ["female"]),
    ],
)
def test_an_impossible_value_is_one_clear_error(key: str, value: Any) -> None:
    with pytest.raises(InputError) as problem:
        PatientProfile.from_json(CONTRACT | {key: value})
    assert problem.value.where == f"patient.{key}"
    assert problem.value.allowed
    assert "\n" not in str(problem.value)
