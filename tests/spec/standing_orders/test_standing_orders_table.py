"""Every standing order by its table: a dose just inside, one just outside, one with something missing; and its laws."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from limen.care.case import Condition
from limen.care.standing_orders import Given, Offer, Person, Signature, Standing, Stock, check_terms, offers, standing
from limen.errors import InputError
from limen.knowledge.standing_orders import StandingOrder, get_order, problems, problems_for, standing_orders

TABLE: dict[str, Any] = YAML(typ="safe", pure=True).load(Path(__file__).with_name("table.yaml"))
TODAY = date(2026, 11, 22)
ADULT: dict[str, Any] = {
    "weight_kg": 70,
    "age_years": 42,
    "allergies": [],
    "medications": [],
    "conditions": [],
    "hr_per_min": 80,
    "reported": ["chest-pain"],
}
CASES = [(name, case) for name, entry in TABLE["orders"].items() for case in entry["cases"]]
MAY_BE_SIGNED = [order for order in standing_orders().values() if order.withheld is None]


def signed(order: StandingOrder, **terms: Any) -> Standing:
    mark = Signature(order.id, order.digest, "A. Director", TODAY, TODAY + timedelta(days=365), **terms)
    return standing(order, [mark], TODAY)


def someone(**changes: Any) -> Person:
    said = {**ADULT, **changes}
    named = ("allergies", "medications", "reported")
    lists = {key: None if said[key] is None else tuple(said[key]) for key in named}
    conditions = None if said["conditions"] is None else tuple(Condition(text) for text in said["conditions"])
    return Person(said["weight_kg"], said["age_years"], **lists, conditions=conditions, hr_per_min=said["hr_per_min"])


def earlier(rows: list[Any]) -> list[Given]:
    known = standing_orders()
    return [
        Given(known[name].drug if name in known else name, -ago, mg, name if name in known else None)
        for name, ago, mg in rows
    ]


def stock_of(order: StandingOrder, held: dict[str, Any] | None = None) -> list[Stock]:
    entry = held or TABLE["stock"].get(order.drug)
    return [] if entry is None else [Stock(order.drug, tuple(entry["routes"]), entry["concentration_mg_per_mL"])]


def first(name: str, case: dict[str, Any]) -> Offer:
    order = get_order(name)
    may = signed(order, **TABLE["orders"][name].get("terms", {}))
    person = someone(**case.get("person", {}))
    return offers([may], person, stock_of(order, case.get("stock")), earlier(case.get("given", [])), 0)[0]


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{name}: {case['why']}" for name, case in CASES])
def test_what_an_order_comes_to(name: str, case: dict[str, Any]) -> None:
    offer = first(name, case)
    assert offer.status == case.get("status", "usable"), offer.against
    assert offer.usable == ("status" not in case)
    for key in ("dose_mg", "dose_max_mg", "volume_mL"):
        if key in case:
            assert getattr(offer, key) == (None if case[key] is None else pytest.approx(case[key])), key
    if "caution" in case:
        assert case["caution"] in {entry.rule for entry in offer.caution}
    if "asked" in case:
        assert case["asked"] in offer.ask


@pytest.mark.parametrize("order", MAY_BE_SIGNED, ids=lambda order: order.id)
def test_every_order_has_a_case_inside_outside_and_missing(order: StandingOrder) -> None:
    cases = TABLE["orders"].get(order.id, {}).get("cases", [])
    assert {case["is"] for case in cases} == {"inside", "outside", "missing"}
    named = {entry.rule for entry in order.caution if entry.rule}
    assert named <= {case.get("caution") for case in cases}
    assert sum(case.get("status") == "refused" for case in cases) >= len(order.refuse)


@pytest.mark.parametrize("order", list(standing_orders().values()), ids=lambda order: order.id)
def test_an_order_that_nobody_signed_is_read_and_not_used(order: StandingOrder) -> None:
    for offer in offers([standing(order, [], TODAY)], someone(), stock_of(order), [], 0):
        assert not offer.usable
        assert offer.status == "not-signed"
        assert offer.against[0].text


@pytest.mark.parametrize(
    ("days", "state"),
    [(0, "signed"), (365, "signed"), (366, "expired"), (-1, "unsigned")],
)
def test_a_signature_holds_from_its_day_to_its_last(days: int, state: str) -> None:
    order = get_order("lorazepam-seizure")
    mark = Signature(order.id, order.digest, "A. Director", TODAY, TODAY + timedelta(days=365))
    assert standing(order, [mark], TODAY + timedelta(days=days)).state == state


def test_a_changed_order_is_not_used_until_it_is_signed_again() -> None:
    order = get_order("midazolam-seizure-im")
    mark = Signature(order.id, order.digest, "A. Director", TODAY, TODAY + timedelta(days=365))
    changed = order.model_copy(update={"doses": (order.doses[0].model_copy(update={"high_mg": 11.0}),)})
    assert standing(changed, [mark], TODAY).state == "changed"
    again = replace(mark, digest=changed.digest)
    assert standing(changed, [mark, again], TODAY).state == "signed"


def test_a_withdrawn_signature_ends_on_its_day() -> None:
    order = get_order("oxygen-hypoxia")
    mark = Signature(order.id, order.digest, "A. Director", TODAY, TODAY + timedelta(days=365), withdrawn_on=TODAY)
    assert standing(order, [mark], TODAY).state == "withdrawn"


@pytest.mark.parametrize(
    ("name", "interval_min", "max_doses", "refused"),
    [
        ("midazolam-agitation", None, None, "interval_min"),
        ("midazolam-agitation", 10, None, None),
        ("midazolam-agitation", 10, 3, "max_doses"),
        ("ondansetron-nausea", None, None, "max_doses"),
        ("ondansetron-nausea", 239, 2, "interval_min"),
        ("ondansetron-nausea", 240, 2, None),
        ("ondansetron-nausea", 240, 0, "max_doses"),
        ("labetalol-hypertension", None, None, None),
        ("lorazepam-seizure", None, 2, "max_doses"),
        ("hydralazine-hypertension", None, None, "order"),
    ],
)
def test_a_director_fills_gaps_and_is_never_looser(
    name: str, interval_min: float | None, max_doses: int | None, refused: str | None
) -> None:
    if refused is None:
        check_terms(get_order(name), interval_min=interval_min, max_doses=max_doses)
        return
    with pytest.raises(InputError) as problem:
        check_terms(get_order(name), interval_min=interval_min, max_doses=max_doses)
    assert problem.value.where == refused


def test_without_stock_the_dose_is_said_and_nothing_is_drawn() -> None:
    offer = offers([signed(get_order("lorazepam-seizure"))], someone(), [], [], 0)[0]
    assert (offer.status, offer.dose_mg, offer.volume_mL) == ("no-stock", 4, None)


def test_a_tablet_is_given_whole() -> None:
    order = get_order("ondansetron-nausea")
    may = signed(order, max_doses=2)
    tablet = [Stock("ondansetron", ("odt",), unit_mg=4)]
    assert offers([may], someone(), tablet, [], 0)[0].units == 1
    assert offers([may], someone(), [Stock("ondansetron", ("odt",), unit_mg=8)], [], 0)[0].status == "refused"


def test_a_syringe_is_never_rounded_up() -> None:
    # 55 kg: 0.02 mg/kg is 1.1 mg, over the 1 mg; 45 kg: 0.9 mg of 2 mg/mL is 0.45 mL; of 7 mg/mL 0.12857 mL, so 0.12.
    order = get_order("midazolam-agitation")
    held = [Stock("midazolam", ("iv",), 7)]
    offer = offers([signed(order, interval_min=10)], someone(weight_kg=45), held, [], 0)[0]
    assert (offer.volume_mL, offer.dose_mg, offer.dose_asked_mg) == pytest.approx((0.12, 0.84, 0.9))
    assert "DOSE-ROUND" in {entry.rule for entry in offer.caution}


def test_pressure_without_symptoms_leads_to_no_drug() -> None:
    problem = problems()["hypertension-asymptomatic"]
    assert problem.no_drug is not None
    assert problem.orders == ()
    assert "hypertension-asymptomatic" in {item.id for item in problems_for("MON-10")}


def test_what_is_named_and_withheld_says_why() -> None:
    withheld = {order.id for order in standing_orders().values() if order.withheld is not None}
    assert withheld == {
        "haloperidol-agitation",
        "hydralazine-hypertension",
        "clonidine-hypertension",
        "propranolol-thyroid",
        "suxamethonium-laryngospasm",
        "glycopyrrolate-before",
    }


doses_given = st.lists(st.tuples(st.integers(0, 600), st.floats(0.1, 100)), max_size=8)


@settings(max_examples=150, deadline=None)
@given(order=st.sampled_from(MAY_BE_SIGNED), rows=doses_given, weight_kg=st.floats(20, 300))
def test_nothing_is_offered_beyond_the_maximum_or_before_the_interval(
    order: StandingOrder, rows: list[tuple[int, float]], weight_kg: float
) -> None:
    named: dict[str, Any] = {"interval_min": 10.0, "max_doses": 2}
    may = signed(order, **{name: named[name] for name in order.terms_asked})
    before = [Given(order.drug, -ago, mg, order.id) for ago, mg in rows]
    for offer in offers([may], someone(weight_kg=weight_kg), stock_of(order), before, 0):
        if not offer.usable or order.given_as is not None:
            continue
        assert may.max_doses is None or len(rows) < may.max_doses
        if rows:
            assert may.interval_min is not None
            assert min(ago for ago, _ in rows) >= may.interval_min
        assert offer.dose_mg is not None
        assert offer.dose_max_mg is not None
        assert offer.dose_mg <= offer.dose_max_mg
        if order.total_max_mg is not None:
            assert sum(mg for _, mg in rows) + offer.dose_max_mg <= order.total_max_mg + 1e-6
        if order.single_max_mg is not None:
            assert offer.dose_max_mg <= order.single_max_mg


@settings(max_examples=100, deadline=None)
@given(
    order=st.sampled_from(MAY_BE_SIGNED),
    others=st.lists(st.sampled_from(["penicillin", "latex", "nuts"]), max_size=3),
    place=st.integers(0, 3),
    case=st.sampled_from([str.lower, str.upper, str.title]),
)
def test_an_allergy_to_the_drug_always_refuses(order: StandingOrder, others: list[str], place: int, case: Any) -> None:
    named = [*others]
    named.insert(min(place, len(named)), f"{case(order.drug)}: rash")
    for offer in offers(
        [signed(order, interval_min=300, max_doses=2)], someone(allergies=named), stock_of(order), [], 0
    ):
        assert offer.status == "refused"
