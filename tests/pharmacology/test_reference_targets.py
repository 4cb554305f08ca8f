"""Published and independently recomputed numbers: 70 kg, typical subject, within 1 %."""

from __future__ import annotations

import numpy as np
import pytest

from limen.pharmacology.outcome import Forecast
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose
from limen.pharmacology.simulate import simulate

PATIENT = PatientProfile(age_years=40, weight_kg=70)
HALF_MG_PER_KG = Dose(35, "iv", 0, 40)


def run(model: str, dose: Dose, until_min: float = 1440, **more: object) -> Forecast:
    return simulate(model, [dose], PATIENT, until_min=until_min, **more)  # type: ignore[arg-type]


def at(result: Forecast, name: str, *minutes: int) -> list[float]:
    return [float(result.outputs[name].typical[minute]) for minute in minutes]


@pytest.mark.parametrize(
    ("model", "name", "cmax_ng_per_mL", "auc_ng_h_per_mL"),
    [
        ("domino", "ketamine_plasma_ng_per_mL", 240, 302),
        ("clements-250", "ketamine_plasma_ng_per_mL", 177, 435),
        ("herd-2007", "ketamine_plasma_ng_per_mL", 253, 389),
        ("fanta-otto-2021", "S_ketamine_venous_ng_per_mL", 157.6, 356),
    ],
)
def test_35_mg_over_40_min(model: str, name: str, cmax_ng_per_mL: float, auc_ng_h_per_mL: float) -> None:
    summary = run(model, HALF_MG_PER_KG).summary[name].typical
    assert summary.peak[0] == pytest.approx(cmax_ng_per_mL, rel=0.01)
    assert summary.tmax_h[0] * 60 == pytest.approx(40)
    assert summary.auc_0_24_ng_h_per_mL is not None
    assert summary.auc_0_24_ng_h_per_mL[0] == pytest.approx(auc_ng_h_per_mL, rel=0.01)


@pytest.mark.parametrize(
    ("model", "name", "expected"),
    [
        ("domino", "ketamine_plasma_ng_per_mL", [46, 38, 18]),
        ("clements-250", "ketamine_plasma_ng_per_mL", [85, 63, 36]),
        ("herd-2007", "ketamine_plasma_ng_per_mL", [96, 74, 26]),
        ("fanta-otto-2021", "S_ketamine_venous_ng_per_mL", [79, 60, 27]),
    ],
)
def test_40_70_and_190_min_after_the_infusion(model: str, name: str, expected: list[float]) -> None:
    # Targets are printed to the nearest ng/mL.
    assert at(run(model, HALF_MG_PER_KG), name, 80, 110, 230) == pytest.approx(expected, rel=0.01, abs=0.51)


def test_kamp_2020() -> None:
    result = run("kamp-2020", HALF_MG_PER_KG)
    assert at(result, "ketamine_arterial_ng_per_mL", 40, 60) == pytest.approx([253, 96], rel=0.01)


def test_hijazi_2003() -> None:
    result = run("hijazi-2003", HALF_MG_PER_KG)
    assert result.summary["ketamine_plasma_ng_per_mL"].typical.peak[0] == pytest.approx(225, rel=0.01)


def test_fanta_otto_10_mg_over_30_min_with_norketamine() -> None:
    summary = run("fanta-otto-2021", Dose(10, "iv", 0, 30)).summary
    parent = summary["S_ketamine_venous_ng_per_mL"].typical
    child = summary["S_norketamine_venous_ng_per_mL"].typical
    assert parent.peak[0] == pytest.approx(49.9, rel=0.01)
    assert parent.auc_0_24_ng_h_per_mL is not None
    assert parent.auc_0_24_ng_h_per_mL[0] == pytest.approx(101.7, rel=0.01)
    assert child.peak[0] == pytest.approx(21.4, rel=0.01)
    assert child.tmax_h[0] * 60 == pytest.approx(82, abs=1)
    assert child.auc_0_24_ng_h_per_mL is not None
    assert child.auc_0_24_ng_h_per_mL[0] == pytest.approx(159.7, rel=0.01)


@pytest.mark.parametrize(("hours", "ratio"), [(24, 1.57), (48, 1.64), (2000, 1.65)])
def test_norketamine_to_ketamine_area(hours: float, ratio: float) -> None:
    summary = run("fanta-otto-2021", HALF_MG_PER_KG, hours * 60, every_min=60.0).summary
    child = summary["S_norketamine_venous_ng_per_mL"].typical.auc_0_end_ng_h_per_mL
    parent = summary["S_ketamine_venous_ng_per_mL"].typical.auc_0_end_ng_h_per_mL
    assert child is not None
    assert parent is not None
    assert child[0] / parent[0] == pytest.approx(ratio, rel=0.01)


def test_fanta_otto_with_its_r_arm() -> None:
    result = run("fanta-otto-2021", HALF_MG_PER_KG, product="racemic")
    assert at(result, "S_ketamine_venous_ng_per_mL", 40) == pytest.approx([78.9], rel=0.01)
    assert at(result, "R_ketamine_venous_ng_per_mL", 40) == pytest.approx([81.0], rel=0.01)
    assert at(result, "ketamine_venous_ng_per_mL", 40, 80, 110, 230) == pytest.approx(
        [159.8, 82, 63, 29], rel=0.01, abs=0.51
    )
    area = result.summary["ketamine_venous_ng_per_mL"].typical.auc_0_24_ng_h_per_mL
    assert area is not None
    assert area[0] == pytest.approx(383, rel=0.01)


def test_fanta_otto_spread_between_patients() -> None:
    """Published covariance alone gives a peak of 116 to 208 (another draw: 120 to 201) in 90 of 100 patients."""
    result = run("fanta-otto-2021", HALF_MG_PER_KG, 60, product="racemic", n=4000, rng=np.random.default_rng(11))
    patients = result.summary["ketamine_venous_ng_per_mL"].patients
    assert patients is not None
    low, high = np.percentile(patients.peak, [5, 95])
    assert low == pytest.approx(118, abs=5)
    assert high == pytest.approx(205, abs=8)


def test_domino_two_mg_per_kg_over_one_minute() -> None:
    result = run("domino", Dose(140, "iv", 0, 1), 10)
    # 15.8 microg/mL in a public digest; an independent integration of the printed rate constants gives 16.08.
    assert at(result, "ketamine_plasma_ng_per_mL", 1) == pytest.approx([16_085], rel=1e-3)
    assert "early-bolus-unusable" in {flag.code for flag in result.flags}


def test_domino_in_the_units_of_a_public_test_suite() -> None:
    """stanpumpR's own unit tests state these volumes and flows at 70 kg."""
    from limen.pharmacology.models import get
    from limen.pharmacology.patient_values import patient_values

    made = patient_values(get("domino").arms[0].parameters or {}, PATIENT, {}, 1)
    assert made["V1"][0] == pytest.approx(4.41, rel=1e-6)
    assert made["CL"][0] / 60 == pytest.approx(1.93158, rel=1e-6)
    assert [made["V2"][0], made["V3"][0]] == pytest.approx([10.57, 178.2], rel=1e-3)
    assert [made["Q2"][0] / 60, made["Q3"][0] / 60] == pytest.approx([2.61072, 2.6019], rel=1e-6)


def test_kamp_disagrees_with_its_other_transcription_by_11_percent_at_140_kg() -> None:
    from limen.pharmacology.models import get

    heavy = PatientProfile(age_years=40, weight_kg=140)
    model = get("kamp-2020")
    mine = simulate(model, [Dose(70, "iv", 0, 40)], heavy, until_min=60)
    theirs = simulate(model.with_disputed_weight_exponents(), [Dose(70, "iv", 0, 40)], heavy, until_min=60)
    name = "ketamine_arterial_ng_per_mL"
    ratio = mine.outputs[name].typical[40] / theirs.outputs[name].typical[40]
    assert ratio == pytest.approx(1.11, abs=0.01)
    assert "weight-exponent-disputed" in {flag.code for flag in mine.flags}
