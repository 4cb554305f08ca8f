"""The stepped effect against a general solver, its order of convergence, and what the equations say at rest."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from limen.errors import InputError
from limen.pharmacology.kernels.turnover import Turnover, responses
from limen.pharmacology.regimen import Dose, Schedule

# V1 L, CL L/h, V2 L, Q2 L/h, V3 L, Q3 L/h (Otto 2021's typical S-ketamine) and a ke0 per minute.
VOLUMES = (133.0, 95.2, 187.0, 23.2, 98.8, 157.0)
KE0 = 0.0835
STEPPED = Schedule.of([Dose(35, "iv", 0, 40), Dose(10, "iv", 60.3), Dose(20, "iv", 90, 17.7)])


def population(rows, seed=1, spread=0.3):
    random = np.random.default_rng(seed)
    factor = np.exp(spread * random.standard_normal((12, rows)))
    pk = [value * row for value, row in zip((*VOLUMES, KE0), factor, strict=False)]
    effect = Turnover(
        0.05 * factor[7], 0.01 * factor[8], 0.8 * factor[9], 1.5 * factor[10], 120 * factor[11], np.ones(rows)
    )
    return pk, effect


def solve(pk, effect, schedule, time_min, *, site=True, step_min=None):
    return responses(
        pk[0], pk[1], [(pk[2], pk[3]), (pk[4], pk[5])], schedule, time_min, effect,
        ke0_per_min=pk[6] if site else None, step_min=step_min,
    )  # fmt: skip


def by_scipy(pk, effect, row, schedule, time_min, *, site=True):
    """Everything as one system, told where the input changes."""
    v1, cl, v2, q2, v3, q3, ke0 = (float(item[row]) for item in pk)
    kout, ktol, keep, emax, ec50, hill = (
        float(getattr(effect, name)[row])
        for name in ("kout_per_min", "ktol_per_min", "tolerance_ratio", "emax_ratio", "ec50_ng_per_mL", "hill_exponent")
    )

    def slope(_, y, rate):
        c, p2, p3, e, r, m = y
        drive = (1000 * max(e if site else c, 0.0)) ** hill
        s = emax * drive / (ec50**hill + drive)
        return (
            (rate - cl / 60 * c - q2 / 60 * (c - p2) - q3 / 60 * (c - p3)) / v1,
            q2 / 60 * (c - p2) / v2,
            q3 / 60 * (c - p3) / v3,
            ke0 * (c - e),
            kout * (1 + s - r * (1 + keep * (m - 1))),
            ktol * (r - m),
        )

    state = np.array([0, 0, 0, 0, 1.0, 1.0])
    out = np.full(len(time_min), np.nan)
    for segment, (start, end) in enumerate(pairwise([*schedule.start_min.tolist(), float(time_min[-1]) + 1])):
        state[0] += schedule.bolus_mg[segment] / v1
        here = (time_min >= start) & (time_min < end)
        solved = solve_ivp(
            slope, (start, end), state, "DOP853", np.append(time_min[here], end),
            args=(schedule.rate_mg_per_min[segment],), rtol=1e-10, atol=1e-13,
        )  # fmt: skip
        out[here] = solved.y[4, :-1]
        state = solved.y[:, -1]
    return out


@pytest.mark.parametrize("site", [True, False])
@pytest.mark.parametrize("hill", [1.0, 0.7, 3.0])
def test_within_a_millionth_of_a_general_solver(site, hill):
    pk, effect = population(6)
    effect = Turnover(*(getattr(effect, name) for name in Turnover.__slots__[:5]), np.full(6, hill))
    time_min = np.arange(0, 301, 2.5)
    found = solve(pk, effect, STEPPED, time_min, site=site)
    for row in range(6):
        expected = by_scipy(pk, effect, row, STEPPED, time_min, site=site)
        np.testing.assert_allclose(found[row], expected, rtol=1e-6)


def test_a_concentration_that_soars_past_ec50_in_seconds():
    pk, effect = population(3)
    effect = Turnover(*(getattr(effect, name) for name in Turnover.__slots__[:4]), np.full(3, 5.0), np.ones(3))
    schedule = Schedule.of([Dose(100, "iv", 0, 2), Dose(150, "iv", 100)])
    time_min = np.arange(0, 241.0)
    found = solve(pk, effect, schedule, time_min)
    for row in range(3):
        np.testing.assert_allclose(found[row], by_scipy(pk, effect, row, schedule, time_min), rtol=1e-6)


def test_inhibition_falls_below_the_baseline_and_rebounds():
    pk, effect = population(3)
    effect = Turnover(effect.kout_per_min, effect.ktol_per_min, np.full(3, 2.0), np.full(3, -0.9), *(
        effect.ec50_ng_per_mL, effect.hill_exponent
    ))  # fmt: skip
    time_min = np.arange(0, 601, 5.0)
    found = solve(pk, effect, STEPPED, time_min)
    assert (found.min(axis=1) < 0.9).all()
    assert found.max() > 1.0001
    np.testing.assert_allclose(found[1], by_scipy(pk, effect, 1, STEPPED, time_min), rtol=1e-6)


def test_the_scheme_is_of_order_four():
    pk, effect = population(4, spread=0.1)
    infusion = Schedule.of([Dose(35, "iv", 0, 640)])
    time_min = np.arange(0, 641, 64.0)
    exact = solve(pk, effect, infusion, time_min, step_min=0.125)
    errors = [
        np.abs(solve(pk, effect, infusion, time_min, step_min=step_min) - exact).max() for step_min in (8, 4, 2, 1)
    ]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert ((orders > 3.6) & (orders < 4.6)).all(), orders


def test_without_tolerance_it_is_plain_turnover_and_settles_at_its_drive():
    one = np.ones(1)
    effect = Turnover(0.1 * one, 0.01 * one, 0 * one, 1.5 * one, 500 * one, one)
    infusion = Schedule.of([Dose(10_000, "iv", 0, 10_000)])
    # 60 mg/h into 60 L/h: 1000 ng/mL, twice EC50.
    found = responses(10 * one, 60 * one, [], infusion, np.array([9_000.0]), effect)
    assert found.item() == pytest.approx(1 + 1.5 * 2 / 3, rel=1e-9)


def test_with_tolerance_it_settles_where_the_moderator_holds_it():
    one = np.ones(1)
    effect = Turnover(0.1 * one, 0.01 * one, one, 1.5 * one, 500 * one, one)
    infusion = Schedule.of([Dose(10_000, "iv", 0, 10_000)])
    # At rest R = M and 1 + S = R (1 + M - 1) = R^2.
    found = responses(10 * one, 60 * one, [], infusion, np.array([9_000.0]), effect)
    assert found.item() == pytest.approx(np.sqrt(2), rel=1e-9)


def test_stays_at_the_baseline_before_any_dose():
    pk, effect = population(20)
    found = solve(pk, effect, Schedule.of([Dose(35, "iv", 100, 40)]), np.arange(0, 101.0))
    np.testing.assert_allclose(found, 1.0, rtol=1e-13)


def test_a_patient_is_the_same_whoever_is_beside_him():
    pk, effect = population(50)
    time_min = np.arange(0, 241.0)
    whole = solve(pk, effect, STEPPED, time_min, step_min=0.5)
    for part in (slice(0, 1), slice(7, 40), slice(49, 50)):
        mine = Turnover(*(getattr(effect, name)[part] for name in Turnover.__slots__))
        found = solve([item[part] for item in pk], mine, STEPPED, time_min, step_min=0.5)
        np.testing.assert_array_equal(found, whole[part])


def test_points_asked_for_do_not_move_the_others():
    pk, effect = population(5)
    coarse = solve(pk, effect, STEPPED, np.arange(0, 301, 10.0))
    fine = solve(pk, effect, STEPPED, np.unique(np.append(np.arange(0, 301, 2.0), [0.01, 60.3, 60.31, 107.7])))
    places = np.searchsorted(
        np.unique(np.append(np.arange(0, 301, 2.0), [0.01, 60.3, 60.31, 107.7])), range(0, 301, 10)
    )
    np.testing.assert_allclose(coarse, fine[:, places], rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "bad"),
    [("kout_per_min", 0), ("ktol_per_min", -1), ("tolerance_ratio", -0.1), ("emax_ratio", -1), ("ec50_ng_per_mL", 0)],
)
def test_refuses_a_parameter_out_of_range(name, bad):
    pk, effect = population(2)
    values = {key: getattr(effect, key) for key in Turnover.__slots__} | {name: np.full(2, float(bad))}
    with pytest.raises(InputError, match=name):
        solve(pk, Turnover(**values), STEPPED, np.arange(3.0))


def test_refuses_a_step_of_nothing():
    pk, effect = population(2)
    with pytest.raises(InputError, match="step"):
        solve(pk, effect, STEPPED, np.arange(3.0), step_min=0.0)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_solves_on_one_thread_with_the_same_answer():
    code = """
import os, sys
import numpy as np
from limen.benchmarks.population import Patients, effect_of
from limen.benchmarks.works import nonlinear, population
plasma, _ = population.solve(Patients.of(400))
response = nonlinear.solve(40)
child = os.fork()
if child == 0:
    same = np.array_equal(population.solve(Patients.of(400))[0], plasma)
    same = same and np.array_equal(nonlinear.solve(40), response)
    os._exit(0 if same else 3)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
