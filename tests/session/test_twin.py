"""The twin at the chair: it learns what can be learned, says when it does not, and its bands hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from limen.care.leaving import leaving_after
from limen.errors import InputError
from limen.pharmacology.individual.evidence import match
from limen.pharmacology.individual.observations import observations_from_json, pressure
from limen.pharmacology.patient import PatientProfile
from limen.session.events import parse_events
from limen.session.forecast_event import ForecastUpdated
from limen.session.given import given_doses
from limen.session.header import SessionHeader
from limen.session.state import SessionState, fold
from limen.session.twin import Forecast, Reading, Subject, twin, twin_prior
from limen.session.twin_event import updated

SUBJECT = Subject(
    product="racemic",
    patient=PatientProfile(age_years=42, weight_kg=70),
    baseline={"sbp_mmHg": 128.0, "hr_per_min": 72.0},
    leaving=leaving_after("racemic", ["iv"], escort=True),
    setting="clinic",
    limits={"NIBP_SYS": 154.0, "HR": 110.0},
)
START = [
    {"t_s": 0, "kind": "session.started"},
    {"t_s": 60, "kind": "infusion.started", "dose_mg": 35, "duration_min": 40},
]


def state(*more: dict, at_t_s: float = 1500.0) -> SessionState:
    return fold(SessionHeader(), parse_events([*START, *more]), at_t_s=at_t_s)


@pytest.fixture(scope="module")
def prior():
    return twin_prior(SUBJECT, given_doses(state()), n=300, rng=np.random.default_rng(1))


def cuffs(*rises: float) -> list[Reading]:
    return [Reading(60.0 + 300.0 * (index + 1), "NIBP_SYS", 128.0 + rise) for index, rise in enumerate(rises)]


def event(found: Forecast, now_t_s: float = 1500.0, subject: Subject = SUBJECT) -> ForecastUpdated:
    return updated(found, subject, now_t_s=now_t_s, level_pct=99.0, rng=np.random.default_rng(2))


def test_nothing_seen_is_the_plain_forecast_and_says_so(prior) -> None:
    found = twin(prior, SUBJECT, state(), [])
    assert (found.readings, found.learned) == (0, False)
    np.testing.assert_allclose(found.posterior.weights, np.exp(prior.log_weight), rtol=1e-12)
    assert event(found).said.startswith("Nothing seen yet")


def test_high_pressures_raise_the_expected_peak_and_low_ones_lower_it(prior) -> None:
    peaks = [
        event(twin(prior, SUBJECT, state(), readings)).peak["p50"]
        for readings in (cuffs(-4, -3, -5), [], cuffs(15, 25, 30))
    ]
    assert peaks[0] < peaks[1] < peaks[2]


def test_what_was_learned_is_said_with_the_peak_before_and_after(prior) -> None:
    found = twin(prior, SUBJECT, state(), cuffs(15, 25, 30))
    assert found.learned
    assert "Learned from 3 readings: systolic expected to peak at" in event(found).said


def test_readings_just_as_expected_teach_nothing_and_that_is_said(prior) -> None:
    found = twin(prior, SUBJECT, state({"t_s": 900, "kind": "observation.recorded", "moaas": 5}), [])
    assert not found.learned
    assert "1 reading taught nothing" in event(found).said


def test_without_a_pressure_before_the_dose_cuffs_teach_nothing_and_nothing_is_judged(prior) -> None:
    blind = replace(SUBJECT, baseline={"sbp_mmHg": None, "hr_per_min": 72.0})
    found = twin(prior, blind, state(), cuffs(15, 25, 30))
    assert found.readings == 0
    made = event(found, subject=blind)
    assert "NIBP_SYS" not in made.bands
    assert made.peak is None
    assert "No pressure before the dose" in made.said


def test_a_reading_that_no_model_expects_is_named(prior) -> None:
    made = event(twin(prior, SUBJECT, state(), cuffs(5, 102)))
    assert "Systolic +102 mmHg from before the dose at minute 10 was outside what any model expected" in made.said


def test_the_order_of_readings_does_not_matter(prior) -> None:
    readings = [*cuffs(12, 18, 22), Reading(660.0, "HR", 80.0)]
    one, other = (twin(prior, SUBJECT, state(), found).posterior.weights for found in (readings, readings[::-1]))
    np.testing.assert_allclose(one, other, rtol=1e-9)


def test_the_minimum_stay_always_wins(prior) -> None:
    made = event(twin(prior, SUBJECT, state(), cuffs(-5, -5, -5)))
    assert made.ready["earliest_t_s"] == 60 + 40 * 60 + 60 * 60  # an hour after the dose, with an escort (DIS-5)
    assert all(level is None or level >= made.ready["earliest_t_s"] for level in made.ready["used_t_s"].values())
    assert made.ready["effects_t_s"]["p05"] < made.ready["earliest_t_s"]


def test_limits_that_nobody_passes_and_limits_that_everybody_passes(prior) -> None:
    low = replace(SUBJECT, limits={"NIBP_SYS": 120.0})
    high = replace(SUBJECT, limits={"NIBP_SYS": 280.0})
    found = twin(prior, SUBJECT, state(), [])
    assert [row["over_pct"] for row in event(found, subject=low).returns] == [100.0]
    assert [row["over_pct"] for row in event(found, subject=high).returns] == [0.0]


def test_a_pause_moves_what_is_left_of_the_dose() -> None:
    paused = state({"t_s": 660, "kind": "infusion.paused"}, at_t_s=700.0)
    assert [(round(dose.amount_mg, 6), dose.start_min) for dose in given_doses(paused)] == [(8.75, 0.0)]
    assert given_doses(fold(SessionHeader(), parse_events(START[:1]), at_t_s=100.0)) == ()


def test_an_earlier_session_with_a_high_peak_raises_what_is_expected_today() -> None:
    entry = {
        "kind": "earlier_peak", "dose": ["35 mg iv over 40 min"], "sbp_mmHg": 178.0, "baseline_sbp_mmHg": 128.0,
    }  # fmt: skip
    seen, _ = observations_from_json({"observations": [entry]})
    known = replace(SUBJECT, earlier=seen)
    doses = given_doses(state())
    before = twin_prior(known, doses, n=200, rng=np.random.default_rng(1))
    plain = event(twin(twin_prior(SUBJECT, doses, n=200, rng=np.random.default_rng(1)), SUBJECT, state(), []))
    told = event(twin(before, known, state(), []), subject=known)
    assert told.peak["p50"] > plain.peak["p50"] + 3
    assert told.readings == 1
    assert "Learned from 1 reading, 1 of them from earlier sessions" in told.said


def test_no_dose_no_twin(prior) -> None:
    with pytest.raises(InputError, match="no dose was given"):
        twin(prior, SUBJECT, fold(SessionHeader(), parse_events(START[:1]), at_t_s=100.0), [])


def test_a_product_without_an_ensemble_is_refused() -> None:
    with pytest.raises(InputError):
        twin_prior(replace(SUBJECT, product="unobtainium"), given_doses(state()), n=10, rng=np.random.default_rng(1))


@pytest.mark.slow
def test_ninety_nine_of_a_hundred_readings_of_such_patients_stay_in_the_band(prior) -> None:
    """Patients drawn from the ensemble, cuffs with their error: the band made before a reading holds it."""
    rng = np.random.default_rng(7)
    inside = total = 0
    shared_sd = 8.0
    for person in rng.choice(len(prior.log_weight), size=60, p=np.exp(prior.log_weight)):
        off = rng.normal(0.0, shared_sd)  # the one reading before the dose
        readings: list[Reading] = []
        for minute in range(10, 60, 10):
            made = event(twin(prior, SUBJECT, state(), readings), now_t_s=60.0 + 60.0 * minute)
            band = made.bands["NIBP_SYS"]
            asked = match(prior, pressure(float(minute), 128.0, 128.0))
            value = 128.0 + asked.predicted[person] + off + rng.normal(0.0, np.sqrt(asked.variance[person]))
            at = 60.0 + 60.0 * minute
            inside += np.interp(at, band.t_s, band.low) <= value <= np.interp(at, band.t_s, band.high)
            total += 1
            readings.append(Reading(at, "NIBP_SYS", float(value)))
    assert inside / total == pytest.approx(0.99, abs=0.012)
