"""The most probable patient: the same by kernel, by NumPy and by scipy on equations of its own."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from scipy.linalg import expm
from scipy.optimize import minimize

from limen.errors import InputError
from limen.pharmacology import population
from limen.pharmacology.individual import kernels
from limen.pharmacology.individual.map import Estimate, estimate
from limen.pharmacology.individual.observations import Observation, concentration, pressure
from limen.pharmacology.models import get
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose, Schedule

Array = npt.NDArray[np.float64]

PATIENT = PatientProfile(age_years=42, weight_kg=80)
INFUSION = [Dose(35, "iv", 0, 40)]
OTTO = np.array([[0.0842, 0.0226], [0.0226, 0.0260]])


def samples(analyte: str, matrix: str, *seen: tuple[float, float]) -> list[Observation]:
    return [concentration(analyte, matrix, time, value) for time, value in seen]


def exponential(v1: Array, cl: Array, others: list[tuple[float, float]], times: Array) -> Array:
    """35 mg over 40 min, ng/mL, (patients, times), by scipy's matrix exponential of the whole system."""
    size = 2 + len(others)
    matrix = np.zeros((len(v1), 1, size, size))
    matrix[:, 0, 0, 0] = -cl / v1
    for place, (volume, flow) in enumerate(others, start=1):
        matrix[:, 0, 0, 0] -= flow / v1
        matrix[:, 0, 0, place] = flow / volume
        matrix[:, 0, place, 0] = flow / v1
        matrix[:, 0, place, place] = -flow / volume
    after = matrix.copy()
    matrix[:, 0, 0, -1] = 35 / (40 / 60)
    during = expm(matrix * np.minimum(times, 40)[:, None, None] / 60)[..., -1]
    rest = expm(after * np.maximum(times - 40, 0)[:, None, None] / 60)
    state = (rest @ during[..., None])[..., 0]
    found: Array = 1000 * state[..., 0] / v1[:, None]
    return found


def fanta(z: Array, times: Array) -> Array:
    eta = z @ np.linalg.cholesky(OTTO).T
    v1, cl = 133 * 80 / 70 * np.exp(eta[:, 0]), 95.2 * (80 / 70) ** 0.75 * np.exp(eta[:, 1])
    return exponential(v1, cl, [(187, 23.2), (98.8, 157)], times)


def minus_log_posterior(z: Array, seen: list[tuple[float, float]]) -> Array:
    """Of each row of z."""
    times, values = np.array(seen).T
    f = fanta(z, times)
    found: Array = 0.5 * (z**2).sum(axis=1) + (0.5 * ((values - f) / (0.236 * f)) ** 2 + np.log(f)).sum(axis=1)
    return found


SEEN = [(20.0, 75.0), (40.0, 170.0), (80.0, 55.0), (180.0, 20.0)]
VENOUS = samples("S_ketamine", "venous", *SEEN)


@pytest.mark.parametrize("compiled", [True, False])
def test_the_mode_is_that_of_scipy(compiled: bool) -> None:
    found = estimate(get("fanta-otto-2021"), INFUSION, PATIENT, "s-ketamine", VENOUS, compiled=compiled)
    other = minimize(
        lambda z: float(minus_log_posterior(z[None], SEEN)[0]),
        np.zeros(2),
        method="Nelder-Mead",
        options={"xatol": 1e-7, "fatol": 1e-12, "maxiter": 2000},
    )
    assert found.found
    assert found.effects[:2] == ("V1", "CL")
    np.testing.assert_allclose(found.mode[:2], other.x, atol=2e-6)


def test_mode_and_spread_are_those_of_a_grid() -> None:
    found = estimate(get("fanta-otto-2021"), INFUSION, PATIENT, "s-ketamine", VENOUS)
    spread = np.sqrt(np.diag(found.covariance)[:2])
    edges = [np.linspace(-4.5, 4.5, 19) * sd + centre for centre, sd in zip(found.mode[:2], spread, strict=True)]
    rows = np.stack(np.meshgrid(*edges, indexing="ij"), axis=-1).reshape(-1, 2)
    log_posterior = -minus_log_posterior(rows, SEEN).reshape(19, 19)
    weight = np.exp(log_posterior - log_posterior.max())
    weight /= weight.sum()
    for axis, edge in enumerate(edges):
        marginal = weight.sum(axis=1 - axis)
        mean = float(marginal @ edge)
        sd = math.sqrt(float(marginal @ (edge - mean) ** 2))
        assert mean == pytest.approx(found.mode[axis], abs=0.25 * sd)
        assert spread[axis] == pytest.approx(sd, rel=0.15)


@pytest.mark.parametrize(
    ("model_id", "product", "seen"),
    [
        ("fanta-otto-2021", "s-ketamine", VENOUS),
        ("fanta-otto-2021", "racemic", samples("ketamine", "venous", (30, 90), (60, 140), (200, 15))),
        (
            "fanta-otto-2021",
            "racemic",
            samples("R_ketamine", "venous", (30, 90)) + samples("S_ketamine", "venous", (30, 60)),
        ),
        ("kamp-2020", "racemic", samples("ketamine", "arterial", (5, 40), (39, 300), (41, 250), (300, 9))),
        ("kamp-2020", "racemic", samples("ketamine", "venous", (20, 100), (40, 110), (90, 60))),
        ("clements-250", "racemic", samples("ketamine", "plasma", (40, 100))),
        ("hijazi-2003", "racemic", samples("ketamine", "plasma", (10, 10), (600, 30))),
    ],
)
def test_kernel_and_numpy_agree(model_id: str, product: str, seen: list[Observation]) -> None:
    fast, slow = (
        estimate(get(model_id), INFUSION, PATIENT, product, seen, compiled=compiled) for compiled in (True, False)
    )
    assert fast.effects == slow.effects
    np.testing.assert_allclose(fast.mode, slow.mode, atol=1e-7)
    np.testing.assert_allclose(fast.covariance, slow.covariance, rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(fast.predicted, slow.predicted, rtol=1e-7)


def test_a_shared_error_is_one_error() -> None:
    """Four venous samples, all 40 % low for an arterial model, may be the matrix; four arterial ones may not."""
    low = [(20.0, 90.0), (40.0, 140.0), (80.0, 45.0), (180.0, 20.0)]
    model = get("kamp-2020")
    other = estimate(model, INFUSION, PATIENT, "racemic", samples("ketamine", "venous", *low))
    same = estimate(model, INFUSION, PATIENT, "racemic", samples("ketamine", "arterial", *low))
    assert np.abs(other.mode).max() < np.abs(same.mode).max()
    assert (np.diag(other.covariance) >= np.diag(same.covariance)).all()


def test_nothing_seen_leaves_the_typical_patient() -> None:
    found = estimate(get("fanta-otto-2021"), INFUSION, PATIENT, "racemic", [])
    np.testing.assert_array_equal(found.mode, 0.0)
    np.testing.assert_array_equal(found.covariance, np.eye(4))
    np.testing.assert_allclose(found.eta_covariance[:2, :2], OTTO, rtol=1e-12)


def test_order_does_not_matter() -> None:
    model = get("fanta-otto-2021")
    one = estimate(model, INFUSION, PATIENT, "s-ketamine", VENOUS)
    two = estimate(model, INFUSION, PATIENT, "s-ketamine", VENOUS[::-1])
    np.testing.assert_array_equal(one.mode, two.mode)


def test_what_nothing_touches_stays_as_before() -> None:
    found = estimate(get("fanta-otto-2021"), INFUSION, PATIENT, "s-ketamine", VENOUS)
    assert found.effects == ("V1", "CL", "NK_V1", "NK_CL")
    np.testing.assert_array_equal(found.mode[2:], 0.0)
    np.testing.assert_array_equal(found.covariance[2:, 2:], np.eye(2))


def test_a_metabolite_is_learned_from_its_own_samples() -> None:
    seen = samples("S_norketamine", "venous", (60, 60), (120, 70), (300, 30))
    found = estimate(get("fanta-otto-2021"), INFUSION, PATIENT, "s-ketamine", seen)
    spread = dict(zip(found.effects, np.sqrt(np.diag(found.covariance)), strict=True))
    assert spread["NK_CL"] < 0.8


def test_pressure_moves_what_it_depends_on() -> None:
    seen = [pressure(time, 128 + rise, 128) for time, rise in ((15, 20), (30, 30), (40, 25))]
    found = estimate(get("domino"), INFUSION, PATIENT, "racemic", seen)
    moved = dict(zip(found.effects, found.mode, strict=True))
    assert {"CL", "V1", "PRESSURE_SLOPE"} <= set(moved)
    assert moved["PRESSURE_SLOPE"] > 0
    assert found.found


def test_what_the_model_does_not_predict_is_named() -> None:
    seen = [*samples("ketamine", "plasma", (30, 100)), *samples("S_norketamine", "venous", (60, 20))]
    found = estimate(get("clements-250"), INFUSION, PATIENT, "racemic", seen)
    assert [item.analyte for item in found.observations] == ["ketamine"]
    assert [item.analyte for item in found.left_out] == ["S_norketamine"]


def test_the_kernel_refuses_what_it_cannot_do() -> None:
    with pytest.raises(InputError, match="no compiled form"):
        estimate(get("domino"), INFUSION, PATIENT, "racemic", [pressure(10, 140, 128)], compiled=True)


def test_laplace_draws_have_the_estimate_s_moments() -> None:
    found = estimate(get("fanta-otto-2021"), INFUSION, PATIENT, "s-ketamine", VENOUS)
    rows = found.draws(40_000, np.random.default_rng(5))
    columns = [population.COLUMNS.index(effect) for effect in found.effects]
    np.testing.assert_allclose(rows[:, columns].mean(axis=0), found.mode, atol=0.03)
    np.testing.assert_allclose(np.cov(rows[:, columns].T), found.covariance, atol=0.03)


def test_curve_where_two_rates_nearly_meet() -> None:
    """The closed form cancels there; the matrix exponential answers in its place."""
    plan = Schedule.of(INFUSION)
    times = np.array([10.0, 40.0, 75.0])
    for nearly in (1.0, 1.0 + 1e-9):
        parameters = np.array([10.0, 1e-7, 10.0, 60.0, 10.0, 60.0 * nearly])
        out = np.empty(3)
        kernels.curve(parameters, plan.start_min, plan.rate_mg_per_min, plan.bolus_mg, times, out)
        others = [(10.0, 60.0), (10.0, 60.0 * nearly)]
        expected = exponential(np.array([10.0]), np.array([1e-7]), others, times)[0]
        np.testing.assert_allclose(1000 * out, expected, rtol=1e-9)


def test_a_bolus_counts_from_its_own_instant() -> None:
    plan = Schedule.of([Dose(20, "iv", 5.0)])
    out = np.empty(3)
    parameters = np.array([10.0, 60.0, 0.0, 0.0, 0.0, 0.0])
    times = np.array([4.9, 5.0, 15.0])
    kernels.curve(parameters, plan.start_min, plan.rate_mg_per_min, plan.bolus_mg, times, out)
    np.testing.assert_allclose(out, [0.0, 2.0, 2.0 * math.exp(-1.0)], rtol=1e-12)


def test_many_patients_at_once_are_each_as_alone() -> None:
    from limen.pharmacology.individual.batch import estimate_many

    rng = np.random.default_rng(6)
    model = get("fanta-otto-2021")
    times = np.array([time for time, _ in SEEN])
    values = np.array([value for _, value in SEEN]) * np.exp(0.2 * rng.normal(size=(20, 4)))
    weights = rng.uniform(50, 110, 20)
    doses = rng.uniform(20, 60, 20)
    found = estimate_many(
        model,
        [[Dose(dose, "iv", 0, 40)] for dose in doses],
        [PatientProfile(weight_kg=weight) for weight in weights],
        "s-ketamine",
        "S_ketamine",
        times,
        values,
    )
    for place in (0, 7, 19):
        alone: Estimate = estimate(
            model,
            [Dose(doses[place], "iv", 0, 40)],
            PatientProfile(weight_kg=weights[place]),
            "s-ketamine",
            samples("S_ketamine", "venous", *zip(times, values[place], strict=True)),
        )
        np.testing.assert_allclose(found.mode[place], alone.mode[:2], atol=1e-9)
        np.testing.assert_allclose(found.covariance[place], alone.covariance[:2, :2], atol=1e-9)
    assert (found.iterations > 0).all()


@pytest.mark.parametrize("compiled", [True, False])
def test_a_sample_before_any_drug_says_nothing_of_the_patient(compiled: bool) -> None:
    early = samples("S_ketamine", "venous", (0.0, 50.0))
    model = get("fanta-otto-2021")
    found = estimate(model, INFUSION, PATIENT, "s-ketamine", [*early, *VENOUS], compiled=compiled)
    without = estimate(model, INFUSION, PATIENT, "s-ketamine", VENOUS, compiled=compiled)
    np.testing.assert_allclose(found.mode[:2], without.mode[:2], atol=1e-9)
    assert found.left_out == tuple(early)
    alone = estimate(get("simons-2022"), [Dose(50, "buccal")], PATIENT, "s-ketamine", early)
    assert alone.observations == ()


def test_a_pressure_before_any_drug_is_no_trouble() -> None:
    found = estimate(get("domino"), INFUSION, PATIENT, "racemic", [pressure(0, 150, 128), pressure(30, 140, 128)])
    assert found.found
    assert np.isfinite(found.mode).all()
