"""What must hold of every model and every regimen: mass, sums, scale, time, and two other ways of solving."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from limen.pharmacology import population
from limen.pharmacology.absorption.pathways import Pathway, enter
from limen.pharmacology.disposition import DosedArm, apart, arms
from limen.pharmacology.kinetics import LinearSystem, Pulse, Solution
from limen.pharmacology.models import get, list_models
from limen.pharmacology.models.schema import Model, Product
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose, Schedule
from limen.pharmacology.simulate import simulate

MODELS = [model.id for model in list_models()]
PATIENT = PatientProfile(age_years=30, weight_kg=60)
# What the vein takes: the nasal device does not go there.
BY_VEIN: dict[str, Product] = {"perez-ruixo-2021": "s-ketamine"}

models = st.sampled_from(MODELS)
infusions = st.lists(
    st.tuples(st.floats(1, 100), st.floats(0, 300), st.one_of(st.just(0.0), st.floats(1, 120))), min_size=1, max_size=4
)


def product_of(model: Model) -> Product:
    return BY_VEIN.get(model.id, model.product)


def arm_of(model_id: str, rows: int = 1, seed: int = 0) -> DosedArm:
    model = get(model_id)
    draws = np.random.default_rng(seed).standard_normal((rows, len(population.COLUMNS)))
    effects = population.log_effects(draws, model.spread) if rows > 1 else {}
    return arms(model, product_of(model), PATIENT, effects, rows, links={"effect": np.full(rows, 0.0835)})[0]


def run(model_id: str, doses: list[Dose], until_min: float = 720, every_min: float = 3.0) -> dict[str, np.ndarray]:
    model = get(model_id)
    result = simulate(
        model, doses, PATIENT, until_min=until_min, every_min=every_min, product=product_of(model), wanted_effects=()
    )
    return {name: curve.typical for name, curve in result.outputs.items()}


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray], rtol: float = 1e-7) -> None:
    assert one.keys() == other.keys()
    for name, curve in one.items():
        np.testing.assert_allclose(curve, other[name], rtol=rtol, atol=1e-9 * max(1e-300, other[name].max()))


@given(models, infusions, infusions)
@settings(max_examples=30, deadline=None)
def test_regimens_add(
    model_id: str, first: list[tuple[float, float, float]], second: list[tuple[float, float, float]]
) -> None:
    # A clearance that grows counts from the first dose of all: both parts get one, of next to nothing, at time 0.
    start = [Dose(1e-9, "iv")]
    one = [*start, *(Dose(mg, "iv", at, span) for mg, at, span in first)]
    two = [*start, *(Dose(mg, "iv", at, span) for mg, at, span in second)]
    together, left, right = run(model_id, one + two), run(model_id, one), run(model_id, two)
    for name, curve in together.items():
        np.testing.assert_allclose(curve, left[name] + right[name], rtol=1e-7, atol=1e-9 * curve.max())


@given(models, infusions, st.floats(0.1, 10))
@settings(max_examples=30, deadline=None)
def test_twice_the_dose_is_twice_the_concentration(
    model_id: str, doses: list[tuple[float, float, float]], factor: float
) -> None:
    plain = run(model_id, [Dose(mg, "iv", at, span) for mg, at, span in doses])
    scaled = run(model_id, [Dose(mg * factor, "iv", at, span) for mg, at, span in doses])
    same({name: factor * curve for name, curve in plain.items()}, scaled)


@given(models, st.floats(1, 100), st.floats(10, 300))
@settings(max_examples=30, deadline=None)
def test_ten_back_to_back_infusions_equal_one(model_id: str, mg: float, span_min: float) -> None:
    edges = [span_min * place / 10 for place in range(11)]
    pieces = [Dose(mg * (end - start) / span_min, "iv", start, end - start) for start, end in itertools.pairwise(edges)]
    same(run(model_id, pieces), run(model_id, [Dose(mg, "iv", 0, span_min)]), rtol=1e-6)


@given(models, st.floats(1, 100), st.one_of(st.just(0.0), st.floats(0.5, 60)), st.integers(1, 40))
@settings(max_examples=30, deadline=None)
def test_a_later_dose_does_the_same_later(model_id: str, mg: float, span_min: float, steps: int) -> None:
    later = 3.0 * steps
    now = run(model_id, [Dose(mg, "iv", 0, span_min)], 360)
    then = run(model_id, [Dose(mg, "iv", later, span_min)], 360 + later)
    for name, curve in now.items():
        np.testing.assert_allclose(then[name][steps:], curve, rtol=1e-7, atol=1e-9 * curve.max())


ways = st.tuples(
    st.floats(0.05, 1.2),
    st.one_of(st.none(), st.floats(0.5, 90)),
    st.lists(st.floats(0.005, 0.4), max_size=2),
    st.one_of(st.none(), st.floats(0.1, 40)),
)


def way_of(entry: tuple[float, float | None, list[float], float | None], rows: int = 1) -> Pathway:
    fraction, span_min, rates, lag_min = entry
    # Each patient has times of his own.
    own = 1.0 + 0.2 * np.arange(rows)
    return Pathway(
        "central",
        fraction * own,
        None if span_min is None else span_min * own,
        tuple(rate * own for rate in rates),
        None if lag_min is None else lag_min * own,
    )


def by_exponential(
    system: LinearSystem, pulses: list[Pulse], row: int, until_min: float, *, schedule: Schedule
) -> np.ndarray:
    """States at one time by scipy's matrix exponential of the system with its inputs as one more state."""
    edges = {0.0, until_min, *schedule.start_min.tolist()}
    for pulse in pulses:
        start = float(pulse.start_min[row])
        edges |= {start} if pulse.duration_min is None else {start, start + float(pulse.duration_min[row])}
    times = sorted(edge for edge in edges if edge <= until_min)
    size = len(system.entry)
    state = np.zeros(size)
    for start, end in [*itertools.pairwise(times), (until_min, until_min)]:
        whole = np.zeros((size + 1, size + 1))
        whole[:size, :size] = system.rates_per_min[row]
        segment = int(np.searchsorted(schedule.start_min, start, side="right")) - 1
        whole[:size, size] = system.entry * schedule.rate_mg_per_min[segment]
        if start in schedule.start_min:
            state = state + system.entry * schedule.bolus_mg[segment]
        for pulse in pulses:
            begin = float(pulse.start_min[row])
            if pulse.duration_min is None:
                state[pulse.state] += float(pulse.amount_mg[row]) * (begin == start)
            elif begin <= start < begin + float(pulse.duration_min[row]):
                whole[pulse.state, size] += float(pulse.amount_mg[row] / pulse.duration_min[row])
        state = (expm(whole * (end - start)) @ np.append(state, 1.0))[:size]
    return state


@given(models, ways, infusions, st.floats(1, 900))
@settings(max_examples=40, deadline=None)
def test_agrees_with_the_matrix_exponential(
    model_id: str,
    entry: tuple[float, float | None, list[float], float | None],
    vein: list[tuple[float, float, float]],
    at_min: float,
) -> None:
    arm = arm_of(model_id, rows=3)
    system, pulses = enter(arm, [(Dose(20, "im", 5), way_of(entry, 3)), (Dose(30, "im", 200), way_of(entry, 3))])
    schedule = Schedule.of(Dose(mg, "iv", at, span) for mg, at, span in vein)
    found = Solution(system, schedule, pulses).values(np.array([at_min]))
    for row in range(3):
        state = by_exponential(system, pulses, row, at_min, schedule=schedule)
        expected = system.readout[row] @ state
        np.testing.assert_allclose(found[row, :, 0], expected, rtol=1e-6, atol=1e-9 * (1e-300 + expected.max()))


@given(models, ways, st.floats(100, 900))
@settings(max_examples=30, deadline=None)
def test_what_went_in_is_in_the_body_or_has_left(
    model_id: str, entry: tuple[float, float | None, list[float], float | None], until_min: float
) -> None:
    """Amounts by the solver, what left by quadrature of the outflow: what came in is the dose times its share."""
    arm = arm_of(model_id)
    parts = [place for place, name in enumerate(arm.states) if not name.startswith("site ")]
    way = way_of(entry)
    system, pulses = enter(arm, [(Dose(50, "im"), way)])
    inside = [*parts, *range(len(arm.states), len(system.entry))]
    amounts = LinearSystem(system.rates_per_min, system.entry, np.eye(len(system.entry))[None])
    edges = np.unique(
        np.concatenate(
            [
                [0.0, until_min],
                *[
                    np.append(p.start_min, [] if p.duration_min is None else p.start_min + p.duration_min)
                    for p in pulses
                ],
                np.geomspace(1e-3, until_min, 120),
                *[
                    p.start_min + (0 if p.duration_min is None else p.duration_min) + np.geomspace(1e-3, 300, 90)
                    for p in pulses
                ],
            ]
        )
    )
    edges = edges[edges <= until_min]
    nodes, weights = np.polynomial.legendre.leggauss(8)
    half = np.diff(edges) / 2
    times = ((edges[:-1] + half)[:, None] + half[:, None] * nodes).ravel()
    solution = Solution(amounts, Schedule.of([]), pulses)
    leaving = -system.rates_per_min[0][np.ix_(inside, inside)].sum(axis=0)
    outflow = leaving @ solution.values(times)[0, inside]
    left = float(outflow @ (half[:, None] * weights).ravel())
    held = float(solution.values(np.array([until_min]))[0, inside, 0].sum())
    given = float(sum(pulse.given_mg(np.array([until_min]))[0, 0] for pulse in pulses))
    assert held + left == pytest.approx(given, rel=1e-6)
    if until_min > 95 + 41:
        assert given == pytest.approx(50 * float(way.fraction[0]) * arm.dose_fraction, rel=1e-12)


@given(models, st.floats(0.5, 90), st.lists(st.floats(0.005, 0.4), max_size=2))
@settings(max_examples=30, deadline=None)
def test_a_zero_order_step_is_an_infusion_into_the_first_depot(
    model_id: str, span_min: float, rates: list[float]
) -> None:
    arm = arm_of(model_id)
    steps = tuple(np.array([rate]) for rate in rates)
    time = np.linspace(0, 400, 81)
    one, pulses = enter(arm, [(Dose(40, "po"), Pathway("central", np.ones(1), np.array([span_min]), steps))])
    two, infused = enter(arm, [(Dose(40, "po", 0, span_min), Pathway("central", np.ones(1), None, steps))])
    parts = [
        (Dose(4, "po", span_min * part / 10, span_min / 10), Pathway("central", np.ones(1), None, steps))
        for part in range(10)
    ]
    three, pieces = enter(arm, parts)
    found = [
        Solution(system, Schedule.of([]), given).values(time)
        for system, given in ((one, pulses), (two, infused), (three, pieces))
    ]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12, atol=1e-15 * found[0].max())
    np.testing.assert_allclose(found[0], found[2], rtol=1e-7, atol=1e-9 * found[0].max())
    if not rates:
        # And without any depot it is the same infusion into the vein.
        vein = Solution(arm.system, Schedule.of([Dose(40, "iv", 0, span_min)])).values(time)
        np.testing.assert_allclose(found[0], vein, rtol=1e-9, atol=1e-11 * vein.max())


def test_a_shorter_and_shorter_zero_order_step_tends_to_a_bolus_with_order_one() -> None:
    arm = arm_of("clements-250")
    step = (np.array([0.05]),)
    time = np.array([60.0])

    def at(span_min: float | None) -> float:
        way = Pathway("central", np.ones(1), None if span_min is None else np.array([span_min]), step)
        system, pulses = enter(arm, [(Dose(40, "po"), way)])
        return float(Solution(system, Schedule.of([]), pulses).values(time)[0, 0, 0])

    errors = np.abs([at(span) - at(None) for span in (4.0, 2.0, 1.0, 0.5)])
    np.testing.assert_allclose(np.log2(errors[:-1] / errors[1:]), 1.0, atol=0.1)


def test_equal_steps_set_apart_change_the_result_by_next_to_nothing() -> None:
    """Two equal steps at rate k: (1 + k t) e^-kt of the dose is still on its way."""
    rate = np.array([0.1])
    first, second = apart([rate, rate])
    time = np.array([0.5, 5.0, 50.0, 200.0])
    system = LinearSystem(
        np.array([[[-first[0], 0], [first[0], -second[0]]]]), np.array([1.0, 0.0]), np.array([[[1.0, 1.0]]])
    )
    solution = Solution(system, Schedule.of([Dose(1, "iv")]))
    assert solution.modal.all()
    np.testing.assert_allclose(solution.values(time)[0, 0], (1 + 0.1 * time) * np.exp(-0.1 * time), rtol=0, atol=1e-8)


@pytest.mark.parametrize("gap", [0.0, 1e-12, 1e-9, 1e-7])
def test_an_absorption_as_fast_as_the_body_keeps_its_digits(gap: float) -> None:
    """One compartment with loss k absorbing at the same rate: D k t e^-kt, and its zero-order twin by quadrature."""
    k = 0.05
    system = LinearSystem(np.array([[[-k]]]), np.array([1.0]), np.ones((1, 1, 1)))
    arm = DosedArm("ketamine", 1.0, ("ketamine",), ("central",), system)
    time = np.array([1.0, 20.0, 200.0])
    rate = (np.array([k * (1 + gap)]),)
    whole, pulses = enter(arm, [(Dose(10, "po", 3), Pathway("central", np.ones(1), None, rate, np.array([2.0])))])
    since = np.maximum(time - 5, 0)
    np.testing.assert_allclose(
        Solution(whole, Schedule.of([]), pulses).values(time)[0, 0], 10 * k * since * np.exp(-k * since), rtol=1e-6
    )
    whole, pulses = enter(arm, [(Dose(10, "po"), Pathway("central", np.ones(1), np.array([30.0]), rate))])
    start = np.linspace(0, 30, 20001)
    for at in (20.0, 200.0):
        past = np.maximum(at - start, 0)
        expected = np.trapezoid(10 / 30 * k * past * np.exp(-k * past), start)
        found = Solution(whole, Schedule.of([]), pulses).values(np.array([at]))[0, 0, 0]
        assert found == pytest.approx(expected, rel=1e-6)
    area = Solution(whole, Schedule.of([]), pulses).auc(np.array([1e4]))[0, 0, 0]
    assert area == pytest.approx(10 / k, rel=1e-9)


@pytest.mark.parametrize("model_id", MODELS)
def test_patients_with_times_of_their_own_do_not_touch_each_other(model_id: str) -> None:
    way = way_of((0.5, 20.0, [0.05], 4.0), rows=40)
    arm = arm_of(model_id, rows=40, seed=3)
    system, pulses = enter(arm, [(Dose(50, "im", 10), way)])
    time = np.linspace(0, 400, 101)
    together = Solution(system, Schedule.of([]), pulses).values(time)
    for row in (0, 17, 39):
        alone = Solution(
            LinearSystem(system.rates_per_min[[row]], system.entry, system.readout[[row]]),
            Schedule.of([]),
            [
                Pulse(
                    p.state,
                    p.amount_mg[[row]],
                    p.start_min[[row]],
                    None if p.duration_min is None else p.duration_min[[row]],
                )
                for p in pulses
            ],
        ).values(time)
        np.testing.assert_allclose(together[row], alone[0], rtol=1e-9, atol=1e-12 * alone.max())
