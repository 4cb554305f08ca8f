"""Virtual people have the percentiles of the survey they are drawn from, and the ages and sexes of the trials."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limen.errors import InputError
from limen.pharmacology.populations.demographics import Ages, demographics, people

N = 60_000
# Standard error of a middle percentile of 60,000 is 0.2 percentile points; 1 is five of them.
POINTS = 1.0


def narrow(age):
    """A population of one age, half of it women."""
    like = demographics().population("esketamine-trials")
    age = Ages(low_years=age - 0.01, median_years=age, high_years=age + 0.01)
    return like.model_copy(update={"age": age, "female_fraction": 0.5})


@pytest.mark.parametrize(
    ("age", "sex", "row", "printed"),
    [
        # Fryar 2025, tables 3 and 7, at the middle of the age group: 5th, 25th, 50th, 75th and 95th percentile.
        (25, "male", "weight_kg", [57.0, 72.2, 83.7, 98.2, 128.3]),
        (45, "female", "weight_kg", [52.8, 63.9, 74.8, 90.6, 123.7]),
        (65, "male", "weight_kg", [62.6, 76.0, 86.9, 99.0, 123.9]),
        (75, "female", "weight_kg", [49.8, 62.0, 71.7, 82.4, 103.5]),
        (35, "male", "height_cm", [163.6, 171.3, 176.4, 180.9, 187.1]),
        (55, "female", "height_cm", [150.4, 156.4, 160.8, 166.2, 172.4]),
        (9, "female", "weight_kg", [23.0, 28.0, 31.4, 37.8, 57.3]),
    ],
)
def test_has_the_survey_s_percentiles(age, sex, row, printed):
    who = people(7, 0, N, of=narrow(age))
    values = getattr(who, row)[who.female == (sex == "female")]
    below = 100 * np.array([(values < value).mean() for value in printed])
    np.testing.assert_allclose(below, [5, 25, 50, 75, 95], atol=POINTS)


def test_body_mass_index_of_adults_is_near_the_survey_s_though_it_was_not_used_by_percentile():
    like = demographics().population("esketamine-trials")
    who = people(3, 0, N, of=like.model_copy(update={"age": Ages(low_years=20, median_years=48, high_years=85)}))
    bmi = who.weight_kg / (who.height_cm / 100) ** 2
    # Table 10, 20 years and over: 25th, 50th, 75th, 95th. Ages here are not the nation's, so 1.5 kg/m2 is allowed.
    for female, printed in ((False, [24.9, 28.2, 32.6, 42.1]), (True, [24.1, 28.3, 34.4, 44.9])):
        found = np.percentile(bmi[who.female == female], [25, 50, 75, 95])
        np.testing.assert_allclose(found, printed, atol=1.5)


def test_taller_people_are_heavier_as_the_indices_say():
    spreads = demographics().spread_20_and_over
    for sex, spread in spreads.items():
        who = people(3, 0, N, of=narrow(45))
        mine = who.female == (sex == "female")
        found = np.corrcoef(np.log(who.weight_kg[mine]), np.log(who.height_cm[mine]))[0, 1]
        assert found == pytest.approx(spread.correlation_ratio, abs=0.03)
        assert 0.2 < found < 0.5


def test_ages_and_sexes_are_those_of_the_trials():
    who = people(1, 0, N)
    assert who.age_years.min() >= 18
    assert who.age_years.max() <= 86
    assert np.median(who.age_years) == pytest.approx(45, abs=0.5)
    assert who.female.mean() == pytest.approx(0.58, abs=0.01)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**64 - 1), st.integers(0, 10**9), st.lists(st.integers(1, 30), min_size=1, max_size=5))
def test_person_i_is_the_same_in_every_chunk(seed, first, sizes):
    whole = people(seed, first, sum(sizes))
    start = 0
    for size in sizes:
        part = people(seed, first + start, size)
        for name in ("age_years", "female", "weight_kg", "height_cm"):
            np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[start : start + size])
        start += size


def test_they_are_patients_to_the_engine():
    profiles = list(people(1, 0, 50).profiles())
    assert len(profiles) == 50
    assert {profile.sex for profile in profiles} == {"female", "male"}
    assert all(profile.weight_kg is not None for profile in profiles)


def test_no_step_from_one_group_of_ages_to_the_next():
    before, after = people(5, 0, 2000, of=narrow(29.99)), people(5, 0, 2000, of=narrow(30.01))
    np.testing.assert_allclose(before.weight_kg, after.weight_kg, rtol=5e-3)


def test_refuses_ages_that_were_not_surveyed():
    with pytest.raises(InputError, match="2 to 90"):
        people(1, 0, 1, of=narrow(1.0))


def test_refuses_an_unknown_population():
    with pytest.raises(InputError, match="esketamine-trials"):
        people(1, 0, 1, of="martians")
