"""The exact solver against an ordinary differential equation solver, physics, and itself."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from limen.pharmacology.kinetics import LinearSystem, Solution
from limen.pharmacology.regimen import Dose, Schedule
from limen.pharmacology.response import Grid

# Fanta 2015 / Otto 2021 at 70 kg, L and L/h, typed from the published table; effect half-life 8.3 min.
V1, CL, V2, Q2, V3, Q3 = 133.0, 95.2, 187.0, 23.2, 98.8, 157.0
NV1, NCL, NV2, NQ = 98.6, 57.7, 160.0, 42.8
KE0 = np.log(2) / 8.3


def chain() -> LinearSystem:
    """Parent, metabolite and effect site, amounts in mg and minutes."""
    k = np.array([CL / V1, Q2 / V1, Q2 / V2, Q3 / V1, Q3 / V3, NCL / NV1, NQ / NV1, NQ / NV2]) / 60
    k10, k12, k21, k13, k31, m10, m12, m21 = k
    rates = np.array(
        [
            [-(k10 + k12 + k13), k21, k31, 0, 0, 0],
            [k12, -k21, 0, 0, 0, 0],
            [k13, 0, -k31, 0, 0, 0],
            [k10, 0, 0, -(m10 + m12), m21, 0],
            [0, 0, 0, m12, -m21, 0],
            [KE0, 0, 0, 0, 0, -KE0],
        ]
    )
    readout = np.zeros((3, 6))
    readout[0, 0] = readout[2, 5] = 1000 / V1
    readout[1, 3] = 1000 / NV1
    return LinearSystem(rates[None], np.eye(6)[0], readout[None])


def by_ode(doses: list[Dose], time_min: np.ndarray, method: str) -> np.ndarray:
    """The same chain by concentrations and flows, integrated piece by piece between changes of input."""

    def slope(t: float, y: np.ndarray, rate: float) -> list[float]:
        c1, c2, c3, n1, n2, ce = y
        return [
            (rate - CL / 60 * c1 - Q2 / 60 * (c1 - c2) - Q3 / 60 * (c1 - c3)) / V1,
            Q2 / 60 * (c1 - c2) / V2,
            Q3 / 60 * (c1 - c3) / V3,
            (CL / 60 * c1 - NCL / 60 * n1 - NQ / 60 * (n1 - n2)) / NV1,
            NQ / 60 * (n1 - n2) / NV2,
            KE0 * (c1 - ce),
        ]

    edges = sorted({0.0, *(d.start_min for d in doses), *(d.end_min for d in doses), float(time_min[-1])})
    edges = [edge for edge in edges if edge <= time_min[-1]]
    state = np.zeros(6)
    out = np.zeros((3, len(time_min)))
    for start, end in zip(edges, [*edges[1:], edges[-1]], strict=True):
        state[0] += sum(d.amount_mg for d in doses if d.duration_min == 0 and d.start_min == start) / V1
        rate = sum(d.amount_mg / d.duration_min for d in doses if d.start_min <= start < d.end_min)
        here = (time_min >= start) & ((time_min < end) | (end == edges[-1]))
        if end == start:
            out[:, time_min == start] = 1000 * state[[0, 3, 5], None]
            continue
        wanted = np.unique(np.concatenate([[start], time_min[here], [end]]))
        found = solve_ivp(
            slope, (start, end), state, method=method, t_eval=wanted, args=(rate,), rtol=1e-12, atol=1e-16
        )
        at = dict(zip(found.t, found.y.T, strict=True))
        for place in np.flatnonzero(here):
            out[:, place] = 1000 * at[time_min[place]][[0, 3, 5]]
        state = found.y[:, -1].copy()
    return out


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_agrees_with_an_ode_solver_on_random_regimens(seed: int) -> None:
    rng = np.random.default_rng(seed)
    doses = [
        Dose(float(rng.uniform(1, 60)), "iv", float(rng.uniform(0, 300)), float(rng.choice([0, rng.uniform(1, 120)])))
        for _ in range(rng.integers(1, 6))
    ]
    time = np.unique(np.append(np.linspace(0, 600, 61), rng.uniform(0, 600, 30)))
    mine = Solution(chain(), Schedule.of(doses)).values(time)[0]
    theirs = by_ode(doses, time, "DOP853")
    started = theirs > 1e-9 * theirs.max()
    np.testing.assert_allclose(mine[started], theirs[started], rtol=1e-8)


def test_agrees_with_an_ode_solver_on_one_infusion() -> None:
    doses = [Dose(35, "iv", 0, 40), Dose(5, "iv", 60, 0)]
    time = np.array([0.5, 10.0, 40.0, 45.0, 60.0, 90.0, 240.0])
    mine = Solution(chain(), Schedule.of(doses)).values(time)[0]
    np.testing.assert_allclose(mine, by_ode(doses, time, "DOP853"), rtol=1e-8)


def test_area_agrees_with_dose_over_clearance_and_with_quadrature() -> None:
    solution = Solution(chain(), Schedule.of([Dose(35, "iv", 0, 40)]))
    area = solution.auc(np.array([240.0, 1e5]))[0] / 60
    # Physics: the whole area of the parent is dose over clearance, of the metabolite (formed whole) dose over its own.
    assert area[0, 1] == pytest.approx(35e3 / CL, rel=1e-9)
    assert area[1, 1] == pytest.approx(35e3 / NCL, rel=1e-9)
    assert area[2, 1] == pytest.approx(35e3 / CL, rel=1e-9)
    fine = np.linspace(0, 240, 240_001)
    curve = solution.values(fine)[0]
    np.testing.assert_allclose(area[:, 0], np.trapezoid(curve, fine, axis=1) / 60, rtol=1e-8)


@given(
    st.lists(
        st.tuples(st.floats(0.1, 100), st.floats(0, 500), st.one_of(st.just(0.0), st.floats(0.5, 300))),
        min_size=1,
        max_size=5,
    )
)
@settings(max_examples=40, deadline=None)
def test_what_went_in_is_in_the_body_or_was_cleared(entries: list[tuple[float, float, float]]) -> None:
    doses = [Dose(amount, "iv", start, span) for amount, start, span in entries]
    system = chain()
    amounts = LinearSystem(system.rates_per_min, system.entry, np.eye(6)[None])
    schedule = Schedule.of(doses)
    end = np.array([650.0])
    solution = Solution(amounts, schedule)
    held = solution.values(end)[0, :5, 0].sum()
    cleared = NCL / NV1 / 60 * solution.auc(end)[0, 3, 0]
    assert held + cleared == pytest.approx(schedule.given_mg(650.0), rel=1e-9)


@given(st.floats(0.1, 50), st.floats(0.1, 50), st.floats(0, 200), st.floats(1, 100))
@settings(max_examples=40, deadline=None)
def test_doses_add_and_scale(first_mg: float, second_mg: float, start_min: float, span_min: float) -> None:
    time = np.linspace(0, 400, 41)

    def run(*doses: Dose) -> np.ndarray:
        return Solution(chain(), Schedule.of(doses)).values(time)

    one, two = Dose(first_mg, "iv", 0, 30), Dose(second_mg, "iv", start_min, span_min)
    together = run(one, two)
    np.testing.assert_allclose(together, run(one) + run(two), rtol=1e-9, atol=1e-9)
    triple = run(Dose(3 * first_mg, "iv", 0, 30), Dose(3 * second_mg, "iv", start_min, span_min))
    np.testing.assert_allclose(triple, 3 * together, rtol=1e-9, atol=1e-9)


@given(st.floats(1, 200), st.floats(5, 300), st.integers(2, 12))
@settings(max_examples=40, deadline=None)
def test_back_to_back_infusions_equal_one_long_one(amount_mg: float, span_min: float, pieces: int) -> None:
    edges = [span_min * place / pieces for place in range(pieces + 1)]
    split = [Dose(amount_mg * (b - a) / span_min, "iv", a, b - a) for a, b in itertools.pairwise(edges)]
    time = np.linspace(0, 500, 101)
    whole = Solution(chain(), Schedule.of([Dose(amount_mg, "iv", 0, span_min)])).values(time)
    parts = Solution(chain(), Schedule.of(split)).values(time)
    np.testing.assert_allclose(parts, whole, rtol=1e-7, atol=1e-9)


def test_a_bolus_is_in_at_its_own_instant() -> None:
    values = Solution(chain(), Schedule.of([Dose(13.3, "iv", 10)])).values(np.array([0.0, 9.999, 10.0]))
    np.testing.assert_allclose(values[0, 0], [0, 0, 100], atol=1e-9)


@pytest.mark.parametrize("gap", [0.0, 1e-15, 1e-12, 1e-9, 1e-7, 1e-5])
def test_nearly_equal_rates_keep_their_digits(gap: float) -> None:
    """Two compartments in a chain: A2 = D k1/(k2-k1) (e^-k1t - e^-k2t), which is D k t e^-kt where they meet."""
    first, second = 0.05, 0.05 * (1 + gap)
    system = LinearSystem(np.array([[[-first, 0], [first, -second]]]), np.array([1.0, 0.0]), np.array([[[0.0, 1.0]]]))
    time = np.array([1.0, 20.0, 200.0])
    found = Solution(system, Schedule.of([Dose(10, "iv")])).values(time)[0, 0]
    x = (second - first) * time
    expected = 10 * first * time * np.exp(-first * time) * np.where(x == 0, 1, -np.expm1(-x) / np.where(x == 0, 1, x))
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_the_fallback_is_used_and_agrees_with_the_modes() -> None:
    schedule = Schedule.of([Dose(20, "iv", 0, 30), Dose(5, "iv", 45)])
    time = np.array([0.0, 10, 30, 45, 60, 300])
    modal = Solution(chain(), schedule)
    assert modal.modal.all()
    rows = [modal._states_by_exponential(0, time)]
    np.testing.assert_allclose(chain().readout[0] @ rows[0], modal.values(time)[0], rtol=1e-9, atol=1e-9)
    equal = LinearSystem(np.array([[[-0.1, 0], [0.1, -0.1]]]), np.array([1.0, 0]), np.eye(2)[None])
    met = Solution(equal, schedule)
    assert not met.modal.any()
    # Area of the second state is everything given over its rate.
    assert met.auc(np.array([1e4]))[0, 1, 0] == pytest.approx(25 / 0.1, rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 900), st.floats(0.1, 700), st.booleans()), min_size=1, max_size=5),
    st.floats(0.3, 40),
    st.floats(700, 2000),
)
def test_equal_steps_by_a_table_are_the_same_curves(given_doses, every_min, until_min) -> None:
    # The exponential of the matrix knows nothing of modes, tables or steps.
    schedule = Schedule.of([Dose(10, "iv", start, 0 if at_once else over) for start, over, at_once in given_doses])
    grid = Grid.of(until_min, every_min, schedule)
    solution = Solution(chain(), schedule)
    found = solution.values(grid.solved_min, grid.even)[0]
    expected = chain().readout[0] @ solution._states_by_exponential(0, grid.solved_min)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-13 * expected.max())
    np.testing.assert_allclose(found, solution.values(grid.solved_min)[0], rtol=1e-11, atol=1e-13 * expected.max())


def test_rows_do_not_touch_each_other() -> None:
    one = chain()
    many = LinearSystem(np.repeat(one.rates_per_min, 700, axis=0), one.entry, np.repeat(one.readout, 700, axis=0))
    schedule = Schedule.of([Dose(35, "iv", 0, 40)])
    time = np.linspace(0, 240, 121)
    found = Solution(many, schedule).values(time)
    np.testing.assert_allclose(found, np.broadcast_to(Solution(one, schedule).values(time), found.shape), rtol=1e-12)
