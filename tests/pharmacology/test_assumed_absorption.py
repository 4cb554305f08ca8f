"""Routes without a model: the spread is never narrower than what was read, and what nobody read is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.stats import lognorm, norm

from limen.errors import InputError
from limen.evidence import Verification, sources
from limen.pharmacology.absorption.assumed import (
    Assumption,
    Stated,
    assumed_flags,
    assumed_pathways,
    assumption,
    assumptions,
    covers,
)
from limen.pharmacology.absorption.peak_times import rates_for_peaks
from limen.pharmacology.kinetics import LinearSystem
from limen.pharmacology.population import COLUMNS

# Typical volumes (L) and flows (L/h) at 70 kg: central volume, clearance, (volume, flow) of each periphery.
BODIES = {
    "fanta-otto": (133.0, 95.2, ((187.0, 23.2), (98.8, 157.0))),
    "kamp": (25.0, 84.0, ((56.0, 161.0), (157.0, 79.0))),
    "herd": (38.7, 90.0, ((102.0, 215.0),)),
}
KEYS = [(item.route, item.product, item.age) for item in assumptions()]


def matrix(name: str) -> np.ndarray:
    central, clearance, periphery = BODIES[name]
    rates = np.zeros((1 + len(periphery),) * 2)
    rates[0, 0] = -clearance / central / 60
    for place, (volume, flow) in enumerate(periphery, start=1):
        rates[0, 0] -= flow / central / 60
        rates[place, 0] = flow / central / 60
        rates[0, place] = flow / volume / 60
        rates[place, place] = -flow / volume / 60
    return rates


def body(name: str) -> LinearSystem:
    rates = matrix(name)
    entry = np.eye(len(rates))[0]
    return LinearSystem(rates[None], entry, entry[None, None])


def peak_by_ode(name: str, rate_per_min: float) -> float:
    """Time of the peak, by stepping the differential equations."""
    rates = matrix(name)

    def slope(_: float, state: np.ndarray) -> np.ndarray:
        moved = rates @ state[1:]
        moved[0] += rate_per_min * state[0]
        return np.concatenate([[-rate_per_min * state[0]], moved])

    def top(time_min: float, state: np.ndarray) -> float:
        return float(slope(time_min, state)[1])

    top.direction = -1  # type: ignore[attr-defined]
    start = np.eye(len(rates) + 1)[0]
    run = solve_ivp(slope, (0, 3000), start, method="LSODA", rtol=1e-10, atol=1e-14, events=top)
    return float(run.t_events[0][0])


def numbers(item: Assumption) -> list[Stated]:
    return [
        stated for stated in (item.fraction, item.peak_min, item.rate_per_h, item.zero_order_min) if stated is not None
    ]


def virtual(n: int) -> np.ndarray:
    return np.random.default_rng(3).standard_normal((n, len(COLUMNS)))


@pytest.mark.parametrize(("route", "product", "age"), KEYS)
def test_the_stated_range_holds_ninety_of_a_hundred(route: str, product: str, age: str) -> None:
    item = assumption(route, product, age_years=6.0 if age == "child" else 40.0)
    for stated in numbers(item):
        at = stated.drawn(norm.ppf([0.05, 0.5, 0.95]))
        if stated.low is None or stated.high is None:
            assert at.tolist() == [stated.typical] * 3
            assert stated.note
        else:
            np.testing.assert_allclose(at, [stated.low, stated.typical, stated.high], rtol=1e-9)


@pytest.mark.parametrize(("route", "product", "age"), KEYS)
def test_shares_stay_shares_and_speeds_stay_positive(route: str, product: str, age: str) -> None:
    age_years = 6.0 if age == "child" else 40.0
    (way,) = assumed_pathways(route, product, virtual(3000), body=body("fanta-otto"), age_years=age_years)
    assert way.entry == "central"
    assert ((way.fraction > 0) & (way.fraction < 1)).all()
    assert (way.rates_per_min[0] > 0).all()
    assert np.isfinite(way.rates_per_min[0]).all()


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize(
    ("route", "low_min", "typical_min", "high_min"),
    [("im", 5, 10, 20), ("in", 14, 17.3, 23), ("sl", 15, 42, 60), ("po", 13, 44, 146), ("sc", 20, 34, 58)],
)
def test_peaks_cover_the_times_that_were_read(
    name: str, route: str, low_min: float, typical_min: float, high_min: float
) -> None:
    """Section 3 of the reference: muscle 5 to 15 and 20 min, nose 14 and 23, wafer 15 to 60, tablet 0.96 +- 0.8 h."""
    draws = np.zeros((3, len(COLUMNS)))
    column = COLUMNS.index(f"PEAK_{route.upper()}")
    draws[:, column] = norm.ppf([0.05, 0.5, 0.95])
    (way,) = assumed_pathways(route, "racemic", draws, body=body(name))
    early, middle, late = (peak_by_ode(name, rate) for rate in way.rates_per_min[0])
    assert early <= low_min * 1.01
    assert late >= high_min * 0.99
    assert middle == pytest.approx(typical_min, rel=0.01)


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("wanted_min", [1.5, 5.0, 20.0, 57.6, 180.0])
def test_a_rate_puts_the_peak_where_it_was_asked(name: str, wanted_min: float) -> None:
    (rate,) = rates_for_peaks(np.array([wanted_min]), body(name))
    assert peak_by_ode(name, float(rate)) == pytest.approx(wanted_min, rel=5e-3)


def test_muscle_covers_the_rates_that_go_with_the_stated_peak() -> None:
    """6 to 12 /h is what the reference gives for muscle, in a body like that of the venous models."""
    draws = np.zeros((2, len(COLUMNS)))
    draws[:, COLUMNS.index("PEAK_IM")] = norm.ppf([0.95, 0.05])
    (way,) = assumed_pathways("im", "racemic", draws, body=body("fanta-otto"))
    slow, fast = way.rates_per_min[0] * 60
    assert slow <= 6
    assert fast >= 12


@pytest.mark.parametrize(("route", "mean_h", "sd_h"), [("po", 0.96, 0.8), ("sl", 0.76, 0.51)])
def test_times_given_as_mean_and_sd_become_their_lognormal(route: str, mean_h: float, sd_h: float) -> None:
    log_sd = math.sqrt(math.log(1 + (sd_h / mean_h) ** 2))
    law = lognorm(log_sd, scale=60 * mean_h / math.exp(log_sd**2 / 2))
    stated = assumption(route, "racemic").peak_min
    assert stated is not None
    assert stated.low == pytest.approx(law.ppf(0.05), rel=0.04)
    assert stated.high == pytest.approx(law.ppf(0.95), rel=0.01)
    assert law.ppf(0.3) < stated.typical < 60 * mean_h


def test_shares_given_as_mean_and_sd_reach_ninety_of_a_hundred() -> None:
    """Chong 2006: 0.23 +- 0.09 by mouth and 0.32 +- 0.17 under the tongue."""
    for route, mean, sd in (("po", 0.23, 0.09), ("sl", 0.32, 0.17)):
        share = assumption(route, "racemic").fraction
        assert share.low is not None
        assert share.high is not None
        assert share.low <= mean - 1.645 * sd + 0.005
        assert share.high >= mean + 1.645 * sd - 0.005


def test_the_nose_spans_both_disagreeing_studies_and_says_so() -> None:
    (way,) = assumed_pathways("in", "racemic", virtual(4000), body=body("fanta-otto"))
    low, high = np.percentile(way.fraction, [5, 95])
    assert low < 0.11
    assert high > 0.45
    assert "bioavailability-disputed" in {flag.code for flag in assumed_flags("in", "racemic")}
    assert "bioavailability-disputed" not in {flag.code for flag in assumed_flags("im", "racemic")}


def test_one_patient_has_his_own_muscle_and_his_own_nose() -> None:
    draws = virtual(4000)
    by = {
        route: assumed_pathways(route, "racemic", draws, body=body("herd"))[0] for route in ("sc", "in", "sl", "buccal")
    }
    assert abs(np.corrcoef(by["sc"].fraction, by["in"].fraction)[0, 1]) < 0.05
    np.testing.assert_array_equal(by["sl"].fraction, by["buccal"].fraction)


@pytest.mark.parametrize(
    ("route", "product", "age_years"),
    [
        ("im", "s-ketamine", 40),
        ("sc", "esketamine-nasal", 40),
        ("im", "racemic", 6),
        ("sc", "racemic", 6),
        ("iv", "racemic", 40),
        ("nasal", "racemic", None),
    ],
)
def test_what_nobody_read_is_refused(route: str, product: str, age_years: float | None) -> None:
    assert not covers(route, product, age_years=age_years)
    with pytest.raises(InputError, match="no stated absorption") as problem:
        assumed_pathways(route, product, np.zeros((1, len(COLUMNS))), body=body("herd"), age_years=age_years)
    assert problem.value.allowed


def test_log_variances_become_their_ranges() -> None:
    """Simons 2022: share 0.060, filling 0.154, rate 0.062; Perez-Ruixo 2021 by mouth: 132 % of variation."""
    film, solution = assumption("buccal", "s-ketamine"), assumption("po", "s-ketamine")
    for stated, log_variance in (
        (film.fraction, 0.060),
        (film.zero_order_min, 0.154),
        (film.rate_per_h, 0.062),
        (solution.rate_per_h, math.log(1 + 1.32**2)),
    ):
        assert stated is not None
        law = lognorm(math.sqrt(log_variance), scale=stated.typical)
        assert (stated.low, stated.high) == (
            pytest.approx(law.ppf(0.05), rel=5e-3),
            pytest.approx(law.ppf(0.95), rel=5e-3),
        )
    assert assumption("sl", "s-ketamine").fraction.typical == pytest.approx(0.26, abs=0.01)


def test_s_ketamine_by_mouth_spans_both_studies() -> None:
    share = assumption("po", "s-ketamine").fraction
    assert share.low is not None
    assert share.high is not None
    assert share.low < 0.08 < 0.186 < share.high
    assert "bioavailability-disputed" in {flag.code for flag in assumed_flags("po", "s-ketamine")}


@pytest.mark.parametrize("wanted_min", [float("nan"), 1e-9, 1e12])
def test_a_peak_that_no_rate_makes_is_refused(wanted_min: float) -> None:
    with pytest.raises(InputError, match="a plasma peak"):
        rates_for_peaks(np.array([wanted_min]), body("herd"))


def test_every_number_is_marked_and_said() -> None:
    for item in assumptions():
        assert set(item.sources) <= set(sources())
        said = assumed_flags(item.route, item.product, age_years=6.0 if item.age == "child" else None)
        assert said[0].code == "assumed-absorption"
        for stated in numbers(item):
            assert f"[{Verification(stated.verification)}]" in said[0].message
            assert stated.note


def test_a_range_upside_down_cannot_be_loaded() -> None:
    with pytest.raises(ValueError, match="low <= typical <= high"):
        Stated(typical=0.3, low=0.5, high=0.6, unit="fraction", verification=Verification.READ, source="limen")
    with pytest.raises(ValueError, match="at most 1"):
        Stated(typical=0.9, low=0.5, high=1.2, unit="fraction", verification=Verification.READ, source="limen")
