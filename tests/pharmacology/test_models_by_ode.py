"""Every kind of model against its own differential equations, typed from the published tables and integrated apart."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose
from limen.pharmacology.simulate import simulate

Array = np.ndarray
END_MIN = 600.0


def integrate(
    slope: Callable[[float, Array, Array], Array],
    states: int,
    inputs: list[tuple[int, float, float, float]],
    time_min: Array,
) -> Array:
    """States (states, times) under inputs of (state, mg, start, duration), stepped from change to change of input."""
    edges = sorted({0.0, END_MIN, *(e for _, _, start, span in inputs for e in (start, start + span) if e < END_MIN)})
    state = np.zeros(states)
    out = np.zeros((states, len(time_min)))
    for start, end in itertools.pairwise(edges):
        rate = np.zeros(states)
        for place, mg, begin, span in inputs:
            if span == 0 and begin == start:
                state[place] += mg
            elif begin <= start < begin + span:
                rate[place] += mg / span
        here = (time_min >= start) & ((time_min < end) | (end == END_MIN))
        wanted = np.unique(np.concatenate([[start], time_min[here], [end]]))
        found = solve_ivp(
            lambda t, y, r=rate: slope(t, y, r),
            (start, end),
            state,
            method="LSODA",
            t_eval=wanted,
            rtol=1e-10,
            atol=1e-12,
        )
        out[:, here] = found.y[:, np.isin(found.t, time_min[here])]
        state = found.y[:, -1].copy()
    return out


def agrees(mine: Array, theirs: Array) -> None:
    np.testing.assert_allclose(mine, theirs, rtol=1e-6, atol=1e-6 * theirs.max())


def curves(model: str, doses: list[Dose], product: str, patient: PatientProfile) -> dict[str, Array]:
    result = simulate(model, doses, patient, until_min=END_MIN, every_min=7.5, product=product)
    return {name.partition("_ng_")[0]: curve.typical for name, curve in result.outputs.items()}


TIMES = np.arange(81) * 7.5
STARTS = st.sampled_from([0.0, 15.0, 45.0, 137.5, 300.0])


@given(st.lists(st.tuples(st.integers(1, 4), STARTS), min_size=1, max_size=3, unique_by=lambda entry: entry[1]))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_esketamine_by_nose(sprays: list[tuple[int, float]]) -> None:
    """Perez-Ruixo 2021, 70 years, Japanese: litres and hours of the table."""
    qh, kel, cln, first = 151 - 2.19 * 10, 1.11 * 0.36, 38.0 * 0.81, 0.54 * 1.34

    def slope(_: float, y: Array, rate: Array) -> Array:
        nose, gut, c, p1, p2, liver, n, np_ = y
        return (
            rate
            + np.array(
                [
                    -2.93 * nose,
                    -1.45 * gut,
                    2.93 * nose
                    + qh * (liver / 101 - c / 192)
                    - 84.3 * (c / 192 - p1 / 143)
                    - 37.6 * (c / 192 - p2 / 417),
                    84.3 * (c / 192 - p1 / 143),
                    37.6 * (c / 192 - p2 / 417),
                    1.45 * gut + qh * (c / 192 - liver / 101) - (kel + 2.77) * liver,
                    2.77 * liver - cln * n / 70 - 26.1 * (n / 70 - np_ / 115),
                    26.1 * (n / 70 - np_ / 115),
                ]
            )
            / 60
        )

    inputs, used, last = [], 0, -1e9
    for devices, start in sorted(sprays, key=lambda entry: entry[1]):
        used = used if start - last <= 60 else 0
        last = start
        for spray in range(used, used + devices):
            share = first * (1.0 if spray == 0 else 0.62)
            inputs.append((0, 28 * share, start, 0.0))
            inputs.append((1, 28 * (1 - share) * 0.64, start, 0.53 * 60))
        used += devices
    theirs = integrate(slope, 8, inputs, TIMES)
    patient = PatientProfile(age_years=70, ancestry="japanese")
    mine = curves("perez-ruixo-2021", [Dose(28 * n, "in", start) for n, start in sprays], "esketamine-nasal", patient)
    agrees(mine["S_ketamine_plasma"], 1000 * theirs[2] / 192)
    agrees(mine["S_norketamine_plasma"], 1000 * theirs[6] / 70)


@given(
    st.lists(st.tuples(st.floats(10, 100), STARTS), min_size=0, max_size=2),
    st.tuples(st.floats(5, 40), STARTS, st.sampled_from([0.0, 20.0, 90.0])),
    st.floats(50, 100),
)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_film_and_vein_with_both_metabolites(
    films: list[tuple[float, float]], vein: tuple[float, float, float], weight_kg: float
) -> None:
    """Simons 2022: litres and minutes of the table, scaled with weight; two equal steps in each delay."""
    v, q = weight_kg / 70, (weight_kg / 70) ** 0.75
    vk1, vk2, vk3, vn2, vh1, vh2 = 11.6 * v, 39.0 * v, 174 * v, 221 * v, 4.4 * v, 87.5 * v
    k1, k2, k3 = 1.48 * q, 2.43 * q, 1.21 * q
    n1, n2, h1, h2 = 1.00 * q, 2.63 * q, 0.933 * q, 1.70 * q
    to_n, to_h = 2 / 20.1, 2 / 1.12

    def slope(_: float, y: Array, rate: Array) -> Array:
        mouth, gut, way, c, p1, p2, a, b, n, np_, d, e, h, hp = y
        return rate + np.array(
            [
                -0.040 * mouth,
                -0.049 * gut,
                0.049 * gut - way / 10.7,
                0.040 * mouth - k1 * c / vk1 - k2 * (c / vk1 - p1 / vk2) - k3 * (c / vk1 - p2 / vk3),
                k2 * (c / vk1 - p1 / vk2),
                k3 * (c / vk1 - p2 / vk3),
                k1 * c / vk1 + way / 10.7 - to_n * a,
                to_n * (a - b),
                0.80 * to_n * b - n1 * n / vk1 - n2 * (n / vk1 - np_ / vn2),
                n2 * (n / vk1 - np_ / vn2),
                n1 * n / vk1 - to_h * d,
                to_h * (d - e),
                0.70 * to_h * e - h1 * h / vh1 - h2 * (h / vh1 - hp / vh2),
                h2 * (h / vh1 - hp / vh2),
            ]
        )

    mg, start, span = vein
    inputs = [(3, mg, start, span)]
    for film, at in films:
        inputs += [(0, 0.263 * film, at, 13.1), (1, 1.16 * film, at, 29.9)]
    theirs = integrate(slope, 14, inputs, TIMES)
    doses = [Dose(mg, "iv", start, span), *(Dose(film, "buccal", at) for film, at in films)]
    mine = curves("simons-2022", doses, "s-ketamine", PatientProfile(age_years=24, weight_kg=weight_kg))
    agrees(mine["S_ketamine_arterial"], 1000 * theirs[3] / vk1)
    agrees(mine["S_norketamine_arterial"], 1000 * theirs[8] / vk1 * 223.70 / 237.73)
    agrees(mine["S_hydroxynorketamine_arterial"], 1000 * theirs[12] / vh1 * 239.70 / 237.73)


@given(
    st.lists(st.tuples(st.floats(2, 40), STARTS, st.sampled_from([0.0, 5.0, 120.0])), min_size=1, max_size=3),
    st.floats(3.4, 35),
)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_clearance_that_grows_with_the_hours(doses: list[tuple[float, float, float]], weight_kg: float) -> None:
    """Flint 2017: norketamine clearance times (1 + 0.0087 x hours since the first dose)."""
    v, q = weight_kg / 70, (weight_kg / 70) ** 0.75
    v1, v2, cl, q2, nv, ncl = 7.73 * v, 545 * v, 112 * q / 60, 196 * q / 60, 1.0 * v, 53.2 * q / 60
    first = min(start for _, start, _ in doses)

    def slope(t: float, y: Array, rate: Array) -> Array:
        c, p, n = y
        grown = 1 + 0.0087 * (t - first) / 60
        return rate + np.array(
            [
                -cl * c / v1 - q2 * (c / v1 - p / v2),
                q2 * (c / v1 - p / v2),
                cl * c / v1 - ncl * grown * n / nv,
            ]
        )

    theirs = integrate(slope, 3, [(0, mg, start, span) for mg, start, span in doses], TIMES)
    mine = curves(
        "flint-2017",
        [Dose(mg, "iv", start, span) for mg, start, span in doses],
        "s-ketamine",
        PatientProfile(age_years=2, weight_kg=weight_kg),
    )
    agrees(mine["S_ketamine_plasma"], 1000 * theirs[0] / v1)
    agrees(mine["S_norketamine_plasma"], 1000 * theirs[2] / nv)


@pytest.mark.parametrize(
    ("model", "matrix", "v1", "cl", "v2", "q2"),
    [
        ("herd-2007", "plasma", 38.7, 90, 102, 215),
        ("hornik-2018", "plasma", 32.8, 38.9, 152, 54.9),
        ("sherwin-2015", "plasma", 20.5, 87.9, 220, 87.3),
        ("heart-disease-2015", "plasma", 57.3, 60.6, 152, 73.2),
    ],
)
@pytest.mark.parametrize("weight_kg", [5.0, 20.0, 70.0])
def test_children_in_two_compartments(
    model: str, matrix: str, v1: float, cl: float, v2: float, q2: float, weight_kg: float
) -> None:
    v, q = weight_kg / 70, (weight_kg / 70) ** 0.75 / 60

    def slope(_: float, y: Array, rate: Array) -> Array:
        c, p = y[0] / (v1 * v), y[1] / (v2 * v)
        return rate + np.array([-cl * q * c - q2 * q * (c - p), q2 * q * (c - p)])

    mg = 1.5 * weight_kg
    theirs = integrate(slope, 2, [(0, mg, 0.0, 0.0), (0, mg, 45.0, 90.0)], TIMES)
    doses = [Dose(mg, "iv"), Dose(mg, "iv", 45, 90)]
    mine = curves(model, doses, "racemic", PatientProfile(age_years=6, weight_kg=weight_kg))
    agrees(mine[f"ketamine_{matrix}"], 1000 * theirs[0] / (v1 * v))
