"""The weighted-sample posterior: the right answer, whatever the order, and never more sure than what was seen."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.stats import multivariate_normal

from limen.errors import InputError
from limen.pharmacology.exposure import PERCENTILES
from limen.pharmacology.individual.evidence import Sums, log_sum_exp, match
from limen.pharmacology.individual.learning import tail_probability
from limen.pharmacology.individual.observations import (
    Observation,
    concentration,
    observations_from_json,
    pressure,
    sedation,
)
from limen.pharmacology.individual.prior import Prior
from limen.pharmacology.individual.solving import Candidate
from limen.pharmacology.individual.weighted import Posterior, effective_samples
from limen.pharmacology.models import get
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.pooling import weighted_percentiles
from limen.pharmacology.regimen import Dose

Array = npt.NDArray[np.float64]

PATIENT = PatientProfile(age_years=42, weight_kg=70)
INFUSION = [Dose(35, "iv", 0, 40)]
PLASMA = "ketamine_plasma_ng_per_mL"
IDS = ("fanta-otto-2021", "clements-250", "domino", "kamp-2020")


def prepare(ids: tuple[str, ...] = IDS, n: int = 400, seed: int = 1, **options: object) -> Prior:
    candidates = [Candidate(get(model_id), 1.0) for model_id in ids]
    rng = np.random.default_rng(seed)
    return Prior.prepare(candidates, INFUSION, PATIENT, "racemic", n=n, rng=rng, **options)  # type: ignore[arg-type]


PRIOR = prepare()
SEEN = [
    concentration("ketamine", "venous", 30, 140),
    pressure(15, 141, 128),
    concentration("S_ketamine", "venous", 60, 40),
    pressure(30, 139, 128),
    concentration("S_norketamine", "venous", 80, 18),
]


def clements(z: Array, times: Array) -> Array:
    """Two compartments by the matrix exponential, (patients, times), with the spread lent by fanta-otto-2021."""
    eta = z @ np.linalg.cholesky(np.array([[0.0842, 0.0226], [0.0226, 0.0260]])).T
    v1 = 1.7522 * 70 * np.exp(eta[:, 0])
    cl = 0.0109 * 1.7522 * 70 * np.exp(eta[:, 1])
    v2 = 1.7522 * 70 * 0.0186 / 0.0137
    q = 1.7522 * 70 * 0.0186
    matrix = np.zeros((len(z), 1, 3, 3))
    matrix[:, 0, 0, 0], matrix[:, 0, 0, 1] = -(cl + q) / v1, q / v2
    matrix[:, 0, 1, 0], matrix[:, 0, 1, 1] = q / v1, -q / v2
    after = matrix.copy()
    matrix[:, 0, 0, 2] = 35 / 40
    during = expm(matrix * np.minimum(times, 40)[:, None, None])[..., 2]
    rest = expm(after * np.maximum(times - 40, 0)[:, None, None])
    state = (rest @ during[..., None])[..., 0]
    found: Array = 1000 * state[..., 0] / v1[:, None]
    return found


def test_posterior_mean_is_that_of_a_grid() -> None:
    seen = [(40.0, 130.0), (70.0, 60.0), (120.0, 40.0)]
    edge = np.linspace(-3.5, 3.5, 25)
    z = np.stack(np.meshgrid(edge, edge), axis=-1).reshape(-1, 2)
    times, values = np.array(seen).T
    misfit = np.log(values / clements(z, times)) ** 2 / np.log1p(0.236**2)
    log_posterior = -0.5 * (z**2).sum(axis=1) - 0.5 * misfit.sum(axis=1)
    future = clements(z, np.array([200.0]))[:, 0]
    weight = np.exp(log_posterior - log_posterior.max())
    weight /= weight.sum()
    mean = float(weight @ future)
    sd = float(np.sqrt(weight @ (future - mean) ** 2))

    prior = prepare(("clements-250",), n=8000, until_min=200.0, every_min=200.0)
    found = Posterior.of(prior).update([concentration("ketamine", "plasma", time, value) for time, value in seen])
    assert found.effective_samples > 1000
    assert found.mean(PLASMA)[-1] == pytest.approx(mean, abs=4 * sd / np.sqrt(found.effective_samples))
    sample_sd = float(np.sqrt(found.weights @ (prior.curves[PLASMA][:, -1] - found.mean(PLASMA)[-1]) ** 2))
    assert sample_sd == pytest.approx(sd, rel=0.1)


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(len(SEEN))), cut=st.integers(0, len(SEEN)))
def test_neither_order_nor_steps_matter(order: list[int], cut: int) -> None:
    whole = Posterior.of(PRIOR).update(SEEN)
    shuffled = [SEEN[index] for index in order]
    stepwise = Posterior.of(PRIOR).update(shuffled[:cut]).update(shuffled[cut:])
    np.testing.assert_allclose(stepwise.weights, whole.weights, rtol=1e-8, atol=1e-15)
    np.testing.assert_allclose(stepwise.bands(PLASMA), whole.bands(PLASMA), rtol=1e-8)


def test_nothing_seen_changes_nothing() -> None:
    before = Posterior.of(PRIOR)
    after = before.update([])
    np.testing.assert_array_equal(after.weights, before.weights)
    np.testing.assert_array_equal(after.bands(PLASMA), before.bands(PLASMA))
    assert before.member_weights == pytest.approx(dict.fromkeys(IDS, 0.25))
    assert before.effective_samples == pytest.approx(len(before.weights))
    everyone = PRIOR.curves[PLASMA][:, PRIOR.shown]
    np.testing.assert_allclose(before.bands(PLASMA), np.percentile(everyone, PERCENTILES, axis=0), rtol=1e-9)


def test_shared_errors_have_the_likelihood_of_their_full_covariance() -> None:
    readings = [pressure(time, 128 + rise, 128) for time, rise in ((10, 4), (20, 9), (35, 30))]
    sums = Sums.none(len(PRIOR.log_weight))
    matches = [match(PRIOR, reading) for reading in readings]
    for found in matches:
        sums = sums.plus(found)
    for sample in (0, 500, 1234):
        r = np.array([found.observation.value - found.predicted[sample] for found in matches])
        covariance = np.diag([8.0**2] * 3) + 8.0**2
        expected = multivariate_normal(np.zeros(3), covariance).logpdf(r)
        assert sums.log_likelihood()[sample] == pytest.approx(expected, rel=1e-10)


def test_ten_readings_from_one_bad_baseline_teach_little() -> None:
    """A baseline 12 mmHg too low lifts every change alike: one error, not ten pieces of evidence."""
    true_rise = Posterior.of(PRIOR).mean("sbp_change_mmHg")[np.arange(1, 11)]
    shared = [
        pressure(float(time), 128 + rise, 128 - 12) for time, rise in zip(PRIOR.shown_min[1:11], true_rise, strict=True)
    ]
    apart = [
        pressure(float(time), 128 + rise + index, 128 - 12 + index)
        for index, (time, rise) in enumerate(zip(PRIOR.shown_min[1:11], true_rise, strict=True))
    ]
    before = Posterior.of(PRIOR).mean(PLASMA)[8]
    one_error = Posterior.of(PRIOR).update(shared).mean(PLASMA)[8]
    ten_errors = Posterior.of(PRIOR).update(apart).mean(PLASMA)[8]
    assert before < one_error < ten_errors


def test_a_member_that_cannot_predict_is_neither_favoured_nor_punished() -> None:
    """Only fanta-otto-2021 predicts norketamine; however odd the sample, its weight must not move."""
    for value in (5.0, 20.0, 200.0):
        found = Posterior.of(PRIOR).update([concentration("S_norketamine", "venous", 80, value)])
        if found.tempering_fraction == 1:
            assert found.member_weights["fanta-otto-2021"] == pytest.approx(0.25, rel=1e-9)
            assert found.member_weights["domino"] == pytest.approx(0.25, rel=1e-9)


def test_what_no_member_predicts_changes_nothing() -> None:
    found = Posterior.of(PRIOR).update([concentration("hydroxynorketamine", "venous", 80, 20)])
    np.testing.assert_array_equal(found.weights, Posterior.of(PRIOR).weights)
    assert not any(found.matches[0].predicts)


def test_the_model_that_made_the_data_gains_weight() -> None:
    typical = prepare(("domino",), n=1, seed=3, at_min=(40.0,))
    true = Posterior.of(typical)
    seen = [
        concentration("ketamine", "plasma", float(time), float(value))
        for time, value in zip(true.prior.shown_min[2:24:2], true.mean(PLASMA)[2:24:2], strict=True)
    ]
    found = Posterior.of(PRIOR).update(seen)
    assert max(found.member_weights, key=found.member_weights.__getitem__) == "domino"
    assert sum(found.member_weights.values()) == pytest.approx(1)


def test_samples_that_explain_nothing_are_tempered_and_told() -> None:
    impossible = [concentration("ketamine", "plasma", time, 4000.0) for time in (20.0, 40.0, 60.0, 90.0)]
    found = Posterior.of(PRIOR).update(impossible)
    assert found.tempering_fraction < 1
    assert found.untempered_samples < 100 <= found.effective_samples * 1.001
    assert np.isfinite(found.weights).all()
    assert found.weights.sum() == pytest.approx(1)


@pytest.mark.slow
def test_more_data_do_not_widen_on_average() -> None:
    rng = np.random.default_rng(9)
    widths: list[list[float]] = [[], [], []]
    for sample in rng.integers(0, len(PRIOR.log_weight), 60):
        member = get(PRIOR.ids[PRIOR.member_of[sample]])
        found = Posterior.of(PRIOR)
        for stage, times in enumerate(([], [20.0, 40.0], [60.0, 80.0, 110.0])):
            seen = []
            for time in times:
                true = PRIOR.curves[PLASMA][sample, int(np.searchsorted(PRIOR.time_min, time))]
                seen.append(
                    concentration("ketamine", member.matrix, time, float(true * max(0.1, 1 + 0.236 * rng.normal())))
                )
            found = found.update(seen)
            low, _, high = found.bands(PLASMA)[:, 24]
            widths[stage].append(float(np.log(high / low)))
    means = [float(np.mean(width)) for width in widths]
    assert means[0] > means[1] > means[2]


def test_duplicated_draws_change_nothing() -> None:
    values = np.random.default_rng(2).normal(size=50)
    weights = np.random.default_rng(3).random(50)
    once = weighted_percentiles(values, weights)
    twice = weighted_percentiles(np.tile(values, 2), np.tile(weights, 2))
    np.testing.assert_allclose(twice, once, atol=0.1)
    assert effective_samples(np.tile(weights, 2)) == pytest.approx(2 * effective_samples(weights))


def test_degenerate_weights() -> None:
    certain = np.zeros(5)
    certain[3] = 1.0
    assert effective_samples(certain) == 1.0
    assert log_sum_exp(np.full(3, -np.inf)) == -np.inf
    assert log_sum_exp(np.array([-np.inf, 0.0])) == 0.0
    alone = prepare(("domino",), n=1)
    found = Posterior.of(alone).update([concentration("ketamine", "plasma", 30, 90)])
    np.testing.assert_array_equal(found.weights, [1.0])


def test_weight_0_members_are_shown_and_not_counted() -> None:
    candidates = [Candidate(get("domino"), 0.0), Candidate(get("kamp-2020"), 2.0)]
    prior = Prior.prepare(candidates, INFUSION, PATIENT, "racemic", n=200, rng=np.random.default_rng(1))
    found = Posterior.of(prior).update([concentration("ketamine", "plasma", 30, 90)])
    assert found.member_weights == {"domino": 0.0, "kamp-2020": pytest.approx(1)}


def test_between_grid_points_a_straight_line_is_close() -> None:
    exact = prepare(at_min=(17.3, 52.6))
    for time in (17.3, 52.6):
        seen = concentration("ketamine", "plasma", time, 100)
        np.testing.assert_allclose(PRIOR.at(seen), exact.at(seen), rtol=2e-3)


def test_no_drug_before_the_bolus_between_two_grid_points() -> None:
    candidates = [Candidate(get("clements-250"), 1.0)]
    doses = [Dose(10, "iv", 30.0)]
    prior = Prior.prepare(candidates, doses, PATIENT, "racemic", n=5, rng=np.random.default_rng(1))
    assert prior.at(concentration("ketamine", "plasma", 29.5, 1)).max() == 0.0


def test_resampling_follows_the_weights() -> None:
    found = Posterior.of(PRIOR).update(SEEN)
    chosen = found.resample(20_000, np.random.default_rng(4))
    counts = np.bincount(chosen, minlength=len(found.weights))
    assert np.abs(counts - 20_000 * found.weights).max() <= 1.0


def test_the_same_person_in_every_member() -> None:
    first, second = (PRIOR.draws[PRIOR.member_of == place] for place in (0, 3))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("candidates", "n", "words"),
    [([], 10, "no model"), (["domino"], 0, "0 virtual patients"), (["domino"], 10**6, "1000000 virtual patients")],
)
def test_a_prior_that_cannot_be_drawn(candidates: list[str], n: int, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Prior.prepare(
            [Candidate(get(name), 1.0) for name in candidates],
            INFUSION,
            PATIENT,
            "racemic",
            n=n,
            rng=np.random.default_rng(1),
        )


def test_an_observation_after_the_horizon_is_refused() -> None:
    late: Observation = concentration("ketamine", "plasma", 300, 5)
    with pytest.raises(InputError, match="t_min 300 is after the end"):
        Posterior.of(PRIOR).update([late])


@pytest.mark.parametrize("levels", [PERCENTILES, (0.0, 2.5, 50.0, 97.5, 100.0)])
@pytest.mark.parametrize("concentrated", [0.0, 1.0, 30.0])
def test_bands_by_kernel_are_those_by_numpy(levels: tuple[float, ...], concentrated: float) -> None:
    """With equal weights, with uneven ones, with nearly all weight on one sample; Domino is NaN soon after a bolus."""
    candidates = [Candidate(get(name), 1.0) for name in IDS]
    prior = Prior.prepare(
        candidates, [Dose(20, "iv")], PATIENT, "racemic", n=150, rng=np.random.default_rng(1), every_min=2.0
    )
    uneven = np.exp(concentrated * np.random.default_rng(3).normal(size=len(prior.log_weight)))
    uneven[::7] = 0.0
    found = Posterior(prior, Posterior.of(prior).evidence, (), uneven / uneven.sum(), 1.0, 1.0)
    for name in (PLASMA, "sbp_change_mmHg"):
        np.testing.assert_allclose(
            found.bands(name, levels), found.bands(name, levels, compiled=False), rtol=1e-7, atol=1e-9
        )
    assert np.isnan(prior.by_time[PLASMA][0]).any()


def test_one_who_answers_is_not_among_the_most_sensitive() -> None:
    """Ratings of one person are no coin tosses: answering ten times at the same level tells as much as once."""
    candidates = [Candidate(get("domino"), 1.0)]
    prior = Prior.prepare(candidates, [Dose(140, "iv")], PATIENT, "racemic", n=300, rng=np.random.default_rng(1))
    shares = prior.at(sedation(6, 5)) / 100.0
    assert 0.05 < shares.mean() < 0.95
    once = Posterior.of(prior).update([sedation(6, 5)])
    again = once.update([sedation(6, 5)] * 9)
    np.testing.assert_allclose(again.weights, once.weights, rtol=1e-12)
    expected = 0.02 + 0.96 * (1.0 - shares)
    np.testing.assert_allclose(once.weights, expected / expected.sum(), rtol=1e-9)
    silent = Posterior.of(prior).update([sedation(6, 0)])
    later = silent.update([sedation(25, 5)])
    gone = prior.at(sedation(25, 5)) / 100.0
    expected = 0.02 + 0.96 * np.maximum(shares - gone, 0.0)
    np.testing.assert_allclose(later.weights, expected / expected.sum(), rtol=1e-9)


def test_an_earlier_session_is_solved_for_the_same_person() -> None:
    doses = ("50 mg iv over 40 min",)
    prior = prepare(("domino", "kamp-2020"), n=300, earlier=[doses])
    peak = {"kind": "earlier_peak", "dose": list(doses), "analyte": "ketamine", "matrix": "plasma"}
    seen, _ = observations_from_json({"observations": [peak | {"value_ng_per_mL": 250.0}]})
    predicted = prior.at(seen[0])
    now = prior.curves[PLASMA].max(axis=1)
    np.testing.assert_allclose(predicted / now, 50 / 35, rtol=2e-3)
    low, high = (
        Posterior.of(prior)
        .update(observations_from_json({"observations": [peak | {"value_ng_per_mL": value}]})[0])
        .mean(PLASMA)[8]
        for value in (200.0, 700.0)
    )
    assert low < high
    with pytest.raises(InputError, match="was not solved"):
        PRIOR.at(seen[0])


def test_who_was_ready_late_is_forecast_to_be_slower() -> None:
    doses = "35 mg iv over 40 min"
    prior = prepare(n=300, earlier=[(doses,)])
    means = []
    for ready_min in (60, 240):
        entry = {"kind": "earlier_recovery", "dose": doses, "ready_min": ready_min}
        seen, _ = observations_from_json({"observations": [entry]})
        means.append(Posterior.of(prior).update(seen).mean(PLASMA)[24])
    assert means[0] < means[1]


def test_a_reading_far_out_pulls_every_model_its_way() -> None:
    """With tails of different shape the model with the longest would win, and might lie on the other side."""
    ids = (*IDS, "simons-2022", "perez-ruixo-2021")
    before = Posterior.of(prepare(ids, n=300))
    high = before.update([concentration("ketamine", "venous", 40, 2000.0)])
    low = before.update([concentration("ketamine", "venous", 40, 10.0)])
    assert low.mean(PLASMA)[8] < before.mean(PLASMA)[8] < high.mean(PLASMA)[8]


def test_what_only_a_member_without_weight_predicts_says_nothing_of_the_others() -> None:
    candidates = [Candidate(get("fanta-otto-2021"), 0.0), Candidate(get("domino"), 1.0)]
    prior = Prior.prepare(candidates, INFUSION, PATIENT, "racemic", n=100, rng=np.random.default_rng(1))
    seen = concentration("S_norketamine", "venous", 80, 18)
    found = Posterior.of(prior).update([seen])
    np.testing.assert_array_equal(found.weights, Posterior.of(prior).weights)
    assert np.isnan(tail_probability(found.matches[0], np.exp(prior.log_weight)))
