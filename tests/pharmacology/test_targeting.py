"""A regimen towards a target: what it reaches, what holds it, and that no limit is ever passed."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from limen.errors import InputError
from limen.pharmacology.forecast import forecast
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose, Schedule
from limen.pharmacology.regimen_search import Amounts, Answers, Bounds, nearest, settable
from limen.pharmacology.targeting import Advice, Pump, Target, Wall, aim

PATIENT = PatientProfile(age_years=42, weight_kg=70)
PLASMA = "ketamine_plasma_ng_per_mL"
EFFECT = "ketamine_effect_site_ng_per_mL"
PUMP = Pump(1.0)
WIDE = (
    Wall("largest bolus", "bolus", 100, "mg"),
    Wall("fastest rate", "rate", 300, "mg/h"),
    Wall("most of a session", "total", 400, "mg"),
)


def wall(advice: Advice, name: str) -> dict[str, Any]:
    return next(limit for limit in advice.to_json()["limits"] if limit["name"] == name)


def codes(advice: Advice) -> set[str]:
    return {flag.code for flag in advice.flags}


def test_a_level_in_one_compartment_takes_what_physics_says() -> None:
    """V 10 L, k 0.1 /min: 100 mg/L needs 1000 mg at once and 100 mg/min to stay."""
    time = np.arange(0.0, 121.0)
    answers = Answers(time, np.exp(-0.1 * time) / 10, (1 - np.exp(-0.1 * time)) / 0.1 / 10)
    found = nearest(answers, 100.0, time >= 0, (0.0, 60.0, 120.0), Bounds(None, None, None), bolus=True)
    assert found.bolus_mg == pytest.approx(1000, rel=1e-6)
    assert found.rates_mg_per_min == pytest.approx((100, 100), rel=1e-6)
    # Without a bolus the level is reached from below, and no rate takes drug away.
    without = nearest(answers, 100.0, time >= 30, (0.0, 30.0, 120.0), Bounds(None, None, None), bolus=False)
    assert without.rates_mg_per_min[0] == pytest.approx(100 / (1 - math.exp(-3)), rel=1e-3)


def test_walls_hold_the_linear_program() -> None:
    time = np.arange(0.0, 121.0)
    answers = Answers(time, np.exp(-0.1 * time) / 10, (1 - np.exp(-0.1 * time)) / 0.1 / 10)
    for bounds in (
        Bounds(500.0, None, None),
        Bounds(None, 1200.0, None),
        Bounds(None, None, 3000.0),
        Bounds(None, None, None, ((answers, 80.0),)),
    ):
        found = nearest(answers, 100.0, time >= 0, (0.0, 60.0, 120.0), bounds, bolus=True)
        assert bounds.hold(found)
        assert found.total_mg > 0


def test_the_pump_gets_whole_steps() -> None:
    found = settable(Amounts(4.97, (0.517,), (0.0, 30.0)), 0.1, 0.5, Bounds(None, None, None))
    assert found.bolus_mg == pytest.approx(5.0)
    assert found.rates_mg_per_min[0] * 60 == pytest.approx(31.0)


def test_a_plasma_level_is_reached_and_the_forecast_of_the_regimen_says_so() -> None:
    target = Target(PLASMA, 150, 20, 90)
    advice = aim(target, PATIENT, "racemic", WIDE, PUMP, steps=3)
    assert advice.reached
    assert "target-not-reached" not in codes(advice)
    # Oracle: the ensemble's own forecast of the doses as given.
    seen = forecast(list(advice.doses), PATIENT, until_min=91).outputs[PLASMA].typical[20:91]
    assert advice.achieved["typical"] == pytest.approx(float(seen.mean()), rel=1e-9)
    assert seen.mean() == pytest.approx(150, rel=0.05)
    assert np.abs(seen / 150 - 1).max() < 0.25
    assert 1 <= sum(setting.kind == "infusion" for setting in advice.settings) <= 3


def test_what_is_added_up_is_what_is_forecast() -> None:
    """Superposition: the answers to 1 mg and to 1 mg/min make the forecast of any bolus and rates."""
    horizon = 120.0
    curves = [
        forecast(doses, PATIENT, until_min=horizon, member_weight={"domino": 0}).outputs[PLASMA].typical
        for doses in ([Dose(1, "iv")], [Dose(horizon, "iv", 0, horizon)])
    ]
    answers = Answers(np.arange(0.0, horizon + 1), *curves)
    amounts = Amounts(10.0, (0.8, 0.3), (0.0, 45.0, 100.0))
    whole = (
        forecast(list(amounts.doses()), PATIENT, until_min=horizon, member_weight={"domino": 0}).outputs[PLASMA].typical
    )
    np.testing.assert_allclose(
        answers.columns(amounts.changes_min, True) @ np.array([10.0, 0.8, 0.3]), whole, rtol=1e-9, atol=1e-9
    )
    assert Schedule.of(amounts.doses()).given_mg(horizon) == pytest.approx(amounts.total_mg)


def test_steps_are_what_the_syringe_and_the_pump_can_do() -> None:
    pump = Pump(2.0, rate_step_mL_per_h=0.5, bolus_step_mL=0.2)
    advice = aim(Target(EFFECT, 100, 20, 90), PATIENT, "racemic", WIDE, pump)
    for setting in advice.settings:
        step, volume = (0.2, setting.volume_mL) if setting.kind == "bolus" else (0.5, setting.rate_mL_per_h)
        assert volume is not None
        assert volume / step == pytest.approx(round(volume / step), abs=1e-6)
        assert setting.dose_mg == pytest.approx(setting.volume_mL * 2.0)
        assert setting.at_min % 5 == pytest.approx(0)


@pytest.mark.parametrize(
    ("limit", "name"),
    [
        (Wall("fastest rate", "rate", 10, "mg/h"), "fastest rate"),
        (Wall("most of a session", "total", 20, "mg"), "most of a session"),
        (Wall("ceiling", "peak", 60, "ng/mL", output=PLASMA), "ceiling"),
    ],
)
def test_a_target_out_of_reach_names_the_limit_that_holds_it(limit: Wall, name: str) -> None:
    walls = (Wall("largest bolus", "bolus", 5, "mg"), limit)
    advice = aim(Target(EFFECT, 300, 20, 120), PATIENT, "racemic", walls, PUMP)
    assert not advice.reached
    assert name in advice.to_json()["binding"]
    message = next(flag.message for flag in advice.flags if flag.code == "target-not-reached")
    assert name in message
    assert wall(advice, name)["used"] <= wall(advice, name)["limit"] * (1 + 1e-9)
    assert advice.achieved["typical"] is not None
    assert advice.achieved["typical"] < 270


def test_no_dose_at_all_where_nothing_is_allowed() -> None:
    advice = aim(Target(PLASMA, 100, 10, 60), PATIENT, "racemic", [Wall("none", "total", 0, "mg")], PUMP)
    assert advice.doses == ()
    assert advice.total_mg == 0
    assert not advice.reached
    assert advice.to_json()["binding"] == ["none"]


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    level=st.floats(20, 400),
    start=st.floats(0, 40),
    span=st.floats(10, 120),
    bolus=st.floats(0, 40),
    rate=st.floats(0, 90),
    total=st.floats(0, 120),
    ceiling=st.floats(20, 400),
    steps=st.integers(1, 4),
)
def test_limits_hold_always(**drawn: Any) -> None:
    walls = (
        Wall("bolus", "bolus", drawn["bolus"], "mg"),
        Wall("rate", "rate", drawn["rate"], "mg/h"),
        Wall("total", "total", drawn["total"], "mg"),
        Wall("peak", "peak", drawn["ceiling"], "ng/mL", output=PLASMA),
        Wall("peak of most", "peak", 1.3 * drawn["ceiling"], "ng/mL", output=PLASMA, statistic="p95"),
    )
    start, end = drawn["start"], drawn["start"] + drawn["span"]
    advice = aim(
        Target(EFFECT, drawn["level"], start, end), PATIENT, "racemic", walls, PUMP, steps=drawn["steps"], n=50
    )
    slack = 1 + 1e-9
    boluses = [dose.amount_mg for dose in advice.doses if dose.duration_min == 0]
    rates = [60 * dose.amount_mg / dose.duration_min for dose in advice.doses if dose.duration_min > 0]
    assert max(boluses, default=0.0) <= drawn["bolus"] * slack
    assert max(rates, default=0.0) <= drawn["rate"] * slack
    assert sum(dose.amount_mg for dose in advice.doses) <= drawn["total"] * slack
    assert len(rates) <= drawn["steps"]
    if advice.doses:
        # The forecast as anyone would ask for it, on the grid that the limits were held on.
        every = max(1.0, end / 240)
        seen = forecast(
            list(advice.doses), PATIENT, until_min=end + every, every_min=every, n=50, rng=np.random.default_rng(1)
        ).to_json()["summary"][PLASMA]["cmax"]
        assert seen["p95"] <= 1.3 * drawn["ceiling"] * (1 + 1e-6)
        assert seen["typical"] <= drawn["ceiling"] * (1 + 1e-6)
    assert advice.reached or "target-not-reached" in codes(advice)


def test_a_percentile_of_the_patients_is_brought_to_the_level() -> None:
    target = Target(EFFECT, 120, 20, 80, "p95")
    advice = aim(target, PATIENT, "racemic", WIDE, PUMP, n=100)
    assert advice.reached
    assert advice.achieved["p95"] == pytest.approx(120, rel=0.03)
    assert advice.achieved["p05"] is not None
    assert advice.achieved["p05"] < advice.achieved["typical"] < 120  # type: ignore[operator]


def test_an_effect_is_brought_to_its_level() -> None:
    advice = aim(Target("sbp_change_mmHg", 5.0, 20, 80), PATIENT, "racemic", WIDE, PUMP)
    assert advice.reached
    assert advice.achieved["typical"] == pytest.approx(5.0, rel=0.03)


def test_a_table_for_a_pump_follows_more_closely_than_one_rate() -> None:
    target = Target(EFFECT, 100, 10, 60)

    def apart(steps: int) -> float:
        advice = aim(target, PATIENT, "racemic", WIDE, PUMP, steps=steps, every_min=10)
        inside = (advice.time_h >= 10 / 60) & (advice.time_h <= 1)
        return float(np.abs(advice.curve[inside] - 100).mean())

    assert apart(6) <= apart(1) + 0.5


def test_it_says_that_it_advises_and_which_limits_were_not_given() -> None:
    advice = aim(Target(EFFECT, 60, 20, 60), PATIENT, "racemic", (), PUMP, steps=1)
    assert {"advice-only", "no-limit-given"} <= codes(advice)
    entry = json.loads(json.dumps(advice.to_json(), allow_nan=False))
    assert entry["advises"] is True
    assert entry["asked"]["level"] == 60
    assert entry["dose_mg"] == pytest.approx(sum(step["dose_mg"] for step in entry["steps"]))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"target": Target("S_norketamine_plasma_ng_per_mL", 10, 0, 60)}, "not forecast"),
        ({"target": Target(PLASMA, 10, 0, 60, "p95")}, "needs virtual patients"),
        ({"steps": 0}, "0 rates"),
        ({"every_min": 0.0}, "a change every 0"),
        ({"walls": (WIDE[0], WIDE[0])}, "one name"),
    ],
)
def test_what_cannot_be_asked_is_refused(change: dict[str, Any], says: str) -> None:
    way: dict[str, Any] = {"target": Target(PLASMA, 100, 0, 60), "walls": WIDE} | change
    target, walls = way.pop("target"), way.pop("walls")
    with pytest.raises(InputError, match=says):
        aim(target, PATIENT, "racemic", walls, PUMP, **way)


def test_targets_and_limits_that_cannot_be() -> None:
    with pytest.raises(InputError, match="over 0"):
        Target(PLASMA, float("nan"), 0, 60)
    with pytest.raises(InputError, match="rising"):
        Target(PLASMA, 10, 60, 60)
    with pytest.raises(InputError, match="0 or more"):
        Wall("x", "total", -1, "mg")
    with pytest.raises(InputError, match="names its output"):
        Wall("x", "peak", 1, "ng/mL")
    with pytest.raises(InputError, match="concentration_mg_per_mL 0"):
        Pump(0.0)
