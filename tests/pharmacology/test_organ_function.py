"""Organ function, age, weight and genotype: applied for what they were measured with, told or refused elsewhere."""

from __future__ import annotations

import pytest

from limen.errors import InputError
from limen.evidence import sources
from limen.pharmacology.covariates.genotype import genotypes, readings
from limen.pharmacology.covariates.interactions import Modifiers
from limen.pharmacology.covariates.liver_split import Liver
from limen.pharmacology.covariates.organ_function import OrganEffect, organ_effects, organ_function
from limen.pharmacology.patient import PatientProfile

NASAL = ("esketamine-nasal", ["in"])


def codes(found: Modifiers) -> list[str]:
    return [flag.code for flag in found.flags]


@pytest.mark.parametrize("egfr", [15, 29.9, 45, 89.9])
def test_renal_impairment_raises_the_nasal_area_and_peak_within_the_published_range(egfr: float) -> None:
    product, routes = NASAL
    found = organ_function(PatientProfile(egfr_mL_per_min=egfr), routes, product)
    # Area +13 to +36 %, peak +20 to +26 %: one factor on the share must lie in both.
    assert 1.20 <= found.absorbed_ratio["in"] <= 1.26
    assert 1.13 <= found.absorbed_ratio["in"] <= 1.36
    assert codes(found) == ["renal-applied"]
    assert found.sources == ("pk-spravato-renal",)


@pytest.mark.parametrize(
    ("patient", "product", "routes", "code"),
    [
        (PatientProfile(egfr_mL_per_min=10), *NASAL, "renal-failure-told"),
        (PatientProfile(egfr_mL_per_min=40), "racemic", ["iv"], "renal-not-measured"),
        (PatientProfile(egfr_mL_per_min=40), "racemic", ["in"], "renal-not-measured"),
        (PatientProfile(egfr_mL_per_min=40), "esketamine-nasal", ["po"], "renal-not-measured"),
        (PatientProfile(child_pugh="A"), *NASAL, "hepatic-mild-told"),
        (PatientProfile(child_pugh="B"), *NASAL, "hepatic-moderate-told"),
        (PatientProfile(child_pugh="B"), "racemic", ["iv"], "hepatic-moderate-not-measured"),
        (PatientProfile(child_pugh="C"), *NASAL, "hepatic-severe-not-studied"),
        (PatientProfile(child_pugh="C"), "racemic", ["iv"], "hepatic-severe-not-studied"),
        (PatientProfile(age_years=70), *NASAL, "elderly-told"),
        (PatientProfile(age_years=75), *NASAL, "old-told"),
        (PatientProfile(weight_kg=59.9), *NASAL, "light-told"),
        (PatientProfile(weight_kg=90.1), *NASAL, "heavy-told"),
    ],
)
def test_what_is_not_applied_is_said(patient: PatientProfile, product: str, routes: list[str], code: str) -> None:
    found = organ_function(patient, routes, product)
    assert codes(found) == [code]
    assert found.absorbed_ratio == {}
    assert found.parameter_ratios == {}


@pytest.mark.parametrize(
    "patient",
    [
        PatientProfile(),
        PatientProfile(egfr_mL_per_min=90),
        PatientProfile(age_years=64.9),
        PatientProfile(weight_kg=60),
        PatientProfile(weight_kg=90),
    ],
)
def test_usual_organs_change_nothing_and_say_nothing(patient: PatientProfile) -> None:
    product, routes = NASAL
    assert organ_function(patient, routes, product) == Modifiers()


def test_weight_says_the_published_ratios() -> None:
    product, routes = NASAL
    (light,) = organ_function(PatientProfile(weight_kg=50), routes, product).flags
    (heavy,) = organ_function(PatientProfile(weight_kg=120), routes, product).flags
    assert "area times 1.09, peak times 1.07" in light.message
    assert "area times 0.83, peak times 0.86" in heavy.message


def test_an_unverified_size_is_applied_only_when_asked() -> None:
    product, routes = NASAL
    asked = organ_function(PatientProfile(child_pugh="B"), routes, product, unverified=True)
    assert asked.absorbed_ratio == {"in": pytest.approx(2.03)}
    assert "[M]" in asked.flags[0].message


def test_kidney_and_age_stand_side_by_side() -> None:
    product, routes = NASAL
    found = organ_function(PatientProfile(egfr_mL_per_min=40, age_years=80), routes, product)
    assert codes(found) == ["renal-applied", "old-told"]


def test_sizes_by_age_and_weight_are_all_nasal() -> None:
    """What lets a forecast by another route skip the file."""
    assert {effect.route for effect in organ_effects() if effect.measure in {"age_years", "weight_kg"}} == {"in"}
    assert organ_function(PatientProfile(age_years=80, weight_kg=120), ["iv"], "racemic") == Modifiers()


def test_every_effect_is_sourced_and_an_unverified_one_cannot_be_on() -> None:
    for effect in organ_effects():
        assert effect.source in sources()
        assert effect.note
    entry = {
        "id": "x",
        "title": "x",
        "measure": "child_pugh",
        "is": "B",
        "route": "in",
        "product": "racemic",
        "auc": {"low": 2, "high": 2},
        "apply": True,
        "verification": "M",
        "source": "limen",
    }
    with pytest.raises(ValueError, match="unverified size is not applied"):
        OrganEffect.model_validate(entry)


def test_the_gene_dose_effect_is_that_of_the_reference_and_stands_beside_none() -> None:
    """x1, x0.60 and x0.32 in patients; nothing in volunteers."""
    for genotype, ratio in (("*1/*1", 1.0), ("*1/*6", 0.60), ("*6/*6", 0.32)):
        patients, volunteers = readings(genotype)
        assert patients.modifiers.clearance_ratio == pytest.approx(ratio, abs=0.005)
        assert volunteers.modifiers.parameter_ratios == {}
        assert codes(patients.modifiers) == codes(volunteers.modifiers) == ["genotype-disputed"]
    assert readings("*6/*1")[0] == readings("*1/*6")[0]
    assert len(genotypes()) == 3


def test_a_liver_of_its_own_gives_the_measured_change_of_clearance() -> None:
    liver = Liver(extraction_fraction=0.722, gut_fraction=0.64)
    hepatic = readings("*6/*6", liver=liver)[0].modifiers.hepatic_ratio
    assert 1 / liver.auc_ratio("sc", 1.0, hepatic) == pytest.approx(21.6 / 68.1)


@pytest.mark.parametrize("name", ["", "*2/*2", "*6", "poor"])
def test_a_genotype_without_a_clearance_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="CYP2B6") as problem:
        readings(name)
    assert "*6/*6" in problem.value.allowed
