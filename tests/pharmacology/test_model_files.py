"""Model files: what is refused before it can dose anyone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from limen.errors import KnowledgeError
from limen.evidence import Verification, cite
from limen.pharmacology.models import list_models, load
from limen.pharmacology.models.schema import Parameter

GOOD = """
id: test-model
title: One compartment
product: racemic
products: [racemic]
routes: [iv]
matrix: plasma
population: Nobody
sources: [pk-domino]
studied: {age: null, weight: null}
arms:
  - analyte: ketamine
    dose_fraction: {racemic: 1.0}
    parameters:
      V1: {value: 100, unit: L, weight_exponent: 1, verification: V, source: pk-domino}
      CL: {value: 60, unit: L/h, weight_exponent: 0.75, verification: V, source: pk-domino}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "test-model.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_file_is_good(tmp_path: Path) -> None:
    assert load(write(tmp_path, GOOD)).arms[0].parameters is not None


@pytest.mark.parametrize(
    ("find", "put", "says"),
    [
        ("unit: L,", "unit: L/h,", "V1 is in L/h"),
        ("unit: L/h,", "unit: L,", "CL is in L"),
        ("unit: L,", "unit: gallon,", "Input should be"),
        ("value: 100", "value: -100", "greater than 0"),
        ("value: 100", "value: .inf", "finite"),
        ("value: 100", "value: .nan", "finite"),
        ("value: 100", "value: 0", "greater than 0"),
        ("value: 100", "value: lots", "valid number"),
        ("weight_exponent: 1,", "", "needs weight_exponent"),
        ("verification: V, source: pk-domino}\n      CL", "source: pk-domino}\n      CL", "Field required"),
        ("source: pk-domino}", "source: pk-nobody}", "unknown source"),
        ("sources: [pk-domino]", "sources: [pk-nobody]", "unknown source"),
        ("      CL:", "      C1:", "are no structure"),
        ("dose_fraction: {racemic: 1.0}", "dose_fraction: {racemic: 0.5}", "take 0.5 of each mg"),
        ("matrix: plasma", "matrix: serum", "Input should be"),
        ("routes: [iv]", "routes: [iv]\nnotes: hello", "Extra inputs"),
        ("products: [racemic]", "products: [s-ketamine]", "product is not among products"),
        ("value: 100", "value: 100, value: 101", "uplicate"),
        ("id: test-model", "id: other-model", "holds the model"),
    ],
)
def test_a_bad_file_is_refused_with_its_reason(tmp_path: Path, find: str, put: str, says: str) -> None:
    assert find in GOOD
    with pytest.raises(KnowledgeError) as problem:
        load(write(tmp_path, GOOD.replace(find, put, 1)))
    assert says in str(problem.value)
    assert str(problem.value).startswith("test-model.yaml")


@pytest.mark.parametrize(
    ("block", "says"),
    [
        ("{effects: [V1], omega_log_variance: [[0.1, 0.2]], verification: V, source: pk-domino}", "lower triangle"),
        ("{effects: [V1], omega_log_variance: [[-0.1]], verification: V, source: pk-domino}", "over 0"),
        (
            "{effects: [V1, CL], omega_log_variance: [[0.01], [0.5, 0.01]], verification: V, source: pk-domino}",
            "larger than the variances",
        ),
        ("{effects: [V2], omega_log_variance: [[0.1]], verification: V, source: pk-domino}", "of no parameter"),
        ("{effects: [V1], cv_pct: [.nan], verification: V, source: pk-domino}", "finite"),
        ("{effects: [V1], logit_sd: 0.5, verification: V, source: pk-domino}", "logit scale"),
        ("{effects: [V1, CL], cv_pct: [30, 40], correlation: 1.5, verification: V, source: pk-domino}", "less than 1"),
        ("{effects: [KA], omega_log_variance: [[0.1]], verification: V, source: pk-domino}", "Input should be"),
    ],
)
def test_a_bad_covariance_is_refused(tmp_path: Path, block: str, says: str) -> None:
    with pytest.raises(KnowledgeError) as problem:
        load(write(tmp_path, GOOD + f"variability:\n  - {block}\n"))
    assert says in str(problem.value)


ORAL = """
absorption:
  F_PO: {value: 0.2, unit: fraction, verification: V, source: pk-domino}
  KA_PO: {value: 1.2, unit: 1/h, verification: V, source: pk-domino}
pathways:
  - route: po
    ways: [{into: central, fraction: [F_PO], steps: [KA_PO]}]
"""


def test_a_pathway_is_good(tmp_path: Path) -> None:
    model = load(write(tmp_path, GOOD.replace("routes: [iv]", "routes: [iv, po]") + ORAL))
    assert model.pathway("po", "racemic") is not None
    assert model.pathway("im", "racemic") is None


@pytest.mark.parametrize(
    ("find", "put", "says"),
    [
        ("into: central", "into: liver", "has no liver"),
        ("into: central", "into: metabolism", "has no metabolism"),
        ("into: central", "into: elsewhere", "Input should be"),
        ("fraction: [F_PO]", "fraction: [F_SL]", "absorption has no F_SL"),
        ("steps: [KA_PO]", "steps: [F_PO]", "a rate or a time"),
        ("steps: [KA_PO]", "zero_order: KA_PO", "allowed: min or h"),
        ("fraction: [F_PO]", "fraction: [KA_PO]", "allowed: fraction"),
        (", steps: [KA_PO]", "", "absorption has KA_PO, which no way uses"),
        ("steps: [KA_PO]", "steps: [KA_PO], speed: assumed", "takes no steps"),
        ("- route: po", "- route: pr", "not among routes"),
        ("- route: po", "- route: po\n    products: [s-ketamine]", "not among products"),
        ("- route: po", "- route: po\n    device_mg: -28", "greater than 0"),
        ("- route: po", "- route: po\n    later_devices: {F_PO: KA_PO}", "a fraction to a ratio"),
        ("ways: [{into: central, fraction: [F_PO], steps: [KA_PO]}]", "ways: []", "at least 1"),
        ("value: 0.2, unit: fraction", "value: 1.2, unit: fraction, varies: logit", "under 1"),
        ("value: 1.2, unit: 1/h", "value: -1.2, unit: 1/h", "greater than 0"),
    ],
)
def test_a_bad_pathway_is_refused(tmp_path: Path, find: str, put: str, says: str) -> None:
    text = GOOD.replace("routes: [iv]", "routes: [iv, po]") + ORAL
    assert find in text
    with pytest.raises(KnowledgeError, match=re.escape(says)):
        load(write(tmp_path, text.replace(find, put, 1)))


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("{parameter: Q3, ancestry: asian, ratio: 0.5, verification: V, source: pk-domino}", "is no parameter"),
        ("{parameter: CL, ancestry: martian, ratio: 0.5, verification: V, source: pk-domino}", "Input should be"),
        ("{parameter: CL, ancestry: asian, verification: V, source: pk-domino}", "ancestry with ratio"),
        ("{parameter: CL, ancestry: asian, ratio: .nan, verification: V, source: pk-domino}", "finite"),
        (
            "{parameter: V1, above_age_years: 60, change_L_per_h_per_y: -1, verification: V, source: pk-domino}",
            "not in L/h",
        ),
    ],
)
def test_a_bad_covariate_is_refused(tmp_path: Path, entry: str, says: str) -> None:
    with pytest.raises(KnowledgeError, match=re.escape(says)):
        load(write(tmp_path, GOOD + f"covariates:\n  - {entry}\n"))


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("{analyte: ketamine, verification: V, source: pk-domino}", "give log_sd"),
        (
            "{analyte: ketamine, log_sd: 0.2, proportional_fraction: 0.1, verification: V, source: pk-domino}",
            "give log_sd",
        ),
        ("{analyte: ketamine, log_sd: -0.2, verification: V, source: pk-domino}", "greater than 0"),
        ("{analyte: S_ketamine, log_sd: 0.2, verification: V, source: pk-domino}", "is no analyte"),
    ],
)
def test_a_bad_residual_is_refused(tmp_path: Path, entry: str, says: str) -> None:
    with pytest.raises(KnowledgeError, match=re.escape(says)):
        load(write(tmp_path, GOOD + f"residual:\n  - {entry}\n"))


def parameters() -> list[tuple[str, str, Parameter]]:
    return [
        (model.id, name, parameter)
        for model in list_models()
        for arm in model.arms
        for name, parameter in [
            *(arm.parameters or {}).items(),
            *arm.ratios.items(),
            *(item for metabolite in arm.metabolites() for item in metabolite.parameters.items()),
            *model.absorption.items(),
        ]
    ]


def test_every_parameter_has_a_unit_a_mark_and_a_paper() -> None:
    found = parameters()
    assert len(found) > 30
    for model, name, parameter in found:
        assert parameter.unit, (model, name)
        assert isinstance(parameter.verification, Verification), (model, name)
        assert cite(parameter.source).grade in {"model", "randomised-trial"}, (model, name)


def test_the_models_of_the_reference() -> None:
    found = {model.id: model for model in list_models()}
    adults = {
        "fanta-otto-2021",
        "perez-ruixo-2021",
        "simons-2022",
        "clements-250",
        "domino",
        "hijazi-2003",
        "kamp-2020",
    }
    children = {"herd-2007", "flint-2017", "hornik-2018", "sherwin-2015", "heart-disease-2015"}
    assert adults | children == set(found)
    with_spread = {"fanta-otto-2021", "herd-2007", "perez-ruixo-2021", "simons-2022", "flint-2017"}
    assert {model.id for model in found.values() if model.variability} == with_spread
