"""Infusions in steps, and two infusions on one line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.errors import InputError
from limen.pharmacology.flags import of_regimen
from limen.pharmacology.infusion_lines import check_lines, overlaps, parse_steps
from limen.pharmacology.regimen import Dose, DoseOrder, RateChange, Schedule, doses_of_pump, parse_dose, resolve

LEIDEN = "0.28 mg/kg/h iv over 60 min then 0.57 mg/kg/h over 60 min then 1.14 mg/kg/h over 60 min"


def test_the_leiden_steps_give_the_total_of_the_paper() -> None:
    """Kamp 2020: three steps of an hour, about 140 mg in total at 70 kg."""
    doses = [resolve(order, 70.0) for order in parse_steps(LEIDEN)]
    assert [dose.start_min for dose in doses] == [0, 60, 120]
    assert sum(dose.amount_mg for dose in doses) == pytest.approx(70 * (0.28 + 0.57 + 1.14), rel=1e-12)
    assert overlaps(doses) == ()


def test_a_pause_moves_the_rest() -> None:
    steps = parse_steps("52.5 mg/h iv over 10 min at 5 min on B then pause 5 min then 52.5 mg/h over 30 min")
    assert steps == (
        DoseOrder(52.5, "mg/h", "iv", 10, 5, "B"),
        DoseOrder(52.5, "mg/h", "iv", 30, 20, "B"),
    )
    pumped = doses_of_pump([RateChange(5, 52.5), RateChange(15, 0), RateChange(20, 52.5)], until_min=50)
    same = Schedule.of([resolve(step, None) for step in steps])
    assert same.given_mg(100) == pytest.approx(Schedule.of(pumped).given_mg(100), rel=1e-12)
    assert same.rate_mg_per_min.tolist() == pytest.approx(Schedule.of(pumped).rate_mg_per_min.tolist())


def test_a_dose_alone_is_one_step() -> None:
    assert parse_steps("84 mg in at 5 min") == (parse_dose("84 mg in at 5 min"),)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("10 mg iv then 20 mg/h over 30 min", "the first step has no duration"),
        ("10 mg/h iv over 1 h then 20 mg/h iv over 30 min", "cannot read the step"),
        ("10 mg/h iv over 1 h then", "cannot read"),
        ("10 mg/h iv over 1 h then pause", "cannot read the step"),
        ("10 mg/h iv over 1 h then pause soon", "cannot read the duration"),
        ("10 mg/h iv over 1 h then -5 mg/h over 30 min", "negative"),
        ("10 mg/h iv over 1 h then nan mg/h over 30 min", "is not an amount"),
        ("10 mg/h iv over 1 h on ../etc", "the line"),
        ("10 mg/h iv over 1 h on", "cannot read"),
        ("10 mg/h iv over 1 h on B at 5 min", "the line"),
        ("10 mg/h xx over 1 h", "unknown route"),
    ],
)
def test_says_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(InputError) as problem:
        parse_steps(text, where="--dose")
    assert says in problem.value.what
    assert problem.value.where == "--dose"
    assert problem.value.allowed


@given(st.text(alphabet="0123456789 mg/khivovrenapus.-", max_size=60))
def test_never_fails_otherwise(text: str) -> None:
    try:
        steps = parse_steps(text)
    except InputError:
        return
    assert all(step.value > 0 for step in steps)


def test_two_infusions_on_one_line_are_refused_and_on_two_lines_are_not() -> None:
    first, second = Dose(35, "iv", 0, 40), Dose(10, "iv", 30, 20)
    with pytest.raises(InputError, match=r"10 mg from 30 min starts while 35 mg runs to 40 min on the same line"):
        check_lines([second, first])
    on_another = Dose(10, "iv", 30, 20, line="B")
    check_lines([first, on_another])
    assert overlaps([first, on_another]) == ()


def test_a_long_infusion_is_seen_past_a_short_one() -> None:
    long, short, late = Dose(50, "iv", 0, 100), Dose(5, "iv", 10, 5), Dose(5, "iv", 50, 5)
    assert overlaps([long, short, late]) == ((long, short), (long, late))


@pytest.mark.parametrize(
    "beside",
    [
        Dose(10, "iv", 20),
        Dose(10, "iv", 40, 20),
        Dose(10, "po", 20, 20),
        Dose(0, "iv", 20, 20),
        Dose(10, "iv", 40 - 1e-9, 20),
    ],
    ids=["a bolus through the port", "one after the other", "not by vein", "nothing", "rounding"],
)
def test_what_may_stand_beside_an_infusion(beside: Dose) -> None:
    check_lines([Dose(35, "iv", 0, 40), beside])
    assert not overlaps([Dose(35, "iv", 0, 40), beside])


def test_a_running_session_keeps_its_forecast_and_is_told() -> None:
    (flag,) = of_regimen([Dose(35, "iv", 0, 40), Dose(10, "iv", 30, 20)], 240)
    assert flag.code == "overlapping-infusions"
    assert "adds them" in flag.message


@given(st.lists(st.tuples(st.floats(0.1, 100), st.floats(0.1, 60)), min_size=1, max_size=8))
def test_the_steps_of_one_pump_never_overlap(rates: list[tuple[float, float]]) -> None:
    changes, at_min = [], 0.0
    for rate, span_min in rates:
        changes.append(RateChange(at_min, rate))
        at_min += span_min
    assert overlaps(doses_of_pump(changes, until_min=at_min)) == ()
