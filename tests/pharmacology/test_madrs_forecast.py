"""The MADRS difference beside a forecast of concentrations: there where a trial gave these doses, else said why not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from limen.pharmacology.courses.antidepressant import OUTPUT, course
from limen.pharmacology.courses.madrs_forecast import with_madrs
from limen.pharmacology.outcome import Forecast
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose
from limen.pharmacology.simulate import simulate

PATIENT = PatientProfile(age_years=42, weight_kg=70)
INFUSION = Dose(35, "iv", 0, 40)
ADDED = f"{OUTPUT}_if_sessions_add"


def forecast_of(
    doses: list[Dose], model: str = "domino", product: str = "racemic", patient: PatientProfile = PATIENT
) -> Forecast:
    alone = simulate(model, doses, patient, until_min=4 * 1440, every_min=60, product=product, wanted_effects=())
    return with_madrs(alone, doses, patient)


def why_not(result: Forecast) -> str:
    assert OUTPUT not in result.outputs
    (told,) = [flag.message for flag in result.flags if flag.code == "no-madrs-difference"]
    return told


def test_one_infusion_is_the_courses_own_curve() -> None:
    result = forecast_of([INFUSION])
    own = course("racemic-iv", [0.0], until_days=4, every_h=1)
    np.testing.assert_allclose(result.outputs[OUTPUT].typical, own.outputs[OUTPUT].typical)
    assert ADDED not in result.outputs
    assert result.outputs[OUTPUT].typical.min() == pytest.approx(-7.7, abs=0.01)
    # The summary holds the highest point, as for every output.
    highest = result.summary[OUTPUT].to_json()
    assert highest["cmax"]["typical"] == 0
    assert highest["auc_0_24_ng_h_per_mL"] is None
    assert {"expectancy", "between-trials", "dose-group-only"} <= {flag.code for flag in result.flags}
    assert "pd-murrough-2013" in result.sources
    assert json.dumps(result.to_json(), allow_nan=False)


def test_parts_of_a_session_count_together() -> None:
    devices = [Dose(28, "in", 0), Dose(28, "in", 5)]
    result = forecast_of(devices, "perez-ruixo-2021", "esketamine-nasal")
    assert result.outputs[OUTPUT].typical[24] == pytest.approx(-10, abs=0.01)
    split = forecast_of([Dose(10, "iv"), Dose(25, "iv", 0, 40)])
    np.testing.assert_allclose(split.outputs[OUTPUT].typical, forecast_of([INFUSION]).outputs[OUTPUT].typical)


def test_two_sessions_hold_the_strongest_and_say_so() -> None:
    result = forecast_of([INFUSION, Dose(35, "iv", 2 * 1440, 40)])
    own = course("racemic-iv", [0.0, 2.0], until_days=4, every_h=1)
    np.testing.assert_allclose(result.outputs[OUTPUT].typical, own.outputs[OUTPUT].typical)
    assert ADDED not in result.outputs
    assert {"repeat-rule", "sessions-may-add"} <= {flag.code for flag in result.flags}


def test_the_band_has_as_many_draws_as_the_forecast_has_patients() -> None:
    rng = np.random.default_rng(2)
    alone = simulate("domino", [INFUSION], PATIENT, until_min=1440, every_min=60, n=200, rng=rng, wanted_effects=())
    band = with_madrs(alone, [INFUSION], PATIENT, rng).outputs[OUTPUT].between_patients
    assert band is not None
    assert band.p05[-1] < -7.7 < band.p95[-1]
    assert with_madrs(alone, [INFUSION], PATIENT).outputs[OUTPUT].between_patients is None


@pytest.mark.parametrize(
    ("doses", "words"),
    [
        ([Dose(7, "iv", 0, 40)], "0.1 mg/kg"),
        ([Dose(35, "iv", 0, 400)], "no trial gave a session like this"),
        ([Dose(140, "iv", 0, 1)], "2 mg/kg"),
        ([Dose(20, "iv", 0, 40), Dose(20, "po", 30)], "no trial gave a session like this"),
        ([INFUSION, Dose(7, "iv", 1440, 40)], "0.1 mg/kg"),
    ],
)
def test_where_no_trial_gave_the_dose_it_says_so(doses: list[Dose], words: str) -> None:
    alone = simulate("domino", [INFUSION], PATIENT, until_min=240, product="racemic", wanted_effects=())
    assert words in why_not(with_madrs(alone, doses, PATIENT))


def test_other_products_and_children_have_none() -> None:
    assert "s-ketamine by iv" in why_not(forecast_of([Dose(20, "iv", 0, 40)], "fanta-otto-2021", "s-ketamine"))
    child = PatientProfile(age_years=9, weight_kg=30)
    told = why_not(forecast_of([Dose(15, "iv", 0, 40)], "herd-2007", patient=child))
    assert "children" in told
