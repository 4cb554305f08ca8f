"""Ready to leave: by effects, never before the minimum stay, and never a number for those who are not."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limen.errors import InputError
from limen.evidence import Verification
from limen.pharmacology.forecast import forecast
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.recovery import (
    Criterion,
    Leaving,
    MinimumStay,
    default_criteria,
    ready_to_leave,
    settled,
)
from limen.pharmacology.regimen import Dose

PATIENT = PatientProfile(age_years=42, weight_kg=70)
INFUSION = [Dose(35, "iv", 0, 40)]
EFFECT = "ketamine_effect_site_ng_per_mL"


def at_most(limit: float, output: str = EFFECT) -> Criterion:
    return Criterion(output, limit, "ng/mL", Verification.CLINIC_RULE, ("limen",), "for a test")


def stay(minutes: float, counts_from: Any = "end") -> MinimumStay:
    return MinimumStay(minutes, counts_from, "for a test", Verification.CLINIC_RULE, ("limen",))


def told(leaving: Leaving, **more: Any) -> dict[str, Any]:
    result = forecast(INFUSION, PATIENT, leaving=leaving, **more)
    entry: dict[str, Any] = json.loads(json.dumps(result.to_json(), allow_nan=False))
    return entry


@settings(max_examples=80, deadline=None)
@given(
    half_life=st.floats(5, 300),
    limit=st.floats(0.5, 99),
    after=st.floats(0, 200),
)
def test_an_exponential_is_under_its_limit_at_the_logarithm(half_life: float, limit: float, after: float) -> None:
    """100 x 2^(-t/h) is at the limit at h log2(100/limit): physics, to the bend of one minute of grid."""
    time = np.arange(0.0, 1001.0)
    exact = max(half_life * math.log2(100.0 / limit), after)
    found = settled((100.0 * 0.5 ** (time / half_life))[None, :], time, np.array(limit), after)[0]
    if exact > 1000.0:
        assert found == math.inf
    elif exact < 999.0:
        # The chord of a falling exponential lies above it: late by at most k/8 of a squared minute, never early.
        assert -1e-9 <= found - exact <= math.log(2.0) / half_life / 8.0 + 1e-9


def test_a_second_rise_starts_the_wait_again() -> None:
    time = np.arange(0.0, 61.0)
    curve = np.where(time < 20, 10.0, 0.0) + np.where((time >= 30) & (time < 40), 10.0, 0.0)
    assert settled(curve[None, :], time, np.array(5.0), 0.0)[0] == pytest.approx(39.5)


def test_a_model_that_must_not_be_believed_is_not_under_the_limit() -> None:
    time = np.array([0.0, 5.0, 10.0])
    assert settled(np.array([[np.nan, np.nan, 1.0]]), time, np.array(2.0), 0.0)[0] == 10.0
    assert settled(np.array([[1.0, 1.0, np.nan]]), time, np.array(2.0), 0.0)[0] == math.inf


def test_every_criterion_must_hold() -> None:
    time = np.arange(0.0, 121.0)
    curves = {"A": 120.0 - time, "B": 240.0 - 2.0 * time}
    one, other = at_most(50, "A"), at_most(100, "B")
    found = ready_to_leave(time, curves, None, Leaving((one, other)), dose_start_min=0, dose_end_min=0)
    assert found.typical_min[0] == pytest.approx(70.0)
    assert found.binding_fraction == {"A": 1.0, "B": 0.0} or found.binding_fraction == {"A": 0.0, "B": 1.0}
    harder = ready_to_leave(time, curves, None, Leaving((one, at_most(20, "B"))), dose_start_min=0, dose_end_min=0)
    assert harder.typical_min[0] == pytest.approx(110.0)
    assert harder.binding_fraction == {"A": 0.0, "B": 1.0}


def test_nobody_is_ready_before_the_last_dose_is_in() -> None:
    entry = told(Leaving((at_most(1e6),)))["ready_to_leave_h"]
    assert entry["forecast"]["typical"] == pytest.approx(40 / 60)


def test_the_minimum_stay_stands_beside_the_forecast_and_is_never_undercut() -> None:
    leaving = Leaving((at_most(100),), stay(120))
    entry = told(leaving, n=300, rng=np.random.default_rng(1), until_min=480)
    cell = entry["ready_to_leave_h"]
    assert cell["minimum_stay"]["earliest_h"] == pytest.approx(160 / 60)
    for level in ("typical", "p05", "p50", "p95"):
        assert cell["used"][level] >= 160 / 60 - 1e-12
        assert cell["used"][level] == pytest.approx(max(cell["forecast"][level], 160 / 60))
    assert cell["forecast"]["p05"] < 160 / 60
    assert cell["binding"]["minimum-stay"] > 0.5
    assert sum(cell["binding"].values()) == pytest.approx(1)
    assert "minimum-stay-binds" in {flag["code"] for flag in entry["flags"]}


def test_a_stay_from_the_first_dose_counts_from_there() -> None:
    cell = told(Leaving((at_most(100),), stay(120, "start")), until_min=480)["ready_to_leave_h"]
    assert cell["minimum_stay"]["earliest_h"] == pytest.approx(2.0)


@pytest.mark.slow
def test_a_share_not_ready_by_the_end_is_told_and_no_number_stands_for_it() -> None:
    entry = told(Leaving((at_most(30),)), n=400, rng=np.random.default_rng(1), until_min=200)
    cell = entry["ready_to_leave_h"]
    share = cell["not_ready_by_end_fraction"]
    assert 0.05 < share < 0.95
    assert cell["used"]["p95"] is None
    assert cell["used"]["p05"] is not None
    assert "recovery-after-horizon" in {flag["code"] for flag in entry["flags"]}
    # The share is that of the patients whose last value is over the limit.
    longer = told(Leaving((at_most(30),)), n=400, rng=np.random.default_rng(1), until_min=2000)["ready_to_leave_h"]
    assert longer["not_ready_by_end_fraction"] < share
    assert longer["used"]["p05"] == pytest.approx(cell["used"]["p05"], rel=1e-3)


def test_a_minimum_stay_past_the_end_is_not_cut_short() -> None:
    entry = told(Leaving((at_most(100),), stay(600)))
    assert entry["ready_to_leave_h"]["used"]["typical"] is None
    assert entry["ready_to_leave_h"]["forecast"]["typical"] is not None
    assert entry["ready_to_leave_h"]["not_ready_by_end_fraction"] == 1


def test_models_differ_in_it_too() -> None:
    cell = told(Leaving((at_most(50),)), until_min=600)["ready_to_leave_h"]
    between = cell["forecast"]["between_models"]
    assert between["low"] < cell["forecast"]["typical"] < between["high"]


def test_without_criteria_of_a_site_the_products_own_are_marked_as_a_rule() -> None:
    entry = told(Leaving(default_criteria("racemic")), until_min=600)
    assert entry["ready_to_leave_h"]["criteria"][0]["verification"] == "P"
    assert {"recovery-criteria", "no-minimum-stay"} <= {flag["code"] for flag in entry["flags"]}
    # The rule is what the typical patient has left 1.5 h after the end of this infusion.
    assert entry["ready_to_leave_h"]["forecast"]["typical"] == pytest.approx(130 / 60, rel=0.1)


def test_a_criterion_on_what_is_not_forecast_is_refused() -> None:
    with pytest.raises(InputError, match="R_norketamine is not forecast; allowed"):
        told(Leaving((at_most(1, "R_norketamine"),)))
    with pytest.raises(InputError, match="no criterion"):
        Leaving(())


@pytest.mark.slow
def test_weights_count_for_patients_too() -> None:
    """Kamp's level is under 50 ng/mL later than Domino's: weight moves the median to Kamp's."""
    leaving = Leaving((at_most(50),))
    rng = np.random.default_rng
    low = told(leaving, n=200, rng=rng(1), until_min=800, member_weight={"domino": 20})["ready_to_leave_h"]
    high = told(leaving, n=200, rng=rng(1), until_min=800, member_weight={"kamp-2020": 20})["ready_to_leave_h"]
    assert low["used"]["p50"] < high["used"]["p50"]


def test_one_model_alone_tells_it_too() -> None:
    from limen.pharmacology.simulate import simulate

    result = simulate(
        "kamp-2020",
        INFUSION,
        PATIENT,
        until_min=600,
        n=100,
        rng=np.random.default_rng(1),
        leaving=Leaving((at_most(50),), stay(60)),
    )
    cell = result.to_json()["ready_to_leave_h"]
    curve = result.outputs[EFFECT].typical
    last_over = float(result.time_h[curve > 50].max())
    assert last_over <= cell["forecast"]["typical"] <= last_over + 1 / 60
    assert cell["forecast"]["p05"] < cell["forecast"]["p50"] < cell["forecast"]["p95"]


@pytest.mark.parametrize(
    ("product", "route", "escort", "minutes", "counts_from"),
    [
        ("racemic", "iv", True, 60, "end"),
        ("racemic", "iv", False, 120, "end"),
        ("racemic", "iv", None, 120, "end"),
        ("esketamine-nasal", "in", True, 120, "start"),
    ],
)
def test_the_minimum_stay_is_that_of_the_discharge_rules(
    product: str, route: str, escort: bool | None, minutes: float, counts_from: str
) -> None:
    """DIS-5: 60 min after an infusion with an escort, 120 without; nasal 2 h from the first device."""
    from limen.care.leaving import leaving_after

    minimum = leaving_after(product, [route], escort=escort).minimum
    assert minimum is not None
    assert (minimum.stay_min, minimum.counts_from) == (minutes, counts_from)


def test_the_nasal_rule_is_what_is_left_when_effects_had_gone() -> None:
    """Most adverse effects were gone 1.5 h after dosing (Popova 2019): 56 mg is then just over its limit."""
    result = forecast(
        [Dose(56, "in")],
        PATIENT,
        "esketamine-nasal",
        until_min=600,
        leaving=Leaving(default_criteria("esketamine-nasal")),
    )
    assert result.to_json()["ready_to_leave_h"]["forecast"]["typical"] == pytest.approx(1.5, rel=0.1)
