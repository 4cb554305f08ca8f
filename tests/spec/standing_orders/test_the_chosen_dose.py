"""A dose chosen within the range of a standing order: just inside, just outside, and what is drawn up of it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from limen.care.chosen_dose import choices, chosen, has_range
from limen.care.standing_orders import Given, Offer, Person, Signature, Stock, offers, standing
from limen.errors import InputError
from limen.knowledge.standing_orders import get_order

CASES: list[dict[str, Any]] = YAML(typ="safe", pure=True).load(Path(__file__).with_name("chosen.yaml"))
STRENGTHS = {"midazolam": 5.0, "labetalol": 5.0, "ondansetron": 2.0}
TODAY = date(2026, 11, 22)


def offer_of(case: dict[str, Any]) -> Offer:
    order = get_order(case["order"])
    ends = TODAY + timedelta(days=365)
    mark = Signature(order.id, order.digest, "A. Director", TODAY, ends, **case.get("terms", {}))
    person = Person(case.get("weight_kg", 70), 42, (), (), (), 80, ("chest-pain",))
    held = Stock(order.drug, ("in",), unit_mg=case["unit_mg"]) if "unit_mg" in case else None
    held = held or Stock(order.drug, ("iv",), concentration_mg_per_mL=STRENGTHS[order.drug])
    before = [Given(order.drug, -ago_min, dose_mg, order.id) for ago_min, dose_mg in case.get("given", [])]
    (found,) = offers([standing(order, [mark], TODAY)], person, [held], before, 0)
    return found


@pytest.mark.parametrize("case", CASES, ids=[f"{case['order']}: {case['is']}, {case['why']}" for case in CASES])
def test_a_chosen_dose(case: dict[str, Any]) -> None:
    offer = offer_of(case)
    if "refused" in case:
        with pytest.raises(InputError) as caught:
            chosen(offer, case["asked_mg"])
        assert caught.value.allowed == case["refused"]
        return
    found = chosen(offer, case["asked_mg"])
    assert found.dose_mg == pytest.approx(case["mg"])
    assert found.volume_mL == (None if "mL" not in case else pytest.approx(case["mL"]))
    assert found.units == case.get("units")
    assert f"{case['mg']:g} mg" in found.words


def test_both_ends_are_offered_and_only_where_there_are_two() -> None:
    ranged, plain = offer_of(CASES[0]), offer_of({"order": "ondansetron-nausea", "terms": {"max_doses": 2}})
    assert [one.dose_mg for one in choices(ranged)] == [1, 2]
    assert not has_range(plain)
    assert choices(plain) == (plain,)


@given(st.floats(allow_nan=True, allow_infinity=True, min_value=None, max_value=None))
def test_nothing_is_drawn_outside_the_range(asked_mg: float) -> None:
    offer = offer_of(CASES[0])
    try:
        found = chosen(offer, asked_mg)
    except InputError:
        assert not 1 <= asked_mg <= 2
    else:
        assert found.dose_mg is not None
        assert 1 <= found.dose_mg <= 2
        assert found.volume_mL == pytest.approx(found.dose_mg / 5)


@given(st.floats(min_value=1, max_value=2))
def test_what_is_drawn_is_never_more_than_was_asked_and_less_than_a_mark_under(asked_mg: float) -> None:
    found = chosen(offer_of(CASES[0]), asked_mg)
    assert found.dose_mg is not None
    assert -0.05 < found.dose_mg - asked_mg <= 1e-6  # 0.01 mL of 5 mg/mL
