"""One model: refusals, flags, other drugs, horizons."""

from __future__ import annotations

import json

import numpy as np
import pytest

from limen.errors import InputError
from limen.pharmacology.effects.outputs import effect_names
from limen.pharmacology.outcome import Forecast
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose
from limen.pharmacology.simulate import simulate

PATIENT = PatientProfile(age_years=42, weight_kg=70)
INFUSION = Dose(35, "iv", 0, 40)


def run(model: str = "fanta-otto-2021", *doses: Dose, patient: PatientProfile = PATIENT, **more: object) -> Forecast:
    settings: dict[str, object] = {"until_min": 240} | more
    return simulate(model, doses or (INFUSION,), patient, **settings)  # type: ignore[arg-type]


def codes(result: Forecast) -> set[str]:
    return {flag.code for flag in result.flags}


def test_an_unknown_model_lists_those_there_are() -> None:
    with pytest.raises(
        InputError, match=r"unknown model 'nobody-1999'; allowed: clements-250, domino, fanta-otto-2021"
    ):
        run("nobody-1999")


@pytest.mark.parametrize(
    ("model", "product"),
    [
        ("fanta-otto-2021", "esketamine-nasal"),
        ("domino", "s-ketamine"),
        ("herd-2007", "esketamine-nasal"),
        ("kamp-2020", ""),
        ("kamp-2020", "ketamine"),
    ],
)
def test_a_product_the_model_does_not_cover_is_refused(model: str, product: str) -> None:
    if product == "":
        assert run(model, product=product).product == "racemic"
        return
    with pytest.raises(InputError, match="does not cover"):
        run(model, product=product)


@pytest.mark.parametrize("route", ["in", "im", "sc", "pr"])
def test_a_route_the_model_does_not_cover_is_refused(route: str) -> None:
    with pytest.raises(InputError, match=f"does not cover the route '{route}'"):
        run("fanta-otto-2021", Dose(28, route))


def test_outputs_by_product() -> None:
    assert set(run().outputs) == {
        "S_ketamine_venous_ng_per_mL",
        "S_norketamine_venous_ng_per_mL",
        "S_ketamine_effect_site_ng_per_mL",
        *(set(effect_names()) - {"nmda_occupancy_salat_pct"}),
    }
    racemic = run(product="racemic")
    assert set(racemic.outputs) == set(run().outputs) | {
        "R_ketamine_venous_ng_per_mL",
        "R_ketamine_effect_site_ng_per_mL",
        "ketamine_venous_ng_per_mL",
        "ketamine_effect_site_ng_per_mL",
        # Measured for the racemate alone.
        "nmda_occupancy_salat_pct",
    }
    assert "assumed-r-arm" in codes(racemic)
    assert "assumed-r-arm" not in codes(run())
    # S-ketamine alone is twice the S of the racemate; pressure follows S only.
    np.testing.assert_allclose(
        run().outputs["sbp_change_mmHg"].typical, 2 * racemic.outputs["sbp_change_mmHg"].typical, rtol=1e-12
    )


@pytest.mark.parametrize(
    ("model", "patient", "code"),
    [
        ("fanta-otto-2021", PatientProfile(age_years=12, weight_kg=70), "outside-age"),
        ("fanta-otto-2021", PatientProfile(age_years=80, weight_kg=70), "outside-age"),
        ("domino", PatientProfile(age_years=40, weight_kg=180), "outside-weight"),
        ("herd-2007", PatientProfile(age_years=40, weight_kg=70), "outside-age"),
        ("herd-2007", PatientProfile(age_years=8, weight_kg=90), "outside-weight"),
        ("herd-2007", PatientProfile(weight_kg=30), "age-not-given"),
        ("kamp-2020", PatientProfile(age_years=40, weight_kg=70), "weight-range-unknown"),
    ],
)
def test_outside_the_people_studied_is_flagged(model: str, patient: PatientProfile, code: str) -> None:
    assert code in codes(run(model, patient=patient))


def test_inside_the_people_studied_is_not_flagged() -> None:
    found = codes(run("herd-2007", patient=PatientProfile(age_years=8, weight_kg=30)))
    assert not {code for code in found if code.startswith(("outside", "age-", "weight-"))}


def test_a_weight_outside_is_used_as_given() -> None:
    """Everything in Domino is per kg: the same mg/kg gives the same level at any weight."""
    heavy = run("domino", Dose(90, "iv", 0, 40), patient=PatientProfile(age_years=40, weight_kg=180))
    usual = run("domino", Dose(35, "iv", 0, 40))
    name = "ketamine_plasma_ng_per_mL"
    np.testing.assert_allclose(heavy.outputs[name].typical, usual.outputs[name].typical, rtol=1e-12)


def test_a_model_that_scales_needs_the_weight() -> None:
    with pytest.raises(InputError, match="the weight is missing"):
        run(patient=PatientProfile(age_years=40))


def test_doses_beyond_the_horizon_are_named() -> None:
    result = run("domino", INFUSION, Dose(35, "iv", 240, 40), Dose(10, "iv", 230, 40))
    assert {"dose-after-horizon", "dose-past-horizon"} <= codes(result)
    without = run("domino", INFUSION, Dose(10, "iv", 230, 40))
    name = "ketamine_plasma_ng_per_mL"
    np.testing.assert_allclose(result.outputs[name].typical[:-1], without.outputs[name].typical[:-1], rtol=1e-12)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"until_min": 0.0}, "until is 0 min"),
        ({"until_min": float("inf")}, "until is inf min"),
        ({"every_min": 0.0}, "every is 0 min"),
        ({"every_min": -1.0}, "every is -1 min"),
        ({"every_min": 1e-4, "until_min": 1e4}, "too many points"),
        ({"n": -1}, "a population of -1"),
        ({"n": 5}, "needs a random generator"),
        ({"n": 10_000_000, "rng": np.random.default_rng(1)}, "too many"),
        ({"perpetrators": ["aspirin"]}, "no effect size on file for 'aspirin'"),
    ],
)
def test_bad_settings_are_one_clear_error(settings: dict[str, object], says: str) -> None:
    with pytest.raises(InputError) as problem:
        run(**settings)
    assert says in problem.value.what
    assert problem.value.allowed


def test_no_dose_is_refused() -> None:
    with pytest.raises(InputError, match="no dose"):
        simulate("domino", [], PATIENT, until_min=60)


def test_rifampicin_lowers_the_whole_area_by_its_published_ratio() -> None:
    name = "S_ketamine_venous_ng_per_mL"
    plain = run(until_min=60_000, every_min=600.0).summary[name].typical.auc_0_end_ng_h_per_mL
    induced = run(until_min=60_000, every_min=600.0, perpetrators=["rifampicin"])
    area = induced.summary[name].typical.auc_0_end_ng_h_per_mL
    assert plain is not None
    assert area is not None
    assert area[0] / plain[0] == pytest.approx(0.86, rel=1e-9)
    assert "interaction-applied" in codes(induced)


def test_ticlopidine_has_no_iv_size_and_changes_nothing() -> None:
    result = run(perpetrators=["Ticlopidine"])
    assert "no-iv-interaction-size" in codes(result)
    name = "S_ketamine_venous_ng_per_mL"
    np.testing.assert_array_equal(result.outputs[name].typical, run().outputs[name].typical)


def test_a_horizon_that_is_no_multiple_of_the_step_ends_at_the_horizon() -> None:
    time_h = run(until_min=25, every_min=10.0).time_h
    assert (time_h * 60).tolist() == pytest.approx([0, 10, 20, 25])


def test_a_coarse_grid_does_not_lose_the_peak() -> None:
    """The peak and its time at one point an hour are those of a fine grid."""
    fine = run(every_min=0.25, until_min=480).summary
    coarse = run(every_min=60.0, until_min=480).summary
    for name, summary in fine.items():
        assert coarse[name].typical.peak[0] == pytest.approx(summary.typical.peak[0], rel=5e-3), name
        assert coarse[name].typical.tmax_h[0] == pytest.approx(summary.typical.tmax_h[0], abs=0.08), name


def test_json_has_no_nan_and_the_contract_keys() -> None:
    entry = json.loads(json.dumps(run(n=20, rng=np.random.default_rng(1)).to_json(), allow_nan=False))
    assert {"model", "time_h", "outputs", "summary", "flags", "sources"} <= set(entry)
    assert "members" not in entry
    curve = entry["outputs"]["S_ketamine_venous_ng_per_mL"]
    assert set(curve) == {"typical", "p05", "p50", "p95"}
    assert entry["sources"][0] == "pk-fanta-2015"


def test_every_source_key_is_in_the_bibliography() -> None:
    from limen.evidence import sources

    assert set(run(perpetrators=["rifampicin"]).sources) <= set(sources())
