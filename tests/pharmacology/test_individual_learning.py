"""Saying what was learned: known answers from linear algebra, and no discovery where there is nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from limen.pharmacology.individual.evidence import match
from limen.pharmacology.individual.learning import of_estimate, of_posterior, outside, tail_probability
from limen.pharmacology.individual.map import Estimate
from limen.pharmacology.individual.observations import concentration, pressure, sedation
from limen.pharmacology.individual.prior import Prior
from limen.pharmacology.individual.solving import Candidate
from limen.pharmacology.individual.weighted import Posterior
from limen.pharmacology.models import get
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose

PATIENT = PatientProfile(age_years=42, weight_kg=70)


def prepare(names: tuple[str, ...], n: int, doses: list[Dose] | None = None) -> Prior:
    return Prior.prepare(
        [Candidate(get(name), 1.0) for name in names],
        doses or [Dose(35, "iv", 0, 40)],
        PATIENT,
        "racemic",
        n=n,
        rng=np.random.default_rng(8),
    )


def made(information: list[list[float]]) -> Estimate:
    """An estimate of two effects whose observations carry this information."""
    covariance = np.linalg.inv(np.array(information) + np.eye(2))
    return Estimate("x", ("V1", "CL"), np.zeros(2), covariance, np.eye(2), (), (), np.zeros(0), 3)


def test_an_effect_that_tightened_and_one_that_did_not() -> None:
    learned, blind = of_estimate(made([[3.0, 0.0], [0.0, 0.05]]))
    assert [item.learned for item in learned] == [True, False]
    assert [item.spread_ratio for item in learned] == pytest.approx([0.5, 1 / math.sqrt(1.05)])
    assert "did not tighten" in learned[1].because
    assert [direction.loading_ratio for direction in blind] == [{"CL": pytest.approx(1.0, abs=0.01)}] or [
        direction.loading_ratio for direction in blind
    ] == [{"CL": pytest.approx(-1.0, abs=0.01)}]


def test_a_sum_that_is_known_leaves_the_difference_unknown() -> None:
    """One very good measurement of V1 + CL: both look learned, their difference is not identified."""
    learned, blind = of_estimate(made([[1000.0, 1000.0], [1000.0, 1000.0]]))
    assert all(item.learned for item in learned)
    assert [item.spread_ratio for item in learned] == pytest.approx([math.sqrt(0.5)] * 2, rel=1e-3)
    assert len(blind) == 1
    parts = blind[0].loading_ratio
    assert parts["V1"] == pytest.approx(-parts["CL"], rel=1e-3)
    assert blind[0].spread_ratio == pytest.approx(1.0, abs=1e-3)


def test_nothing_is_found_where_there_is_nothing() -> None:
    """Weights that have nothing to do with the draws: of some thirty effects, thirty times, hardly one is learned."""
    prior = prepare(("fanta-otto-2021", "simons-2022", "domino"), 400)
    start = Posterior.of(prior)
    seen = (match(prior, pressure(20, 133, 128)),)
    rng = np.random.default_rng(9)
    found = 0
    for _ in range(30):
        weights = np.tile(np.exp(rng.normal(size=400)), 3)
        found += sum(
            item.learned for item in of_posterior(Posterior(prior, start.evidence, seen, weights / weights.sum(), 1, 1))
        )
    assert found <= 3


def test_something_is_found_where_there_is() -> None:
    prior = prepare(("clements-250",), 4000)
    times = np.arange(10.0, 200.0, 10.0)
    true = prior.curves["ketamine_plasma_ng_per_mL"][17]
    seen = [
        concentration("ketamine", "plasma", float(time), float(true[int(np.searchsorted(prior.time_min, time))]))
        for time in times
    ]
    learned = {item.effect: item for item in of_posterior(Posterior.of(prior).update(seen))}
    assert learned["CL"].learned
    assert learned["V1"].learned
    assert not learned["HEART_RATE_SLOPE"].learned


@pytest.mark.parametrize(("z", "expected"), [(-2.7, True), (-2.5, False), (0.0, False), (2.5, False), (2.7, True)])
def test_outside_is_beyond_the_99_percent_band(z: float, expected: bool) -> None:
    """One virtual patient: the prediction is log-normal about its curve, and 2.576 standard deviations hold 99 %."""
    prior = prepare(("domino",), 1)
    f = float(prior.at(concentration("ketamine", "plasma", 30, 1))[0])
    seen = match(prior, concentration("ketamine", "plasma", 30, f * math.exp(z * math.sqrt(math.log1p(0.236**2)))))
    assert tail_probability(seen, np.ones(1)) == pytest.approx(norm.cdf(z), rel=1e-9)
    assert outside(seen, prior) is expected


def test_the_tail_is_that_of_simulated_readings() -> None:
    prior = prepare(("fanta-otto-2021", "domino"), 500)
    seen = match(prior, pressure(25, 140, 128))
    rng = np.random.default_rng(10)
    rise = np.tile(prior.at(pressure(25, 140, 128)), 100)
    simulated = rise + 8 * rng.normal(size=len(rise)) + 8 * rng.normal(size=len(rise))
    assert tail_probability(seen, np.exp(prior.log_weight)) == pytest.approx((simulated < 12).mean(), abs=0.005)


def test_nobody_is_expected_to_be_unresponsive_at_a_treatment_dose() -> None:
    prior = prepare(("domino",), 200)
    assert outside(match(prior, sedation(30, 0)), prior)
    assert not outside(match(prior, sedation(30, 5)), prior)
    deep = prepare(("domino",), 200, [Dose(250, "iv")])
    assert not outside(match(deep, sedation(6, 0)), deep)
