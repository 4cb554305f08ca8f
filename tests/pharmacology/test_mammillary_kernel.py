"""The compiled closed form against the NumPy reference, an independent ODE solver, and physics."""

from __future__ import annotations

import math
from itertools import pairwise

import numba
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from limen.errors import InputError
from limen.pharmacology.kernels.grid import Runs
from limen.pharmacology.kernels.mammillary import concentrations
from limen.pharmacology.kinetics import LinearSystem, Solution
from limen.pharmacology.regimen import Dose, Schedule

# V1 L, CL L/h, then volume L and flow L/h of each peripheral compartment.
FANTA = (133.0, 95.2, 187.0, 23.2, 98.8, 157.0)
STEPPED = [Dose(35, "iv", 0, 40), Dose(10, "iv", 60.3), Dose(20, "iv", 90, 17.7)]


def patients(numbers, rows=1):
    """The same numbers for every patient, as the kernel takes them."""
    arrays = [np.full(rows, float(value)) for value in numbers]
    return arrays[0], arrays[1], list(zip(arrays[2::2], arrays[3::2], strict=True))


def solution_of(central, clearance, peripheral, schedule, ke0):
    """The NumPy solver's own; outputs are plasma and effect site."""
    rows, states = len(central), 2 + len(peripheral)
    rates = np.zeros((rows, states, states))
    rates[:, 0, 0] = -clearance / central / 60
    for place, (volume, flow) in enumerate(peripheral, start=1):
        rates[:, 0, 0] -= flow / central / 60
        rates[:, place, 0] = flow / central / 60
        rates[:, 0, place] = flow / volume / 60
        rates[:, place, place] = -flow / volume / 60
    rates[:, -1, 0], rates[:, -1, -1] = ke0, -ke0
    readout = np.zeros((rows, 2, states))
    readout[:, 0, 0] = readout[:, 1, -1] = 1000 / central
    entry = np.zeros(states)
    entry[0] = 1.0
    return Solution(LinearSystem(rates, entry, readout), schedule)


def reference(central, clearance, peripheral, schedule, time_min, ke0):
    """The NumPy solver: plasma and effect site (rows, times)."""
    found = solution_of(central, clearance, peripheral, schedule, ke0).values(time_min)
    return found[:, 0], found[:, 1]


def assert_agree(found, expected, rtol=1e-10):
    """Within ``rtol`` of the curve, or of a ten-thousandth of its peak where it is less."""
    peak = expected.max(axis=1, keepdims=True)
    np.testing.assert_array_less(np.abs(found - expected), rtol * np.maximum(expected, 1e-4 * peak) + 1e-300)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(5, 500), st.floats(5, 300)), min_size=1, max_size=3),
    st.floats(0.01, 2.0),
    st.lists(st.tuples(st.floats(0, 300), st.floats(1, 60), st.booleans()), min_size=1, max_size=4),
    st.booleans(),
    st.integers(0, 2**32 - 1),
    st.one_of(st.none(), st.tuples(st.integers(0, 2), st.floats(-8, -1), st.sampled_from([-1, 1]))),
)
# Found by search: a site just off another rate, looked at soon after a bolus; a fast body long after its dose.
@example([(18.0, 233.8)], 0.21657968, [(141.955393669289, 8.9, False)], False, 0, None)
@example(
    [(5.6, 192.7), (457.5, 231.5), (389.4, 130.0)], 1.646, [(0.0, 15.4, True), (224.2, 33.2, False)], True, 0, None
)
@example([(5.0, 300.0)], 0.01, [(144.5726, 9.18, True)], False, 7, (0, -3.0, 1))
def test_both_solvers_agree_with_the_exponential_of_the_matrix(pairs, ke0, doses, regular, seed, near):
    # The exponential by its series has no modes, no differences and so nothing that cancels: it is the truth here, to
    # some 1e-12. Both solvers are held to the digits that double precision leaves them: the kernel's site may sit
    # within 1e-3 of another rate, where numbers a thousand times as large cancel; NumPy's modes lose as many digits as
    # the condition of its eigenvectors has.
    volumes = patients([number for pair in pairs for number in pair])
    schedule = Schedule.of([Dose(10, "iv", start, 0 if bolus else length) for start, length, bolus in doses])
    random = np.random.default_rng(seed)
    time_min = np.arange(161) * 3.0 if regular else np.unique(random.uniform(0, 480, 90))
    if near is not None:
        place, power, side = near
        rates = -np.linalg.eigvals(solution_of(*volumes, schedule, np.array([ke0])).system.rates_per_min[0, :-1, :-1])
        ke0 = max(1e-3, float(rates.real[place % len(rates)]) * (1 + side * 10.0**power))
    found = concentrations(*volumes, schedule, time_min, ke0_per_min=np.array([ke0]))
    by_modes = solution_of(*volumes, schedule, np.array([ke0]))
    exact = by_modes.system.readout[0] @ by_modes._states_by_exponential(0, time_min)
    modes = by_modes.system.modes
    condition = np.sqrt(((modes.vectors**2).sum(1) * (modes.inverse**2).sum(2)).max())
    # What the doses would be in the central volume alone.
    whole = 1000 * 10 * len(doses) / pairs[0][0]
    for place, share in ((0, 2e-14), (1, 2e-12)):
        np.testing.assert_array_less(np.abs(found[place][0] - exact[place]), 1e-10 * exact[place] + share * whole)
    np.testing.assert_array_less(
        np.abs(by_modes.values(time_min)[0] - exact), 1e-10 * exact + (1e-14 + 3e-15 * condition) * whole
    )


def test_a_fast_body_is_empty_long_after_its_dose():
    # One compartment that halves every 42 seconds: what is left is the exponential, however little.
    time_min = np.array([0.0, 1.0, 10.0, 60.0, 300.0, 301.5, 480.0])
    plasma, effect = concentrations(
        *patients([5, 300]), Schedule.of([Dose(10, "iv")]), time_min, ke0_per_min=np.array([2.0])
    )
    np.testing.assert_allclose(plasma[0], 2000 * np.exp(-time_min), rtol=1e-12)
    assert (effect >= 0).all()


def test_agrees_with_the_reference_to_1e_10_in_a_clinical_population():
    random = np.random.default_rng(2)
    spread = np.exp(0.4 * random.standard_normal((7, 300)))
    arrays = [value * factor for value, factor in zip(FANTA, spread, strict=False)]
    volumes = arrays[0], arrays[1], [(arrays[2], arrays[3]), (arrays[4], arrays[5])]
    ke0 = 0.0835 * spread[6]
    time_min = np.unique(np.append(np.arange(0, 1441, 2.0), [60.3, 107.7]))
    found = concentrations(*volumes, Schedule.of(STEPPED), time_min, ke0_per_min=ke0)
    expected = reference(*volumes, Schedule.of(STEPPED), time_min, ke0)
    assert_agree(found[0], expected[0])
    assert_agree(found[1], expected[1])


def test_agrees_with_an_ode_solver_that_knows_nothing_of_modes():
    central, clearance, peripheral = patients(FANTA)
    ke0 = 0.0835
    flat = [float(item[0]) for pair in peripheral for item in pair]

    def slope(_, state, rate):
        plasma, second, third, site = state
        to_second, to_third = flat[1] / 60 * (plasma - second), flat[3] / 60 * (plasma - third)
        return (
            (rate - clearance[0] / 60 * plasma - to_second - to_third) / central[0],
            to_second / flat[0],
            to_third / flat[2],
            ke0 * (plasma - site),
        )

    schedule = Schedule.of(STEPPED)
    time_min = np.linspace(0, 300, 61)
    found = concentrations(central, clearance, peripheral, schedule, time_min, ke0_per_min=np.array([ke0]))
    state = np.zeros(4)
    expected = np.zeros((4, len(time_min)))
    for segment, (start, end) in enumerate(pairwise([*schedule.start_min.tolist(), 300.0])):
        state[0] += schedule.bolus_mg[segment] / central[0]
        here = (time_min >= start) & (time_min <= end)
        solved = solve_ivp(
            slope, (start, end), state, "DOP853", time_min[here], args=(schedule.rate_mg_per_min[segment],),
            rtol=1e-12, atol=1e-14, dense_output=True,
        )  # fmt: skip
        expected[:, here] = solved.y
        state = solved.sol(end)
    np.testing.assert_allclose(found[0][0], 1000 * expected[0], rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(found[1][0], 1000 * expected[3], rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("gap", [0.0, 1e-13, 1e-9, 1e-7, 3e-6, 2e-5, 4e-4, 2e-3])
def test_a_ke0_that_meets_a_rate_costs_no_digits(gap):
    # One compartment, k = 0.1 /min: the effect site after a bolus is k t exp(-k t) where ke0 is k.
    k, ke0 = 0.1, 0.1 * (1 + gap)
    time_min = np.arange(1, 200.0)
    _, effect = concentrations(
        *patients([10, 60]), Schedule.of([Dose(10, "iv")]), time_min, ke0_per_min=np.array([ke0])
    )
    difference = (ke0 - k) * time_min
    relative = -np.expm1(-difference) / difference if gap else np.ones_like(time_min)
    np.testing.assert_allclose(effect[0], 1000 * ke0 * time_min * np.exp(-k * time_min) * relative, rtol=2e-10)


@pytest.mark.parametrize("flow", [1e-9, 1e-4, 1e-3, 0.1])
def test_nearly_equal_rates_fall_back_to_the_exponential(flow):
    # A peripheral compartment with the same turnover as the central one and almost no exchange: the rates nearly meet.
    central, clearance = np.array([10.0]), np.array([60.0])
    peripheral = [(np.array([flow / 6.0]), np.array([flow])), (np.array([20.0]), np.array([30.0]))]
    time_min = np.arange(0, 300, 2.0)
    schedule = Schedule.of([Dose(10, "iv", 0, 25.5)])
    found = concentrations(central, clearance, peripheral, schedule, time_min, ke0_per_min=np.array([0.05]))
    expected = reference(central, clearance, peripheral, schedule, time_min, np.array([0.05]))
    assert_agree(found[0], expected[0])
    assert_agree(found[1], expected[1])


def test_steady_state_is_rate_over_clearance():
    plasma, effect = concentrations(
        *patients(FANTA), Schedule.of([Dose(100_000, "iv", 0, 100_000)]), np.array([99_999.0]),
        ke0_per_min=np.array([0.0835]),
    )  # fmt: skip
    assert plasma.item() == pytest.approx(1000 * 60 / 95.2, rel=1e-12)
    assert effect.item() == pytest.approx(1000 * 60 / 95.2, rel=1e-12)


def test_nothing_is_there_before_the_first_dose():
    time_min = np.arange(0, 100.0)
    plasma, effect = concentrations(
        *patients(FANTA), Schedule.of([Dose(35, "iv", 50, 40)]), time_min, ke0_per_min=np.array([0.0835])
    )
    assert (plasma[0, :51] == 0).all()
    assert (effect[0, :51] == 0).all()
    assert (plasma[0, 51:] > 0).all()


def test_ten_infusions_back_to_back_are_one():
    time_min = np.arange(0, 600.0)
    ten = Schedule.of([Dose(3.5, "iv", 4.0 * place, 4) for place in range(10)])
    one = Schedule.of([Dose(35, "iv", 0, 40)])
    many, _ = concentrations(*patients(FANTA), ten, time_min)
    single, _ = concentrations(*patients(FANTA), one, time_min)
    np.testing.assert_allclose(many, single, rtol=1e-12)


def test_a_patient_is_the_same_whoever_is_beside_him_and_on_any_number_of_threads():
    random = np.random.default_rng(3)
    spread = np.exp(0.4 * random.standard_normal((7, 1000)))
    arrays = [value * factor for value, factor in zip((*FANTA, 0.0835), spread, strict=True)]
    time_min = np.arange(241.0)

    def solve(part):
        a = [item[part] for item in arrays]
        return concentrations(
            a[0], a[1], [(a[2], a[3]), (a[4], a[5])], Schedule.of(STEPPED), time_min, ke0_per_min=a[6]
        )

    whole = solve(slice(None))
    threads = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        np.testing.assert_array_equal(whole, solve(slice(None)))
    finally:
        numba.set_num_threads(threads)
    for part in (slice(0, 1), slice(1, 140), slice(997, 1000)):
        np.testing.assert_array_equal(np.stack(whole)[:, part], solve(part))


def test_rounding_does_not_grow_with_the_length_of_the_grid():
    time_min = np.arange(50_001) * 0.2
    schedule = Schedule.of([Dose(100, "iv")])
    plasma, _ = concentrations(*patients([100, 6]), schedule, time_min)
    np.testing.assert_allclose(plasma[0], 1000 * np.exp(-0.001 * time_min), rtol=2e-12)


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_refuses_a_volume_that_is_none(bad):
    with pytest.raises(InputError, match="over 0"):
        concentrations(*patients([bad, 60]), Schedule.of([Dose(10, "iv")]), np.array([1.0]))


@pytest.mark.parametrize("times", [[], [1.0, 1.0], [2.0, 1.0], [-1.0], [math.nan]])
def test_refuses_times_that_do_not_rise(times):
    with pytest.raises(InputError, match="rise"):
        concentrations(*patients([10, 60]), Schedule.of([Dose(10, "iv")]), np.array(times))


def test_refuses_a_fourth_compartment():
    with pytest.raises(InputError, match="3 peripheral"):
        concentrations(*patients([10, 60, *[1.0] * 6]), Schedule.of([Dose(10, "iv")]), np.array([1.0]))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 100), min_size=1, max_size=30, unique=True), st.floats(0.1, 50))
def test_runs_cover_every_time_once(times, end):
    time_min = np.array(sorted(times))
    schedule = Schedule.of([Dose(1, "iv", 0, end)])
    runs = Runs.of(schedule, time_min)
    covered = [place for _, first, last in runs.bounds.tolist() for place in range(first, last)]
    assert covered == list(range(len(time_min)))
    for (segment, first, last), step in zip(runs.bounds.tolist(), runs.step_min.tolist(), strict=True):
        assert time_min[first] >= schedule.start_min[segment]
        np.testing.assert_allclose(time_min[first:last], time_min[first] + step * np.arange(last - first), rtol=4e-15)
