"""Every number of every model: its dimension by machine, its weight exponent by the papers, its spread by its print."""

from __future__ import annotations

import math

import numpy as np
import pytest

from limen.pharmacology import population
from limen.pharmacology.models import get, list_models
from limen.pharmacology.models.schema import Model, Parameter
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.patient_values import patient_values
from limen.pharmacology.regimen import Dose
from limen.pharmacology.simulate import simulate
from limen.units import registry

MODELS = list_models()
VOLUME, FLOW, RATE, TIME = "[length] ** 3", "[length] ** 3 / [time]", "1 / [time]", "[time]"


def numbers() -> list[tuple[str, str, Parameter]]:
    """Model, name and parameter, of every parameter on file."""
    found: list[tuple[str, str, Parameter]] = []
    for model in MODELS:
        found += [(model.id, name, parameter) for name, parameter in model.absorption.items()]
        for arm in model.arms:
            found += [(model.id, name, parameter) for name, parameter in (arm.parameters or {}).items()]
            for metabolite in arm.metabolites():
                found += [(model.id, name, parameter) for name, parameter in metabolite.parameters.items()]
                found.append((model.id, "F_formed", metabolite.formed))
                if metabolite.delay is not None:
                    found.append((model.id, "MTT", metabolite.delay.mean_time))
                if metabolite.clearance_growth is not None:
                    found.append((model.id, "k_growth", metabolite.clearance_growth))
    return found


def dimension_wanted(name: str) -> str:
    if name.startswith(("F_", "FGUT")):
        return "[]"
    if name.startswith(("D_", "MTT")):
        return TIME
    if name.startswith(("KA_", "k", "KEL", "KMET")):
        return RATE
    return VOLUME if name.startswith("V") else FLOW


@pytest.mark.parametrize(
    ("model", "name", "parameter"), numbers(), ids=lambda item: item if isinstance(item, str) else ""
)
def test_dimension(model: str, name: str, parameter: Parameter) -> None:
    units = registry()
    unit = {"ratio": "dimensionless", "fraction": "dimensionless"}.get(parameter.unit, parameter.unit)
    quantity = parameter.value * units.parse_units(unit)
    if parameter.unit == "L/kg":
        quantity = quantity * (70 * units.kg)
    wanted = dimension_wanted(name)
    assert quantity.dimensionless if wanted == "[]" else quantity.check(wanted), (model, name, parameter.unit)
    # And the number that the engine works with is pint's, in litres, hours for flows and minutes for rates.
    if name != "k10":
        mine = patient_values({name: parameter}, PatientProfile(weight_kg=70), {}, 1)[name][0]
        standard = {VOLUME: "L", FLOW: "L/h", RATE: "1/min", TIME: "min"}.get(wanted, "dimensionless")
        assert mine == pytest.approx(quantity.to(standard).magnitude, rel=1e-12)


@pytest.mark.parametrize(
    ("model", "exponent_of_cl", "cl_L_per_h_at_70_kg"),
    [
        ("fanta-otto-2021", 0.75, 95.2),
        ("simons-2022", 0.75, 1.48 * 60),
        ("kamp-2020", 0.75, 84),
        ("herd-2007", 0.75, 90),
        ("flint-2017", 0.75, 112),
        ("hornik-2018", 0.75, 38.9),
        ("sherwin-2015", 0.75, 87.9),
        ("heart-disease-2015", 0.75, 60.6),
        # By rate constants and L/kg clearance goes with weight itself.
        ("clements-250", 1.0, 1.7522 * 70 * 0.0109 * 60),
        ("domino", 1.0, 0.063 * 70 * 0.438 * 60),
        ("hijazi-2003", 1.0, 1.08 * 70 * 0.0333 * 60),
        # No weight in the model.
        ("perez-ruixo-2021", 0.0, 109.0),
    ],
)
def test_clearance_with_weight(model: str, exponent_of_cl: float, cl_L_per_h_at_70_kg: float) -> None:
    """The whole area under the curve is dose over clearance, whatever the volumes."""
    for weight_kg in (5.0, 35.0, 70.0, 140.0):
        patient = PatientProfile(age_years=40, weight_kg=weight_kg)
        product = "s-ketamine" if model == "perez-ruixo-2021" else None
        result = simulate(
            model, [Dose(10, "iv")], patient, until_min=600_000, every_min=600, product=product, wanted_effects=()
        )
        area = next(iter(result.summary.values())).typical.auc_0_end_ng_h_per_mL
        assert area is not None
        wanted = cl_L_per_h_at_70_kg * (weight_kg / 70) ** exponent_of_cl
        assert 10e3 / area[0] == pytest.approx(wanted, rel=0.002 if model == "perez-ruixo-2021" else 1e-6)


@pytest.mark.parametrize(
    ("model", "v1_L_at_70_kg"),
    [("fanta-otto-2021", 133), ("simons-2022", 11.6), ("herd-2007", 38.7), ("flint-2017", 7.73), ("kamp-2020", 25)],
)
def test_central_volume_with_weight(model: str, v1_L_at_70_kg: float) -> None:
    """A bolus starts at dose over V1, which goes with weight."""
    for weight_kg in (10.0, 70.0):
        result = simulate(model, [Dose(10, "iv")], PatientProfile(weight_kg=weight_kg), until_min=10, wanted_effects=())
        start = next(iter(result.outputs.values())).typical[0]
        assert start == pytest.approx(10e3 / (v1_L_at_70_kg * weight_kg / 70), rel=1e-9)


# Effect -> how the paper prints it: standard deviation of the log from a CV (%), a variance, or a logit SD.
PRINTED = {
    "perez-ruixo-2021": {
        **{
            name: math.sqrt(math.log(1 + (cv / 100) ** 2))
            for name, cv in {
                "KA_NASAL": 61.5, "KA_SW": 132, "KA_PO": 132, "V1": 27.5, "V2": 49.3, "QH": 23.2, "VH": 34.6,
                "KEL": 120, "NK_V1": 31.6, "NK_CL": 25.4,
            }.items()
        },
        "F_NASAL": 0.708,
    },
    "simons-2022": {
        name: math.sqrt(variance)
        for name, variance in {
            "V1": 0.057, "CL": 0.029, "Q3": 0.026, "NK_MTT": 0.021 + 0.751, "NK_CL": 0.050, "HNK_V1": 1.22,
            "HNK_CL": 0.103 + 0.008, "HNK_Q2": 0.287, "F_MUCOSA": 0.060, "D_MUCOSA": 0.154, "KA_MUCOSA": 0.062,
            "F_SW": 0.057, "D_SW": 0.611, "KA_SW": 0.376, "MTT_GUT": 0.937, "HNK_V2": 0.152,
        }.items()
    },
    "flint-2017": {"CL": math.sqrt(math.log(1 + 0.402**2)), "NK_CL": math.sqrt(math.log(1 + 1.04**2))},
}  # fmt: skip


@pytest.mark.parametrize("model_id", PRINTED)
def test_spread_of_virtual_patients_is_the_printed_one(model_id: str) -> None:
    model = get(model_id)
    draws = np.random.default_rng(4).standard_normal((40_000, len(population.COLUMNS)))
    effects = population.log_effects(draws, model.spread)
    assert set(effects) == set(PRINTED[model_id])
    for name, wanted in PRINTED[model_id].items():
        assert effects[name].std() == pytest.approx(wanted, rel=0.02), name
    if model_id == "flint-2017":
        assert np.corrcoef(effects["CL"], effects["NK_CL"])[0, 1] == pytest.approx(0.506, abs=0.02)


def test_a_nasal_share_varies_on_the_logit_scale_and_stays_under_one() -> None:
    model = get("perez-ruixo-2021")
    effects = {"F_NASAL": 0.708 * np.array([-1.0, 0.0, 1.0, 6.0])}
    found = patient_values(model.absorption, PatientProfile(), effects, 4)["F_NASAL"]
    odds = found / (1 - found)
    np.testing.assert_allclose(odds / odds[1], np.exp(effects["F_NASAL"]), rtol=1e-12)
    assert found[1] == pytest.approx(0.54)
    assert (found < 1).all()


def test_no_number_stands_in_for_the_blank_spread_of_kmet() -> None:
    model = get("perez-ruixo-2021")
    assert "KMET" not in {effect for block in model.variability for effect in block.effects}
    result = simulate(model, [Dose(28, "in")], PatientProfile(), until_min=60)
    assert "no-spread-of-kmet" in {flag.code for flag in result.flags}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_without_its_own_spread_a_model_says_so(model: Model) -> None:
    if model.variability:
        assert all(block.source == model.sources[0] or block.source in model.sources for block in model.variability)
        return
    patient = PatientProfile(age_years=8, weight_kg=30)
    result = simulate(model, [Dose(10, "iv")], patient, until_min=30, n=2, rng=np.random.default_rng(1))
    assert "assumed-variability" in {flag.code for flag in result.flags}


def test_one_occasion_stands_for_all_and_is_told() -> None:
    films = [Dose(50, "buccal"), Dose(50, "buccal", 3 * 1440)]
    patient, rng = PatientProfile(age_years=24, weight_kg=70), np.random.default_rng(1)
    result = simulate("simons-2022", films, patient, until_min=5000, every_min=10, n=3, rng=rng)
    assert "one-occasion" in {flag.code for flag in result.flags}
    result = simulate("simons-2022", films[:1], patient, until_min=100, n=3, rng=rng)
    assert "one-occasion" not in {flag.code for flag in result.flags}
