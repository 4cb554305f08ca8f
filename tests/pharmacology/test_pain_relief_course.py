"""Long-lasting pain relief after a 100-h infusion: the mixture, the biophase and its numerical scheme."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from scipy.integrate import solve_ivp

from limen.errors import InputError
from limen.evidence import sources
from limen.pharmacology.courses import pain_relief as subject
from limen.pharmacology.courses.pain_relief import IN_RESPONDERS, OVER_PATIENTS, biophase, course, pain_relief
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose

Array = npt.NDArray[np.float64]
PATIENT = PatientProfile(age_years=46, weight_kg=70)
# 5, 10, 15 and 20 mg/h for 25 hours each.
STEPS = [Dose(rate * 25.0, "iv", 1500.0 * place, 1500.0) for place, rate in enumerate((5, 10, 15, 20))]
END_DAYS = 100 / 24
HALF_LIFE_DAYS = 10.9
C50 = 10.5


def test_relief_of_a_responder_agrees_with_an_ode_solver() -> None:
    """The venous model as published (133, 187, 98.8 L; 95.2, 23.2, 157 L/h) and the biophase solved at once."""
    volumes, flows, clearance = (133.0, 187.0, 98.8), (23.2, 157.0), 95.2
    rate_per_day = np.log(2) / HALF_LIFE_DAYS

    def slopes(hours: float, state: Array) -> list[float]:
        levels = [amount / volume for amount, volume in zip(state, volumes, strict=False)]
        across = [flow * (levels[0] - level) for flow, level in zip(flows, levels[1:], strict=True)]
        given = (5, 10, 15, 20)[min(int(hours // 25), 3)] if hours < 100 else 0.0
        cp = 1000 * levels[0]
        relief = rate_per_day / 24 * (cp / (C50 + cp) - state[3])
        return [given - clearance * levels[0] - sum(across), across[0], across[1], relief]

    state = np.zeros(4)
    seen = {}
    edges = [0.0, 25.0, 50.0, 75.0, 100.0, 240.0, 1200.0]
    for start, end in pairwise(edges):
        solved = solve_ivp(slopes, (start, end - 1e-9), state, rtol=1e-9, atol=1e-12, method="LSODA")
        state = solved.y[:, -1]
        seen[end] = 100 * state[3]
    found = course(STEPS, PATIENT, until_days=50, every_days=25 / 24).outputs[IN_RESPONDERS].typical
    at = {hours: found[round(hours / 25)] for hours in (25.0, 50.0, 75.0, 100.0, 1200.0)}
    for hours, relief in at.items():
        assert relief == pytest.approx(seen[hours], rel=1e-4)


def test_the_scheme_is_of_second_order() -> None:
    def smooth(time_min: Array) -> Array:
        return 40.0 * (1 - np.cos(time_min / 300.0))

    def slope(time_min: float, relief: Array) -> Array:
        cp = smooth(np.array(time_min))
        return np.log(2) / 700.0 * (cp / (C50 + cp) - relief)

    exact = solve_ivp(slope, (0, 4000), [0.0], rtol=1e-12, atol=1e-14, method="DOP853").y[0, -1]
    errors = []
    for steps in (200, 400, 800):
        time_min = np.linspace(0, 4000, steps + 1)
        found = biophase(time_min, smooth(time_min)[None, :], np.array([C50]), np.array([700.0]))
        errors.append(abs(found[0, -1] - exact))
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    np.testing.assert_allclose(orders, 2.0, atol=0.1)


def test_uneven_steps_under_a_steady_level_are_exact() -> None:
    time_min = np.array([0.0, 1.0, 50.0, 51.0, 4000.0, 20_000.0])
    found = biophase(time_min, np.full((1, 6), 31.5), np.array([C50]), np.array([9000.0]))
    np.testing.assert_allclose(found[0], 0.75 * (1 - 0.5 ** (time_min / 9000.0)), rtol=1e-12)


def test_relief_halves_every_10_9_days_once_plasma_is_empty() -> None:
    result = course(STEPS, PATIENT, until_days=77, every_days=HALF_LIFE_DAYS / 4)
    relief = result.outputs[IN_RESPONDERS].typical
    late = result.time_days > END_DAYS + 4
    np.testing.assert_allclose(relief[late][4:] / relief[late][:-4], 0.5, rtol=1e-3)


def test_relief_outlasts_treatment_by_weeks() -> None:
    """About 50 days (published): 4.6 half-lives, so that 4 to 5 % of the relief is left; the flag says it."""
    result = course(STEPS, PATIENT)
    relief = result.outputs[IN_RESPONDERS].typical
    end, later = np.interp([END_DAYS, END_DAYS + 50], result.time_days, relief)
    assert 0.5 ** (50 / 10.9) < later / end < 0.06
    (told,) = [flag.message for flag in result.flags if flag.code == "relief-outlasts"]
    assert "about 50 days" in told
    assert not [flag for flag in course(STEPS, PATIENT, until_days=30).flags if flag.code == "relief-outlasts"]


def test_the_mixture_over_patients() -> None:
    """67 +- 10 % respond with drug, 23 +- 9 % on placebo; of 1,000 virtual patients about two thirds."""
    result = course(STEPS, PATIENT, until_days=10, every_days=5, n=1000, rng=np.random.default_rng(3))
    over, within = result.outputs[OVER_PATIENTS], result.outputs[IN_RESPONDERS]
    np.testing.assert_allclose(over.typical, 0.67 * within.typical)
    assert over.between_patients is not None
    assert within.between_patients is not None
    # A third have none: the 5th percentile is 0, the median is that of the lower responders.
    assert over.between_patients.p05[1] == 0
    assert 0 < over.between_patients.p50[1] < within.between_patients.p50[1]
    assert within.between_patients.p05[1] < within.typical[1] < within.between_patients.p95[1]
    responders = pain_relief().responders
    assert (responders.ketamine.share_pct, responders.ketamine.se_pct) == (67, 10)
    assert (responders.placebo.share_pct, responders.placebo.se_pct) == (23, 9)
    told = next(flag.message for flag in result.flags if flag.code == "responder-mixture")
    assert "67 +- 10 %" in told
    assert "23 +- 9 % on placebo" in told


def test_estimates_are_drawn_within_their_intervals() -> None:
    z = np.random.default_rng(5).standard_normal(20_000)
    parameters = pain_relief()
    assert np.percentile(parameters.c50.drawn(z), [2.5, 50, 97.5]) == pytest.approx([4.4, 10.5, 21.2], rel=0.05)
    assert np.percentile(parameters.half_life.drawn(z), [2.5, 50, 97.5]) == pytest.approx([5.3, 10.9, 20.5], rel=0.05)


def test_patients_and_progress_do_not_depend_on_the_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    def run() -> tuple[Array, list[tuple[int, int]]]:
        calls: list[tuple[int, int]] = []
        result = course(
            STEPS,
            PATIENT,
            until_days=8,
            every_days=4,
            n=30,
            rng=np.random.default_rng(9),
            progress=lambda done, whole: calls.append((done, whole)),
        )
        spread = result.outputs[IN_RESPONDERS].between_patients
        assert spread is not None
        return np.stack([spread.p05, spread.p50, spread.p95]), calls

    whole, once = run()
    monkeypatch.setattr(subject, "_CHUNK", 7)
    parts, often = run()
    np.testing.assert_allclose(parts, whole, rtol=1e-9)
    assert once[-1] == often[-1] == (30, 30)
    assert len(often) == 5
    assert [done for done, _ in often] == sorted(done for done, _ in often)


@pytest.mark.parametrize(
    ("doses", "flagged"),
    [
        (STEPS, False),
        ([Dose(35, "iv", 0, 40)], True),
        ([Dose(4000, "iv", 0, 6000)], True),
    ],
)
def test_a_regimen_unlike_the_studys_is_flagged(doses: list[Dose], flagged: bool) -> None:
    codes = [flag.code for flag in course(doses, PATIENT, until_days=10).flags]
    assert ("effect-extrapolated" in codes) is flagged
    assert {"assumed-equation", "pain-relief-kinetics", "pain-relief-is-not"} <= set(codes)
    assert "after-follow-up" in [flag.code for flag in course(doses, PATIENT, until_days=100).flags]


@pytest.mark.parametrize(
    "wrong",
    [
        {"doses": []},
        {"model": "domino"},
        {"model": "nobody-2030"},
        {"until_days": 0.0},
        {"until_days": float("nan")},
        {"every_days": 1e-5},
        {"n": 5},
        {"n": -1},
        {"patient": PatientProfile()},
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, object]) -> None:
    given: dict[str, object] = {"doses": STEPS, "patient": PATIENT} | wrong
    with pytest.raises(InputError):
        course(given.pop("doses"), given.pop("patient"), **given)  # type: ignore[arg-type]


def test_sources_and_json() -> None:
    result = course(STEPS, PATIENT, until_days=10)
    assert set(result.sources) <= set(sources())
    entry = result.to_json()
    assert entry["responders"]["placebo"]["share_pct"] == 23
    assert len(entry["outputs"][IN_RESPONDERS]["typical"]) == len(entry["time_days"]) == 11
