"""The intervals of the estimates, apart from the spread between people."""

from __future__ import annotations

import math

import numpy as np
import pytest

from limen.errors import InputError
from limen.pharmacology import Dose, PatientProfile, population
from limen.pharmacology.models import get
from limen.pharmacology.populations.uncertainty import (
    estimate_columns,
    estimates,
    hold_estimates,
    uncertain_percentiles,
    with_estimates,
)

DOSE = [Dose(35, "iv", 0, 40)]
PATIENT = PatientProfile(age_years=42, weight_kg=70)
KAMP = get("kamp-2020")
REPLICATES = 1500


@pytest.fixture(scope="module")
def factors():
    changed = [with_estimates(KAMP, 1, replicate).arms[0].parameters for replicate in range(REPLICATES)]
    own = KAMP.arms[0].parameters
    return {name: np.array([one[name].value / own[name].value for one in changed]) for name in own}


@pytest.mark.parametrize(("name", "low", "high"), [("V1", 200, 304), ("CL", 69, 90)])
def test_a_factor_has_the_width_of_the_published_interval(factors, name, low, high):
    # Kamp 2020, abstract: V 252 L (95 % CI 200 to 304), CL 79 L/h (69 to 90).
    found = np.quantile(factors[name], [0.025, 0.975])
    assert found[1] / found[0] == pytest.approx(high / low, rel=0.05)
    assert np.median(factors[name]) == pytest.approx(1.0, abs=0.01)


def test_one_estimate_moves_its_parameters_together_and_leaves_the_others(factors):
    np.testing.assert_allclose(factors["V1"], factors["V2"], rtol=1e-12)
    np.testing.assert_allclose(factors["V1"], factors["V3"], rtol=1e-12)
    np.testing.assert_array_equal(factors["Q2"], 1.0)
    assert abs(np.corrcoef(factors["V1"], factors["CL"])[0, 1]) < 5 / math.sqrt(REPLICATES)


def test_a_model_without_intervals_stays_as_it_is():
    clements = get("clements-250")
    assert with_estimates(clements, 1, 5) is clements


def test_every_patient_of_a_replicate_shares_its_estimates_and_keeps_his_own_spread():
    draws = np.concatenate([np.zeros((1, len(population.COLUMNS))), population.patients(2, 0, 50)])
    held = hold_estimates(draws, 1, 7)
    shared = [population.COLUMNS.index(column) for column in estimate_columns()]
    own = [place for place in range(draws.shape[1]) if place not in shared]
    np.testing.assert_array_equal(held[:, own], draws[:, own])
    np.testing.assert_array_equal(held[0], 0.0)
    assert (np.ptp(held[1:, shared], axis=0) == 0).all()
    assert (hold_estimates(draws, 1, 8)[1, shared] != held[1, shared]).all()


def test_the_columns_held_are_those_whose_files_call_their_interval_one_of_the_estimate():
    assert set(estimate_columns()) == {"KE0", "KE0_SEDATION", "C50_PERCEPTION"}


def test_every_interval_names_parameters_its_model_has():
    for one in estimates():
        held = set().union(*(arm.parameters or {} for arm in get(one.model).arms))
        assert set(one.parameters) <= held
        assert one.unit in {"L", "L/h"}


def test_late_concentration_is_as_unsure_as_its_parameters_say():
    # Total exposure is dose over clearance: its interval is that of clearance, whatever the volumes.
    found = uncertain_percentiles(
        KAMP, [Dose(6000, "iv", 0, 6000)], PATIENT, until_min=6000, every_min=3000, n=8, replicates=150, seed=3
    )["ketamine_arterial_ng_per_mL"]
    # At steady state the concentration is rate over clearance.
    ratio = found.high.p50[-1] / found.low.p50[-1]
    assert ratio == pytest.approx(90 / 69, rel=0.12)


def test_percentiles_stay_in_order_and_the_number_of_replicates_does_not_move_a_replicate():
    few = uncertain_percentiles("kamp-2020", DOSE, PATIENT, until_min=60, every_min=20, n=30, replicates=10)
    for name, one in few.items():
        for level in ("p05", "p50", "p95"):
            low, middle, high = (getattr(part, level)[1:] for part in (one.low, one.middle, one.high))
            assert (low <= middle).all(), name
            assert (middle <= high).all(), name
    assert with_estimates(KAMP, 1, 3) == with_estimates(KAMP, 1, 3)


def test_tells_how_far_it_is():
    told = []
    uncertain_percentiles(
        "kamp-2020", DOSE, PATIENT, until_min=60, every_min=60, n=2, replicates=3, progress=lambda *at: told.append(at)
    )
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(("n", "replicates"), [(1, 10), (10, 1)])
def test_refuses_too_few(n, replicates):
    with pytest.raises(InputError, match="replicates"):
        uncertain_percentiles("kamp-2020", DOSE, PATIENT, until_min=60, n=n, replicates=replicates)
