"""Drugs looked up without a patient: published ratios, levels by route, and names nobody knows."""

from __future__ import annotations

from datetime import date

import pytest

from limen.care.case import Case, Medication
from limen.care.interactions import check, perpetrators_of
from limen.errors import InputError
from limen.knowledge.interactions import agents
from limen.knowledge.naming import resolve
from limen.knowledge.rules import rules

# Ratios of exposure as the papers and the label give them: drug, route, product, AUC, Cmax.
PUBLISHED = [
    ("ticlopidine", "po", "s-ketamine", 2.4, None),
    ("ticlopidine", "in", "esketamine-nasal", 1.29, 1.0),
    ("clarithromycin", "po", "s-ketamine", 2.6, 3.6),
    ("itraconazole", "po", "s-ketamine", 1.0, None),
    ("grapefruit juice", "po", "s-ketamine", 3.0, 2.1),
    ("St John's wort", "po", "s-ketamine", 0.42, 0.34),
    ("rifampicin", "po", "s-ketamine", 0.14, None),
    ("rifampicin", "iv", "s-ketamine", 0.86, None),
]
LEVELS = [
    ("ticlopidine", "po", "INT-01", "warn"),
    ("ticlopidine", "iv", "INT-01", "info"),
    ("clopidogrel", "sl", "INT-01", "warn"),
    ("grapefruit", "po", "INT-02", "warn"),
    ("grapefruit", "iv", "INT-02", "info"),
    ("carbamazepine", "iv", "INT-03", "warn"),
    ("lorazepam", "iv", "INT-04", "warn"),
    ("theophylline", "iv", "INT-06", "block"),
    ("theophylline", "po", "INT-06", "block"),
    ("levothyroxine", "iv", "INT-07", "warn"),
    ("phenelzine", "iv", "INT-08", "warn"),
    ("pseudoephedrine", "in", "INT-09", "warn"),
    ("vasopressin", "iv", "INT-10", "warn"),
    ("lamotrigine", "iv", "INT-11", "info"),
    ("naltrexone", "iv", "INT-12", "warn"),
    ("buprenorphine", "iv", "INT-12", "warn"),
    ("valproate", "iv", "INT-13", "info"),
    ("lithium", "iv", "INT-14", "info"),
    ("clonidine", "iv", "INT-15", "info"),
    ("lisinopril", "iv", "INT-16", "info"),
    ("haloperidol", "iv", "INT-17", "info"),
    ("diazepam", "iv", "INT-20", "warn"),
    ("sertraline", "iv", "INT-22", "info"),
]


@pytest.mark.parametrize(("drug", "route", "product", "auc_ratio", "cmax_ratio"), PUBLISHED)
def test_published_ratio(drug: str, route: str, product: str, auc_ratio: float, cmax_ratio: float | None) -> None:
    (finding,) = [item for item in check(route, product, [drug]).findings if item.auc_ratio is not None]
    assert (finding.auc_ratio, finding.cmax_ratio) == (auc_ratio, cmax_ratio)


@pytest.mark.parametrize(("drug", "route", "rule", "level"), LEVELS)
def test_level_by_route(drug: str, route: str, rule: str, level: str) -> None:
    assert level in [item.level for item in check(route, "racemic", [drug]).findings if item.rule == rule]


@pytest.mark.parametrize(
    ("drugs", "rule", "level"),
    [
        (["morphine"], "INT-05", "hold"),
        (["lorazepam", "morphine"], "INT-04", "block"),
        (["atracurium"], "INT-19", "block"),
        (["ondansetron"], "INT-21", "warn"),
        (["alcohol"], "INT-18", "hold"),
    ],
)
def test_the_stricter_level_stands_until_the_patient_is_known(drugs: list[str], rule: str, level: str) -> None:
    assert {item.level for item in check("iv", "racemic", drugs).findings if item.rule == rule} == {level}


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("Hydrochlorothiazide 25 MG", "hydrochlorothiazide"),
        ("theophyline", "theophylline"),
        ("THEO-DUR 300mg", "theophylline"),
        ("ST. JOHN’S WORT", "st-johns-wort"),
        ("Xanax XR 0.5 mg", "alprazolam"),
        ("Divalproex Sodium 250 MG Extended Release Oral Tablet", "valproate"),
        ("Suboxone film", "buprenorphine"),
    ],
)
def test_brand_names_and_misspellings(written: str, read_as: str) -> None:
    found, unknown = resolve(written)
    assert [agent.id for agent in found] == [read_as]
    assert unknown == ()


def test_a_combination_is_read_part_by_part() -> None:
    found, unknown = resolve("Hydrochlorothiazide 12.5 MG / Lisinopril 20 MG Oral Tablet")
    assert {agent.id for agent in found} == {"hydrochlorothiazide", "lisinopril"}
    assert unknown == ()
    found, unknown = resolve("theophylline + moonwort")
    assert [agent.id for agent in found] == ["theophylline"]
    assert unknown == ("moonwort",)


def test_a_name_inside_another_word_is_not_read() -> None:
    assert resolve("lithiumlike")[0] == ()
    assert resolve("ketoconazolexyz")[0] == ()


def test_an_unknown_name_is_never_without_finding() -> None:
    report = check("iv", "racemic", ["moonwort", "paracetamol", "theophylline"])
    assert report.unknown == ("moonwort",)
    assert report.no_finding == ("paracetamol",)
    assert {item.drug for item in report.findings} == {"theophylline"}
    assert report.suggestions == {}


def test_every_drug_is_in_one_place() -> None:
    names = [*agents(), "moonwort"]
    report = check("po", None, names)
    assert {item.drug for item in report.findings} | set(report.unknown) | set(report.no_finding) == set(names)
    assert not {item.drug for item in report.findings} & set(report.no_finding)


def test_every_measured_perpetrator_is_known_here_and_feeds_the_forecast() -> None:
    from limen.pharmacology.covariates.interactions import perpetrators

    for item in perpetrators():
        for name in (item.drug, *item.names):
            drugs = (Medication(name),)
            assert perpetrators_of(Case(on=date(2026, 11, 21), medications=drugs)) == (item.drug,)
            found = {row.rule for row in check("po", "s-ketamine", [name]).findings}
            assert found & {"INT-01", "INT-02", "INT-03"}, name
    ours = {(effect.drug, route) for rule in rules().values() for effect in rule.effects for route in effect.routes}
    held = {
        (agent.id, effect.route)
        for item in perpetrators()
        for agent in resolve(item.drug)[0]
        for effect in item.effects
    }
    assert ours == held


def test_ratios_agree_with_the_pharmacology() -> None:
    """The same published number stands in the pharmacology's own file; a correction must reach both."""
    from limen.pharmacology.covariates.interactions import perpetrators

    held = {
        (item.drug.replace(" juice", "").replace("st john's wort", "st-johns-wort"), effect.route): effect.auc_ratio
        for item in perpetrators()
        for effect in item.effects
    }
    ours = {
        (effect.drug, route): effect.auc_ratio
        for rule in rules().values()
        for effect in rule.effects
        for route in effect.routes
    }
    shared = held.keys() & ours.keys()
    assert shared
    assert {key: held[key] for key in shared} == {key: ours[key] for key in shared}


def test_contract_shape() -> None:
    document = check("po", "racemic", ["Ticlid", "moonwort"]).to_json()
    assert {"route", "findings", "unknown", "no_finding"} <= set(document)
    (finding,) = document["findings"]
    assert {"drug", "resolved", "rule", "level", "effect", "action", "sources"} <= set(finding)
    assert finding["effect"] == {"auc_ratio": 2.4, "cmax_ratio": None}


def test_unknown_route_is_refused() -> None:
    with pytest.raises(InputError, match="unknown route 'nose'; allowed: iv, im"):
        check("nose", "racemic", ["lithium"])
