"""Relapse after response: every published row reproduced, or shown as missing."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats

from limen.errors import InputError
from limen.evidence import sources
from limen.pharmacology.courses.relapse import (
    CONSTANT,
    OUTPUT,
    RelapseCourse,
    Stage,
    constant_hazard_per_days,
    course,
    heavy_tail,
    relapse,
)


def well_at(result: RelapseCourse, days: float, name: str = OUTPUT) -> float:
    return float(np.interp(days, result.time_days, result.outputs[name].typical))


@pytest.mark.parametrize(
    ("stage", "days", "relapsed_pct"),
    [
        # Salloum 2019, one infusion (E17: 50 % by day 14 after 0.5 mg/kg).
        ("one-infusion-0.1-responders", 14, 80),
        ("one-infusion-0.5-responders", 14, 50),
        ("one-infusion-1.0-responders", 14, 30),
        ("one-infusion-0.5-remitters", 14, 50),
        ("one-infusion-1.0-remitters", 14, 38),
        # Murrough 2013, six infusions (E17: median 18 days; a quarter well at 83 days).
        ("six-infusions", 18, 50),
        ("six-infusions", 83, 75),
        # BEDROC, 12 weeks.
        ("oral-er-placebo", 84, 70.6),
        ("oral-er-180", 84, 42.9),
        # SUSTAIN-1, median on placebo.
        ("nasal-remitters-placebo", 273, 50),
    ],
)
def test_each_row_is_reproduced(stage: str, days: float, relapsed_pct: float) -> None:
    assert 100 - well_at(course(stage, until_days=300), days) == pytest.approx(relapsed_pct, abs=0.01)


@pytest.mark.parametrize(
    ("stage", "per_day"),
    [
        ("one-infusion-0.1-responders", 0.115),
        ("one-infusion-0.5-responders", 0.050),
        ("one-infusion-1.0-responders", 0.025),
        ("one-infusion-1.0-remitters", 0.034),
        ("six-infusions", 0.039),
        ("oral-er-placebo", 0.0146),
        ("oral-er-180", 0.0067),
        ("nasal-remitters-placebo", 0.0025),
        ("nasal-remitters-drug", 0.0012),
    ],
)
def test_constant_hazard_reading_of_each_row(stage: str, per_day: float) -> None:
    result = course(stage, until_days=10)
    hazard = -np.log(result.outputs[CONSTANT].typical[-1] / 100) / 10
    assert hazard == pytest.approx(per_day, rel=0.05)


def test_hazard_ratio_of_kept_treatment() -> None:
    """SUSTAIN-1 remitters (E10): HR 0.49 (0.29 to 0.84)."""
    placebo = course("nasal-remitters-placebo", until_days=365)
    drug = course("nasal-remitters-drug", until_days=365, n=6_000, rng=np.random.default_rng(1))
    ratio = np.log(drug.outputs[OUTPUT].typical[1:] / 100) / np.log(placebo.outputs[OUTPUT].typical[1:] / 100)
    np.testing.assert_allclose(ratio, 0.49, rtol=1e-9)
    spread = drug.outputs[OUTPUT].between_patients
    assert spread is not None
    at_year = np.log(placebo.outputs[OUTPUT].typical[-1] / 100)
    low, high = (float(np.log(edge[-1] / 100) / at_year) for edge in (spread.p95, spread.p05))
    # 5th and 95th percentile of a lognormal on each side of 0.49 with ends 0.29 and 0.84.
    assert low == pytest.approx(0.49 * (0.29 / 0.49) ** (1.645 / 1.96), rel=0.03)
    assert high == pytest.approx(0.49 * (0.84 / 0.49) ** (1.645 / 1.96), rel=0.03)


def test_quartiles_of_the_six_infusion_series_are_missed() -> None:
    """A quarter by day 11 and three quarters by day 27: the falling hazard gives too many early, too few by day 27."""
    result = course("six-infusions", until_days=90)
    relapsed = {point.at_days: 100 - well_at(result, point.at_days) for point in relapse().stages["six-infusions"].also}
    assert relapsed[11] > 25 + 10
    assert relapsed[27] < 75 - 10
    assert any("quartiles it misses" in flag.message for flag in result.flags)


@pytest.mark.parametrize("stage", ["one-infusion-0.1-remitters", "nasal-responders-placebo", "nasal-responders-drug"])
def test_a_row_without_a_time_has_no_curve_and_says_why(stage: str) -> None:
    result = course(stage)
    assert result.outputs == {}
    (told,) = [flag.message for flag in result.flags if flag.code == "relapse-not-known"]
    assert str(result.row.missing) in told
    assert result.to_json()["row"]["missing"]
    assert json.loads(json.dumps(result.to_json(), allow_nan=False))["outputs"] == {}


def test_hazard_ratios_are_carried_even_without_a_curve() -> None:
    link = relapse().stages["nasal-responders-drug"].hazard_of
    assert link is not None
    assert (link.hazard_ratio, link.low, link.high) == (0.30, 0.16, 0.55)


def test_the_hazard_falls_with_depth_and_length_of_treatment() -> None:
    """About 20-fold from one infusion to 16 weeks with stable remission."""
    order = ["one-infusion-0.5-responders", "six-infusions", "oral-er-placebo", "nasal-remitters-placebo"]
    well = [well_at(course(stage), 60) for stage in order]
    assert well == sorted(well)
    assert constant_hazard_per_days(14, 50) / constant_hazard_per_days(273, 50) == pytest.approx(20, rel=0.05)


def test_the_tail_is_a_gamma_of_constant_hazards() -> None:
    """A second implementation: people with constant hazards that differ by a gamma."""
    shape = relapse().shape
    scale_days = 14 / np.expm1(np.log(2) / shape)
    hazards = stats.gamma(shape, scale=1 / scale_days)
    days = np.array([0.0, 3.0, 14.0, 100.0, 1000.0])
    found = heavy_tail(days, 14, 50, shape)
    people = hazards.ppf((np.arange(20_000) + 0.5) / 20_000)
    np.testing.assert_allclose(found, np.exp(-people * days[:, None]).mean(axis=1), atol=1e-4)
    falling = -np.diff(np.log(found)) / np.diff(days)
    assert (np.diff(falling) < 0).all()


def test_a_long_tail_with_a_large_exponent_is_a_constant_hazard() -> None:
    days = np.linspace(0, 200, 50)
    constant = np.exp(-constant_hazard_per_days(18, 50) * days)
    np.testing.assert_allclose(heavy_tail(days, 18, 50, 1e7), constant, rtol=1e-4)


@pytest.mark.parametrize(
    "wrong",
    [
        {"stage": "two-infusions"},
        {"until_days": 0.0},
        {"until_days": float("inf")},
        {"every_days": float("nan")},
        {"every_days": 1e-6},
        {"n": 3},
        {"n": -1},
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, object]) -> None:
    given: dict[str, object] = {"stage": "six-infusions"} | wrong
    stage = given.pop("stage")
    with pytest.raises(InputError):
        course(stage, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"missing": None}, "says what is missing"),
        (
            {
                "relapsed_by": {"at_days": 1, "relapsed_pct": 50},
                "hazard_of": {"stage": "x", "hazard_ratio": 1, "low": 1, "high": 1},
            },
            "not both",
        ),
        ({"hazard_of": {"stage": "x", "hazard_ratio": 1, "low": 2, "high": 3}}, "hazard_ratio <= high"),
        ({"relapsed_by": {"at_days": 1, "relapsed_pct": 0}}, "greater than 0"),
    ],
)
def test_a_stage_that_cannot_be_right_is_refused(changed: dict[str, object], words: str) -> None:
    entry = {"title": "t", "definition": "d", "source": "pd-salloum-2019", "verification": "V", "missing": "m"}
    with pytest.raises(ValidationError, match=words):
        Stage.model_validate(entry | changed)


def test_every_stage_is_cited_and_drawn_or_missing() -> None:
    for name, stage in relapse().stages.items():
        result = course(name)
        assert set(result.sources) <= set(sources())
        assert bool(result.outputs) == (stage.missing is None)
        for curve in result.outputs.values():
            assert curve.typical[0] == 100
            assert (np.diff(curve.typical) < 0).all()
