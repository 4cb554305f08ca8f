"""The measuring of calibration measures right; in short form the bands hold."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import chisquare, norm

from limen.errors import InputError
from limen.pharmacology.individual.calibration import (
    PLASMA,
    SCORED_MIN,
    STAGES,
    Design,
    Score,
    compared,
    crps,
    leaving_out,
    of_itself,
    prepare,
    readings,
)
from limen.pharmacology.individual.individualise import candidates_of
from limen.pharmacology.individual.solving import Candidate
from limen.pharmacology.models import ENSEMBLE, get

DESIGN = Design()
MEMBERS = candidates_of(ENSEMBLE, DESIGN.product, DESIGN.doses, DESIGN.patient)
THREE = [Candidate(get(name), 1.0) for name in ("clements-250", "domino", "kamp-2020")]


def test_crps_is_the_integral_of_the_squared_distance() -> None:
    """By its definition: the integral over x of (F(x) - 1{x >= truth})^2."""
    rng = np.random.default_rng(1)
    samples = np.sort(rng.normal(size=30))
    weights = rng.random(30)
    weights /= weights.sum()
    for truth in (-4.0, 0.3, 5.0):
        edges = np.unique([samples[0] - 6, *samples, truth, samples[-1] + 6])
        expected = sum(
            quad(lambda x: (weights[samples <= x].sum() - (x >= truth)) ** 2, low, high, limit=5)[0]  # noqa: B023
            for low, high in pairwise(edges)
        )
        assert float(crps(samples, weights, np.array(truth))) == pytest.approx(expected, rel=1e-6)


def test_crps_of_many_normal_samples_is_that_of_the_normal() -> None:
    """Closed form: z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi)."""
    samples = norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    weights = np.full(20_000, 1 / 20_000)
    for z in (-1.5, 0.0, 0.7):
        expected = z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi)
        assert float(crps(samples, weights, np.array(z))) == pytest.approx(expected, abs=1e-3)


def test_simulated_readings_have_the_errors_assumed() -> None:
    truth = prepare([Candidate(get("fanta-otto-2021"), 1.0)], DESIGN, 400, np.random.default_rng(2))
    rng = np.random.default_rng(3)
    ratios, rises = [], []
    for sample in range(400):
        chair, samples = readings(truth, sample, DESIGN, rng)
        at = int(np.searchsorted(truth.time_min, DESIGN.sampled_min[0]))
        ratios.append(np.log(samples[0].value / truth.curves[PLASMA][sample, at]))
        place = int(np.searchsorted(truth.time_min, DESIGN.chair_min[0]))
        rises.append(chair[0].value - truth.curves["sbp_change_mmHg"][sample, place])
    assert np.std(ratios) == pytest.approx(np.sqrt(np.log1p(0.236**2)), rel=0.12)
    # Cuff and baseline, 8 mmHg each.
    assert np.std(rises) == pytest.approx(np.hypot(8, 8), rel=0.12)


def test_a_perfect_forecaster_beats_a_shifted_one() -> None:
    def of(name: str, truth: str, crps_ratio: float) -> Score:
        return Score(name, truth, "before", PLASMA, 90.0, crps_ratio, 1.0, (10.0,) * 10, 5)

    scores = [of(ENSEMBLE, "a", 0.1), of(ENSEMBLE, "b", 0.3), of("a", "b", 0.2), of("b", "a", 0.2)]
    found = {item.member: item for item in compared(scores)}
    # Member a is judged on b's patients alone, where the ensemble scores 0.3; member b on a's.
    assert (found["a"].ensemble_crps_ratio, found["a"].ensemble_better) == (0.3, False)
    assert (found["b"].ensemble_crps_ratio, found["b"].ensemble_better) == (0.1, True)


def test_every_forecaster_meets_the_same_patients_and_never_knows_the_truth() -> None:
    told: list[tuple[int, int]] = []
    found = leaving_out(THREE, n=50, patients=2, seed=1, progress=lambda done, total: told.append((done, total)))
    assert told == [(done, 6) for done in range(1, 7)]
    pairs = {(item.forecaster, item.truth) for item in found}
    names = ["clements-250", "domino", "kamp-2020"]
    assert pairs == {(f, t) for t in names for f in [ENSEMBLE, *names] if f != t}
    again = leaving_out(THREE, n=50, patients=2, seed=1)
    assert [item.to_json() for item in again] == [item.to_json() for item in found]
    with pytest.raises(InputError, match="2 models"):
        leaving_out(THREE[:2], n=50, patients=2, seed=1)


@pytest.mark.slow
def test_bands_hold_for_patients_of_the_ensemble_itself() -> None:
    """Short form: 90 % bands of 6 x 40 patients hold 82 to 97 % (40 people allow that much)."""
    found = of_itself(MEMBERS, n=400, patients=40, seed=4)
    assert {item.stage for item in found} == set(STAGES)
    for item in found:
        assert 82 <= item.coverage_pct <= 97, (item.stage, item.output, item.coverage_pct)
    widths = [next(item.width_ratio for item in found if (item.stage, item.output) == (s, PLASMA)) for s in STAGES]
    assert widths[0] > widths[1] > widths[2]


@pytest.mark.soak
def test_bands_hold_in_full() -> None:
    """88 to 92 % at every stage and for every output; before anything is read ranks are uniform."""
    found = of_itself(MEMBERS, n=1000, patients=1000, seed=5)
    for item in found:
        assert 88 <= item.coverage_pct <= 92, (item.stage, item.output, item.coverage_pct)
    before = next(item for item in found if (item.stage, item.output) == ("before", PLASMA))
    # Times of one patient hang together: each patient counts as about one independent draw.
    assert chisquare(np.array(before.ranks_pct) / 100 * 1000).pvalue > 1e-3
    assert len(SCORED_MIN) == 8


@pytest.mark.soak
def test_the_ensemble_beats_any_fixed_member_on_average() -> None:
    found = compared(leaving_out(MEMBERS, n=500, patients=60, seed=6))
    for item in found:
        if item.output == PLASMA:
            assert item.ensemble_better, (item.member, item.stage)
