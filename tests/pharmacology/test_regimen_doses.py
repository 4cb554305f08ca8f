"""Dose strings, milligrams, and the line of input they make."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.errors import InputError
from limen.pharmacology.regimen import Dose, DoseOrder, RateChange, Schedule, doses_of_pump, parse_dose, resolve


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("35 mg iv", DoseOrder(35, "mg", "iv")),
        ("0.5 mg/kg iv over 40 min", DoseOrder(0.5, "mg/kg", "iv", 40)),
        ("0.35 mg/kg/h iv over 4 h", DoseOrder(0.35, "mg/kg/h", "iv", 240)),
        ("10 mg/h iv over 2 h at 30 min", DoseOrder(10, "mg/h", "iv", 120, 30)),
        ("5 mcg/kg/min iv over 100 min at 7 d", DoseOrder(5, "mcg/kg/min", "iv", 100, 10080)),
        ("  28  mg in  at 5 min ", DoseOrder(28, "mg", "in", 0, 5)),
    ],
)
def test_reads_the_grammar(text: str, order: DoseOrder) -> None:
    assert parse_dose(text) == order


@pytest.mark.parametrize(
    ("text", "amount_mg"),
    [
        ("35 mg iv", 35.0),
        ("0.5 mg/kg iv over 40 min", 35.0),
        ("0.35 mg/kg/h iv over 4 h", 98.0),
        ("10 mg/h iv over 2 h", 20.0),
        ("5 mcg/kg/min iv over 100 min", 35.0),
    ],
)
def test_resolves_to_milligrams_at_70_kg(text: str, amount_mg: float) -> None:
    assert resolve(parse_dose(text), 70).amount_mg == pytest.approx(amount_mg, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "cannot read"),
        ("35", "cannot read"),
        ("35 mg", "cannot read"),
        ("35mg iv", "cannot read"),
        ("mg 35 iv", "is not an amount"),
        ("-5 mg iv", "negative"),
        ("0 mg iv", "the amount is 0"),
        ("0,5 mg/kg iv", "is not an amount"),
        ("1e3 mg iv", "is not an amount"),
        ("nan mg iv", "is not an amount"),
        ("inf mg iv", "is not an amount"),
        ("9" * 400 + " mg iv", "cannot read"),
        ("5 g iv", "unknown unit 'g'"),
        ("5 mL iv", "unknown unit 'mL'"),
        ("0.5 mg/kg nasal over 40 min", "unknown route 'nasal'"),
        ("0.5 mg/kg/h iv", "a rate needs a duration"),
        ("5 mcg/kg/min iv at 5 min", "a rate needs a duration"),
        ("35 mg iv over 0 min", "the duration is 0"),
        ("35 mg iv over forty min", "cannot read the duration"),
        ("35 mg iv over -40 min", "cannot read the duration"),
        ("35 mg iv over 40", "cannot read the duration"),
        ("35 mg iv at -5 min", "cannot read the duration"),
        ("35 mg iv for 40 min", "cannot read"),
        ("35 mg iv over 40 min at", "cannot read"),
    ],
)
def test_says_what_is_wrong_and_what_is_allowed(text: str, says: str) -> None:
    with pytest.raises(InputError) as problem:
        parse_dose(text, where="--dose")
    assert says in problem.value.what
    assert problem.value.where == "--dose"
    assert problem.value.allowed


@given(st.text(max_size=40))
def test_never_fails_otherwise(text: str) -> None:
    try:
        order = parse_dose(text)
    except InputError:
        return
    assert order.value > 0


def test_a_dose_by_weight_needs_the_weight() -> None:
    with pytest.raises(InputError, match=r"0\.5 mg/kg needs a weight"):
        resolve(parse_dose("0.5 mg/kg iv"), None)
    assert resolve(parse_dose("35 mg iv"), None).amount_mg == 35


@pytest.mark.parametrize(
    "bad",
    [
        {"amount_mg": -1.0},
        {"amount_mg": float("nan")},
        {"start_min": -1.0},
        {"duration_min": float("inf")},
        {"amount_mg": 1e6},
    ],
)
def test_a_dose_that_cannot_be_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(InputError, match="allowed: 0 to"):
        Dose(**({"amount_mg": 1.0, "route": "iv"} | bad))  # type: ignore[arg-type]


def test_overlapping_infusions_add_and_end_at_exactly_nothing() -> None:
    plan = Schedule.of([Dose(0.1, "iv", 0, 3), Dose(0.2, "iv", 1, 7), Dose(0.3, "iv", 2, 11), Dose(4, "iv", 2)])
    assert plan.start_min.tolist() == [0, 1, 2, 3, 8, 13]
    assert plan.rate_mg_per_min[-1] == 0.0
    assert plan.bolus_mg.tolist() == [0, 0, 4, 0, 0, 0]
    assert plan.given_mg(100) == pytest.approx(4.6, rel=1e-12)
    assert plan.given_mg(2) == pytest.approx(0.2 / 3 + 0.2 / 7 + 4, rel=1e-12)


def test_a_pause_gives_nothing_and_the_rest_is_kept() -> None:
    steps = [RateChange(0, 52.5), RateChange(10, 0), RateChange(15, 52.5)]
    doses = doses_of_pump(steps, until_min=45)
    plan = Schedule.of(doses)
    np.testing.assert_allclose(plan.rate_mg_per_min, [0.875, 0, 0.875, 0])
    assert plan.given_mg(45) == pytest.approx(35.0, rel=1e-12)


def test_a_pump_that_runs_backwards_is_refused() -> None:
    with pytest.raises(InputError, match="go back"):
        doses_of_pump([RateChange(10, 50), RateChange(5, 0)], until_min=20)
    with pytest.raises(InputError, match="rate -1"):
        doses_of_pump([RateChange(0, -1)], until_min=20)
