"""Effects under every model and product: always there, finite, of the right sign, in order with concentration."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limen.pharmacology import models, population
from limen.pharmacology.effects import curves as equations
from limen.pharmacology.effects import effect_outputs, effects, links
from limen.pharmacology.effects.catalogue import shares
from limen.pharmacology.effects.outputs import CHAIRSIDE, effect_names
from limen.pharmacology.forecast import forecast
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose
from limen.pharmacology.simulate import simulate

CASES = [(model.id, product) for model in models.list_models() for product in model.products]
SALAT = "nmda_occupancy_salat_pct"


@pytest.mark.parametrize(("model_id", "product"), CASES)
def test_every_effect_of_every_model(model_id: str, product: str) -> None:
    model = models.get(model_id)
    route = "in" if product == "esketamine-nasal" else "iv"
    dose = Dose(28.0, route, 0.0, 40.0 if route == "iv" else 0.0)
    age = 7.0 if "child" in model.population else 40.0
    patient = PatientProfile(age_years=age, weight_kg=70.0)
    result = simulate(model, [dose], patient, until_min=180, every_min=5, product=product)
    expected = set(effect_names()) - (set() if product == "racemic" else {SALAT})
    assert expected <= set(result.outputs)
    assert SALAT in expected or SALAT not in result.outputs
    for name in expected:
        typical = result.outputs[name].typical
        assert np.isfinite(typical).all()
        floor = 1.0 if name.endswith("_ratio") else 0.0
        assert (typical >= floor).all()
        if name.endswith("_pct") and name != "cardiac_output_change_pct":
            assert (typical <= 100).all()
        if not name.startswith("unresponsive"):
            assert typical.max() > floor


def test_the_chairside_effects_are_effects() -> None:
    assert set(CHAIRSIDE) <= set(effect_names())


@given(levels=st.lists(st.floats(0, 5000), min_size=2, max_size=40))
@settings(max_examples=150, deadline=None)
def test_probability_of_no_response_stays_a_probability_and_follows_concentration(levels: list[float]) -> None:
    """One person's rule, whatever the course: a higher course of concentration never wakes anyone."""
    awake = effects().responsiveness
    low = np.array([levels])
    high = low * 1.2
    under, over = (equations.unresponsive_pct(one, one, awake.loss, awake.recovery)[0] for one in (low, high))
    assert ((under >= 0) & (under <= 100)).all()
    assert (over >= under - 1e-9).all()
    # Where concentration rises, probability does not fall.
    rising = np.diff(low[0]) >= 0
    assert (np.diff(under)[rising] >= -1e-9).all()


@given(seed=st.integers(0, 2**32 - 1), level=st.floats(0.1, 2000))
@settings(max_examples=50, deadline=None)
def test_more_drug_is_more_effect_in_every_patient(seed: int, level: float) -> None:
    draws = population.draw(8, np.random.default_rng(seed))
    sites = ("", *(f"@{name}" for name in links(draws)))
    less, more = (
        effect_outputs(
            {
                f"{drug}{site}": np.full((8, 1), level * factor)
                for drug in ("S_ketamine", "R_ketamine")
                for site in sites
            },
            draws,
        ).values
        for factor in (1.0, 1.3)
    )
    for name in effect_names():
        assert (more[name] >= less[name] - 1e-12).all()
        if not name.startswith("unresponsive"):
            assert (more[name] > less[name]).all()


def test_sites_fill_with_their_published_half_lives() -> None:
    """Under a steady level the site is half full after one half-life: 8.3, 6.5 min and 23 s."""
    rates = {name: float(rate[0]) for name, rate in links(np.zeros((1, len(population.COLUMNS)))).items()}
    for name, half_life_min in (("effect", 8.3), ("pressure", 6.5), ("sedation", 23 / 60)):
        assert 1 - np.exp(-rates[name] * half_life_min) == pytest.approx(0.5, rel=1e-3)


def test_no_share_of_a_hundred_passes_a_hundred_at_its_peak() -> None:
    """A probability that bends sharply into 100 % made the parabola of its peak pass it (112 % after a fast bolus)."""
    found = forecast(
        [Dose(140.0, "iv")],
        PatientProfile(age_years=42, weight_kg=70),
        until_min=120,
        n=50,
        rng=np.random.default_rng(1),
    )
    for name in shares() & set(found.summary):
        cell = found.summary[name].to_json()["cmax"]
        assert cell is not None
        assert max(cell["typical"], cell["p95"], cell["between_models"]["high"]) <= 100.0, name
