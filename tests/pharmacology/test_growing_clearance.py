"""A metabolite whose clearance grows with the hours: areas, limits and rates that meet."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from limen.pharmacology import growing_clearance
from limen.pharmacology.disposition import Grown
from limen.pharmacology.kinetics import LinearSystem, Pulse, Solution
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose, Schedule
from limen.pharmacology.simulate import simulate

K, KN = 0.02, 0.9


def grown(growth_per_h: float, rows: int = 1) -> Grown:
    one = np.ones(rows)
    return Grown("S_norketamine", K * one, one, KN * 60 * one, growth_per_h * one)


def parent(*doses: Dose) -> Solution:
    return Solution(LinearSystem(np.array([[[-K]]]), np.ones(1), np.ones((1, 1, 1))), Schedule.of(doses))


def test_without_growth_it_is_bateman() -> None:
    """As growth goes to nothing: D k / (kn - k) (e^-kt - e^-kn t)."""
    time = np.array([0.0, 1.0, 10.0, 100.0, 500.0])
    found = growing_clearance.values(grown(1e-6), parent(Dose(10, "iv")), time, 0.0)[0]
    expected = 10e3 * K / (KN - K) * (np.exp(-K * time) - np.exp(-KN * time))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-9)


def test_long_after_the_start_an_infusion_gives_rate_over_clearance_of_that_hour() -> None:
    """Nearly steady: what is formed over a clearance that changes by under 1 % while a molecule stays."""
    day = np.array([1440.0, 2880.0, 5760.0])
    found = growing_clearance.values(grown(0.0087), parent(Dose(6000, "iv", 0, 6000)), day, 0.0)[0]
    expected = 1e3 * 1.0 / (KN * (1 + 0.0087 * day / 60))
    np.testing.assert_allclose(found, expected, rtol=1e-3)


@pytest.mark.parametrize("doses", [[Dose(10, "iv")], [Dose(30, "iv", 0, 45), Dose(5, "iv", 100)]])
def test_areas_by_an_independent_quadrature(doses: list[Dose]) -> None:
    solution, metabolite = parent(*doses), grown(0.0087)

    def curve(t: float) -> float:
        return float(growing_clearance.values(metabolite, solution, np.array([t]), 0.0)[0, 0])

    edges = [0.0, 3.0, 45.0, 48.0, 100.0, 103.0, 400.0]
    expected = sum(quad(curve, a, b, epsrel=1e-10, limit=200)[0] for a, b in itertools.pairwise(edges))
    assert growing_clearance.auc(metabolite, solution, 400.0, 0.0)[0] == pytest.approx(expected, rel=1e-8)


def test_the_panels_of_an_area_are_fine_enough() -> None:
    """Halving the points changes nothing: 12 a panel against 24."""
    solution, metabolite = parent(Dose(30, "iv", 0, 45)), grown(0.0087)
    coarse = growing_clearance.auc(metabolite, solution, 3000.0, 0.0)[0]
    points = growing_clearance._POINTS
    try:
        growing_clearance._POINTS = 2 * points
        fine = growing_clearance.auc(metabolite, solution, 3000.0, 0.0)[0]
    finally:
        growing_clearance._POINTS = points
    assert coarse == pytest.approx(fine, rel=1e-10)


def test_patients_with_times_of_their_own() -> None:
    lag, span = np.array([0.0, 7.0, 31.0]), np.array([5.0, 20.0, 60.0])
    system = LinearSystem(np.full((3, 1, 1), -K), np.ones(1), np.ones((3, 1, 1)))
    solution = Solution(system, Schedule.of([]), [Pulse(0, np.full(3, 8.0), lag, span)])
    time = np.array([3.0, 30.0, 90.0, 300.0])
    found = growing_clearance.values(grown(0.05, 3), solution, time, 0.0)
    for row in range(3):

        def slope(t: float, y: np.ndarray, row: int = row) -> list[float]:
            rate = 8.0 / span[row] if lag[row] <= t < lag[row] + span[row] else 0.0
            return [rate - K * y[0], K * y[0] - KN * (1 + 0.05 * t / 60) * y[1]]

        answer = solve_ivp(slope, (0, 300), [0.0, 0.0], t_eval=time, rtol=1e-10, atol=1e-13, max_step=0.25)
        np.testing.assert_allclose(found[row], 1e3 * answer.y[1], rtol=1e-4, atol=1e-6)


def test_rates_that_meet_in_the_parent_are_moved_apart() -> None:
    """A depot that empties as fast as the body: no modes, and the equation by a solver."""
    system = LinearSystem(np.array([[[-K, K], [0.0, -K]]]), np.array([1.0, 0.0]), np.array([[[1.0, 0.0]]]))
    solution = Solution(system, Schedule.of([]), [Pulse(1, np.array([10.0]), np.array([0.0]))])
    assert not solution.modal.all()
    time = np.array([5.0, 50.0, 300.0])
    found = growing_clearance.values(grown(0.0087), solution, time, 0.0)[0]

    def slope(t: float, y: np.ndarray) -> list[float]:
        return [K * y[1] - K * y[0], -K * y[1], K * y[0] - KN * (1 + 0.0087 * t / 60) * y[2]]

    answer = solve_ivp(slope, (0, 300), [0.0, 10.0, 0.0], t_eval=time, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(found, 1e3 * answer.y[2], rtol=1e-4)


def test_flint_steady_state_falls_with_the_hours() -> None:
    """A child of 7 kg, 100 mg/kg over 100 h: norketamine over ketamine is CL over CLn x (1 + 0.0087 x hours)."""
    child = PatientProfile(age_years=0.42, weight_kg=7)
    result = simulate("flint-2017", [Dose(700, "iv", 0, 6000)], child, until_min=6000, every_min=30, wanted_effects=())
    parent_curve = result.outputs["S_ketamine_plasma_ng_per_mL"].typical
    child_curve = result.outputs["S_norketamine_plasma_ng_per_mL"].typical
    assert child_curve[-1] / parent_curve[-1] == pytest.approx(112 / 53.2 / (1 + 0.0087 * 100), rel=0.002)
    assert child_curve[100] > child_curve[-1]
    assert {"norketamine-mass", "ventilated-children"} <= {flag.code for flag in result.flags}
