"""The page on populations is followed to the letter."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "simulate-a-population.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def names():
    space = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL):
        exec(compile(block, "simulate-a-population.md", "exec"), space)  # noqa: S102
    return space


def test_the_population_has_percentiles_and_states_their_bound(names):
    assert names["found"].patients == 5_000
    assert names["found"].flags[-1].code == "counted-percentiles"
    # The typical patient of this model reaches 253 ng/mL at the end of the infusion.
    assert names["middle"][40] == pytest.approx(253, rel=0.05)


def test_the_ensemble_s_people_have_a_band(names):
    assert names["pooled"].patients == 500
    assert (names["band"].p95[1:] > 1.5 * names["band"].p05[1:]).all()


def test_two_halves_are_the_whole(names):
    exact = np.quantile(names["peaks"], 0.95)
    assert names["p95"] == pytest.approx(exact, rel=names["left"].error_fraction)


def test_the_people_are_adults(names):
    assert len(names["profiles"]) == 1_000
    assert names["who"].age_years.min() >= 18


def test_the_estimates_are_unsure_by_more_than_nothing(names):
    assert (names["width"][1:] > 0).all()


def test_the_effect_rises_and_comes_back(names):
    response = names["response"][0]
    assert response[0] == 1.0
    assert response.max() > 1.2
    assert response[-1] < response.max()
