"""Where studies of a bioavailability disagree: one draw for everybody beside each one's own, never narrower."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from pydantic import ValidationError

from limen.pharmacology import Dose, PatientProfile, population
from limen.pharmacology.absorption.assumed import Assumption, assumed_flags, assumption, assumptions
from limen.pharmacology.absorption.disagreement import Disagreement, disagreement
from limen.pharmacology.models import get
from limen.pharmacology.populations import uncertainty
from limen.pharmacology.populations.uncertainty import disputed_by, hold_estimates, uncertain_percentiles

PATIENT = PatientProfile(age_years=42, weight_kg=70)
REPLICATES, PATIENTS = 600, 2000
DISPUTED = [(item.route, item.product) for item in assumptions() if disagreement(item) is not None]


def found(route: str, product: str) -> Disagreement:
    item = disagreement(assumption(route, product))
    assert item is not None
    return item


@pytest.fixture(scope="module")
def people() -> np.ndarray:
    rows = population.patients(3, 0, PATIENTS)
    return np.concatenate([np.zeros((1, rows.shape[1])), rows])


def shares(item: Disagreement, people: np.ndarray) -> np.ndarray:
    """The share absorbed of every patient under every replicate (replicates, patients)."""
    place = population.COLUMNS.index(item.column)
    held = [hold_estimates(people, 1, replicate, [item])[1:, place] for replicate in range(REPLICATES)]
    return np.stack([item.assumption.fraction.drawn(draws) for draws in held])


def test_nose_and_oral_s_ketamine_are_among_those_that_disagree() -> None:
    assert {("in", "racemic"), ("po", "s-ketamine")} <= set(DISPUTED)


@pytest.mark.slow
@pytest.mark.parametrize(("route", "product"), DISPUTED)
def test_over_people_and_studies_the_stated_range_is_whole(route: str, product: str, people: np.ndarray) -> None:
    item = found(route, product)
    low, high = np.quantile(shares(item, people), [0.05, 0.95])
    stated = item.assumption.fraction
    # 90 of 100 by definition of the range; a 5th percentile of 2000 people is known to 0.047 standard deviations
    assert stated.place_of(low) == pytest.approx(-1.645, abs=0.15)
    assert stated.place_of(high) == pytest.approx(1.645, abs=0.15)


@pytest.mark.slow
@pytest.mark.parametrize(("route", "product"), DISPUTED)
def test_the_medians_of_the_studies_reach_every_study_that_was_read(
    route: str, product: str, people: np.ndarray
) -> None:
    item = found(route, product)
    told = item.to_json()["between_studies"]
    for study in item.assumption.studies:
        assert told["low"] <= study.value * (1 + 1e-9)
        assert told["high"] >= study.value * (1 - 1e-9)
    middles = np.median(shares(item, people), axis=1)
    low, high = np.quantile(middles, [0.05, 0.95])
    assert (low, high) == pytest.approx((told["low"], told["high"]), rel=0.12)


def test_the_two_parts_are_told_apart_and_neither_is_wider_than_the_whole() -> None:
    told = found("in", "racemic").to_json()
    for part in ("between_studies", "between_patients"):
        assert told["stated"]["low"] <= told[part]["low"] < told["typical"] < told[part]["high"]
        assert told[part]["high"] <= told["stated"]["high"]
    assert [study["value"] for study in told["studies"]] == [0.17, 0.13, 0.11, 0.45]
    (flag,) = [flag for flag in assumed_flags("in", "racemic") if flag.code == "bioavailability-disputed"]
    assert "between studies" in flag.message
    assert "between people of one study" in flag.message


def test_one_study_shares_its_draw_and_the_typical_patient_stays() -> None:
    item = found("in", "racemic")
    rows = np.zeros((4, len(population.COLUMNS)))
    place = population.COLUMNS.index("F_IN")
    held = hold_estimates(rows, 1, 0, [item])[:, place]
    assert held[0] == 0
    assert len(set(held[1:].tolist())) == 1
    assert held[1] != 0
    assert hold_estimates(rows, 1, 1, [item])[1, place] != held[1]


@pytest.mark.slow
def test_what_studies_disagree_on_widens_what_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"until_min": 60, "every_min": 20, "product": "racemic", "n": 60, "replicates": 60}
    name = "ketamine_venous_ng_per_mL"
    nose = uncertain_percentiles("fanta-otto-2021", [Dose(50, "in")], PATIENT, **options)[name]  # type: ignore[arg-type]
    monkeypatch.setattr(uncertainty, "disputed_by", lambda *_: ())
    blind = uncertain_percentiles("fanta-otto-2021", [Dose(50, "in")], PATIENT, **options)[name]  # type: ignore[arg-type]
    wide, narrow = (float(one.high.p50[-1] / one.low.p50[-1]) for one in (nose, blind))
    assert narrow == pytest.approx(1.0)
    # medians of studies from 0.11 to about 0.58: the level of the median patient follows them
    assert wide > 3


def test_a_model_that_has_the_route_is_asked_itself() -> None:
    assert disputed_by(get("perez-ruixo-2021"), [Dose(84, "po")], "s-ketamine", PATIENT) == ()
    assert disputed_by(get("fanta-otto-2021"), [Dose(35, "iv", 0, 40)], "racemic", PATIENT) == ()
    (item,) = disputed_by(get("fanta-otto-2021"), [Dose(84, "po")], "s-ketamine", PATIENT)
    assert dataclasses.asdict(item)["between_studies_fraction"] > 0.4


def test_a_study_outside_the_stated_range_is_refused() -> None:
    entry = assumption("in", "racemic").model_dump()
    entry["studies"] = [*entry["studies"], {"value": 0.75, "verification": "V", "source": "pk-yanagihara-2003"}]
    with pytest.raises(ValidationError, match=r"0\.75, which is outside the stated range"):
        Assumption.model_validate(entry)
