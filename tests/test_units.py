"""Units at the edges; quantities that refuse to be mixed."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.errors import InputError
from limen.units import Concentration, FlowRate, Mass, MassRate, Minutes, Volume, convert, parse_duration_min


@pytest.mark.parametrize(
    ("value", "unit", "to", "expected"),
    [
        (1, "mcg/kg/min", "mg/kg/h", 0.06),
        (98.6, "[degF]", "degC", 37.0),
        (220.462262, "[lb_av]", "kg", 100.0),
        (7.50061683, "mmHg", "kPa", 1.0),
        (140, "mm[Hg]", "mmHg", 140),
        (65, "[in_i]", "cm", 165.1),
        (72, "/min", "1/min", 72),
        (0.5, "g", "mg", 500),
    ],
)
def test_conversions_that_clinics_send(value: float, unit: str, to: str, expected: float) -> None:
    assert convert(value, unit, to) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("unit", "to"), [("furlongs per moon", "kg"), ("kg", "mL"), ("bl@h", "mg"), ("", "mg")])
def test_a_unit_that_does_not_fit_is_refused(unit: str, to: str) -> None:
    with pytest.raises(InputError, match=r"unit|measure"):
        convert(1.0, unit, to, where="weight")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(InputError):
        convert(value, "kg", "kg")


def test_pump_arithmetic_keeps_its_types() -> None:
    dose, strength, duration = Mass(35.0), Concentration(50.0), Minutes(40.0)
    assert dose / strength == Volume(0.7)
    assert dose / duration == MassRate(52.5)
    assert MassRate(52.5) / Concentration(1.0) == FlowRate(52.5)
    assert Volume(35.0) / duration == FlowRate(52.5)


@pytest.mark.parametrize(
    "slip",
    [
        lambda: Concentration(50.0) / Mass(35.0),
        lambda: Volume(1.0) / Concentration(1.0),
        lambda: Mass(1.0) / Volume(1.0),
        lambda: Concentration(10.0) * Mass(3.0),
        lambda: Mass(1.0) < Volume(2.0),
    ],
)
def test_quantities_of_different_kinds_do_not_mix(slip) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(TypeError):
        slip()


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_no_negative_or_unbounded_quantity(value: float) -> None:
    with pytest.raises(InputError):
        Mass(value)


@given(st.floats(0.1, 1000), st.sampled_from([10.0, 50.0, 100.0]))
def test_volume_times_strength_gives_the_mass_back(dose_mg: float, strength: float) -> None:
    volume = Mass(dose_mg) / Concentration(strength)
    assert (Concentration(strength) * volume).value == pytest.approx(dose_mg)


@pytest.mark.parametrize(
    ("text", "minutes"), [("40 min", 40), ("4 h", 240), ("90 s", 1.5), ("7 d", 10080), ("2 weeks", 20160)]
)
def test_durations(text: str, minutes: float) -> None:
    assert parse_duration_min(text) == minutes


@pytest.mark.parametrize("text", ["forty", "-4 h", "4", "4 fortnights", ""])
def test_a_duration_that_cannot_be_read(text: str) -> None:
    with pytest.raises(InputError, match="cannot read the duration"):
        parse_duration_min(text)
