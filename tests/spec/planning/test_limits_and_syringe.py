"""Walls and syringes: no input carries a dose over a hard limit, and mg, mg/mL, mL and mL/h always agree."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.care.plan_limits import Standing, hold, standing_walls
from limen.care.syringe import VialSpec, check_vial, make_up
from limen.care.weights import Person, dosing_weight_kg
from limen.errors import InputError, RefusedError
from limen.knowledge.protocols import get_protocol
from limen.knowledge.walls import Wall
from limen.pharmacology.regimen import Dose
from limen.units import Concentration, Mass, Minutes, Volume

TRD = get_protocol("TRD-IV")


def walls_for(weight_kg: float, height_cm: float | None = 175, session: int | None = 1) -> tuple[Standing, ...]:
    return standing_walls(TRD, Person(weight_kg, height_cm, session_number=session), weight_kg)


def wall(name: str, walls: tuple[Standing, ...]) -> Standing | None:
    return next((standing for standing in walls if standing.wall.name == name), None)


@pytest.mark.parametrize(("weight_kg", "soft_mg", "hard_mg"), [(40, 30, 40), (70, 52.5, 70), (104, 78, 104)])
def test_walls_by_weight(weight_kg: float, soft_mg: float, hard_mg: float) -> None:
    walls = walls_for(weight_kg)
    soft, hard = wall("soft maximum", walls), wall("hard maximum", walls)
    assert soft is not None
    assert hard is not None
    assert (soft.limit, hard.limit) == (soft_mg, hard_mg)


@pytest.mark.parametrize(
    ("weight_kg", "height_cm", "session", "stands"),
    [
        (100, 190, 1, False),
        (100.1, 190, 1, True),
        (100.1, 190, 2, False),
        (100.1, 190, None, True),
        (91.875, 175, 1, True),
        (91.8, 175, 1, False),
        (80, None, 1, True),
    ],
)
def test_first_infusion_cap_over_100_kg_or_bmi_30(
    weight_kg: float, height_cm: float | None, session: int | None, stands: bool
) -> None:
    cap = wall("first-infusion cap", walls_for(weight_kg, height_cm, session))
    assert (cap is not None) is stands
    if cap is not None:
        assert (cap.limit, cap.unit, cap.wall.rule, cap.wall.verification.value) == (60, "mg", "SEL-23", "M")


def test_a_limit_by_weight_is_never_a_rounding_error_over_it() -> None:
    # 0.75 mg/kg in 85.72999999999999 kg is just under 64.2975 mg; the nearest float lies over it.
    soft = wall("soft maximum", walls_for(85.72999999999999))
    assert soft is not None
    assert soft.limit < 64.2975
    even = wall("soft maximum", walls_for(81.3))
    assert even is not None
    assert even.limit == 60.975


def test_the_lowest_wall_binds_and_both_values_stand() -> None:
    held = hold([Dose(78, "iv", 0, 40)], walls_for(104))
    assert held.binding is not None
    assert (held.binding.standing.wall.rule, held.binding.asked, held.binding.used) == (
        "SEL-23",
        Mass(78),
        Mass(60),
    )
    assert held.doses == (Dose(60, "iv", 0, 40),)


def test_a_soft_wall_is_passed_only_by_its_own_name() -> None:
    walls = walls_for(104)
    held = hold([Dose(80, "iv", 0, 40)], walls, ["first-infusion cap"])
    assert held.binding is not None
    assert (held.binding.standing.wall.name, held.doses[0].amount_mg) == ("soft maximum", 78)
    both = hold([Dose(80, "iv", 0, 40)], walls, ["first-infusion cap", "soft maximum"])
    assert (both.binding, both.doses[0].amount_mg) == (None, 80)
    assert [standing.wall.name for standing in both.passed] == ["soft maximum", "first-infusion cap"]


@pytest.mark.parametrize("name", ["hard maximum", "longest reported", "no such wall"])
def test_a_hard_wall_cannot_be_passed(name: str) -> None:
    with pytest.raises(InputError, match="no soft wall"):
        hold([Dose(35, "iv", 0, 40)], walls_for(70), [name])


@pytest.mark.parametrize(
    ("duration_min", "names"),
    [
        (40, []),
        (15, []),
        (14, ["shortest without a caution"]),
        (1.9, ["shortest without a caution", "shortest reported"]),
        (100, []),
        (101, ["longest reported"]),
    ],
)
def test_duration_walls_are_named_and_never_stretch_the_infusion(duration_min: float, names: list[str]) -> None:
    held = hold([Dose(35, "iv", 0, duration_min)], walls_for(70))
    assert [standing.wall.name for standing in held.crossed] == names
    assert held.doses[0].duration_min == duration_min


@given(
    weight_kg=st.floats(20, 350),
    height_cm=st.one_of(st.none(), st.floats(100, 250)),
    session=st.one_of(st.none(), st.integers(1, 200)),
    amounts_mg=st.lists(st.floats(0.001, 100_000), min_size=1, max_size=4),
    duration_min=st.floats(0.1, 1000),
    passed=st.sets(st.sampled_from(["soft maximum", "first-infusion cap"])),
)
def test_nothing_carries_a_dose_over_the_hard_limit(
    weight_kg: float,
    height_cm: float | None,
    session: int | None,
    amounts_mg: list[float],
    duration_min: float,
    passed: set[str],
) -> None:
    walls = walls_for(weight_kg, height_cm, session)
    standing = {entry.wall.name for entry in walls}
    doses = [Dose(amount, "iv", 0, duration_min) for amount in amounts_mg]
    held = hold(doses, walls, passed & standing)
    # The decimals as they are written: a float product lies now over, now under the number that is meant.
    total_mg = sum(Fraction(str(dose.amount_mg)) for dose in held.doses)
    asked_mg = sum(Fraction(str(amount)) for amount in amounts_mg)
    assert total_mg <= Fraction(str(weight_kg))
    assert total_mg <= asked_mg
    if "soft maximum" not in passed:
        assert total_mg <= Fraction(str(weight_kg)) * Fraction("0.75")
    assert (held.binding is None) == (total_mg == asked_mg)


@given(weight_kg=st.floats(20, 350), amount_mg=st.floats(0.1, 10_000), duration_min=st.floats(1, 600))
def test_a_rate_wall_holds_the_rate(weight_kg: float, amount_mg: float, duration_min: float) -> None:
    # Schwartzman 2009 as the reference gives it: up to 0.35 mg/kg/h, at most 25 mg/h.
    walls = [
        Wall(
            rule="CRPS-OP",
            name=unit,
            kind="hard",
            measure="rate",
            limit=limit,
            unit=unit,
            why="test",
            sources=("limen",),
            verification="P",
        )
        for limit, unit in ((0.35, "mg/kg/h"), (25, "mg/h"))
    ]
    protocol = TRD.model_copy(update={"walls": tuple(walls)})
    held = hold([Dose(amount_mg, "iv", 0, duration_min)], standing_walls(protocol, Person(weight_kg), weight_kg))
    rate_mg_per_h = held.doses[0].amount_mg / duration_min * 60
    assert rate_mg_per_h <= min(25, 0.35 * weight_kg) * (1 + 1e-12)


def test_ideal_weight_only_from_bmi_30() -> None:
    # Devine by hand: 178 cm is 70.0787 in; 50 + 2.3 x 10.0787 = 73.181 kg; a woman 45.5 + 23.181 = 68.681 kg.
    assert dosing_weight_kg(TRD, Person(104, 178, "male"), "ideal") == pytest.approx(73.181, abs=1e-3)
    assert dosing_weight_kg(TRD, Person(104, 178, "female"), "ideal") == pytest.approx(68.681, abs=1e-3)
    assert dosing_weight_kg(TRD, Person(104, 178, "male")) == 104
    for person in (Person(80, 178, "male"), Person(104, None, "male"), Person(104, 178, None)):
        with pytest.raises(InputError):
            dosing_weight_kg(TRD, person, "ideal")


@given(
    dose_mg=st.floats(0.1, 500),
    duration_min=st.floats(1, 600),
    vial=st.sampled_from([10.0, 50.0, 100.0]),
    dilute_to=st.one_of(st.none(), st.floats(0.1, 10)),
)
def test_mg_mL_and_rates_agree(dose_mg: float, duration_min: float, vial: float, dilute_to: float | None) -> None:
    made = make_up(
        Mass(dose_mg),
        Minutes(duration_min),
        vial=Concentration(vial),
        dilute_to=None if dilute_to is None else Concentration(dilute_to),
        diluent="sodium chloride 0.9 %",
    )
    out = made.to_json()
    assert out["concentration_mg_per_mL"] * out["volume_mL"] == pytest.approx(dose_mg, rel=1e-12)
    assert vial * out["draw_mL"] == pytest.approx(dose_mg, rel=1e-12)
    assert out["rate_mL_per_h"] * duration_min / 60 == pytest.approx(out["volume_mL"], rel=1e-12)
    assert out["rate_mL_per_h"] * out["concentration_mg_per_mL"] * duration_min / 60 == pytest.approx(
        dose_mg, rel=1e-12
    )
    if out["diluent_mL"] is not None:
        assert out["draw_mL"] + out["diluent_mL"] == pytest.approx(out["volume_mL"], rel=1e-12)
    else:
        assert out["diluent"] is None


def test_an_undiluted_vial_has_no_diluent() -> None:
    made = make_up(Mass(35), Minutes(40), vial=Concentration(50), diluent="sodium chloride 0.9 %")
    assert (made.volume, made.rate, made.diluent, made.diluent_volume) == (
        Volume(0.7),
        made.volume / Minutes(40),
        None,
        None,
    )


def test_a_volume_too_large_for_the_syringe_is_said() -> None:
    made = make_up(Mass(60), Minutes(40), vial=Concentration(10), dilute_to=Concentration(1), syringe=Volume(50))
    assert made.note is not None
    assert "60 mL" in made.note


@pytest.mark.parametrize("dilute_to", [60.0, 0.0])
def test_impossible_dilutions_are_refused(dilute_to: float) -> None:
    with pytest.raises(InputError):
        make_up(Mass(35), Minutes(40), vial=Concentration(50), dilute_to=Concentration(dilute_to))


def test_a_vial_of_another_strength_or_product_is_refused() -> None:
    ordered = VialSpec("racemic", Concentration(10))
    check_vial(ordered, VialSpec("racemic", Concentration(10)), need=Mass(35), on_hand=Mass(200))
    with pytest.raises(RefusedError, match=r"350 mg instead of 35 mg"):
        check_vial(ordered, VialSpec("racemic", Concentration(100)), need=Mass(35))
    with pytest.raises(RefusedError, match="never converted"):
        check_vial(ordered, VialSpec("s-ketamine", Concentration(10)))
    with pytest.raises(RefusedError, match="at least 35 mg"):
        check_vial(ordered, ordered, need=Mass(35), on_hand=Mass(34.9))
