"""Past the concentrations that were studied a line says nothing: missing with a reason, in every output."""

from __future__ import annotations

import json

import numpy as np
import pytest

from limen.errors import InputError
from limen.pharmacology.attainment import attainment
from limen.pharmacology.comparison import compare
from limen.pharmacology.effects import effects
from limen.pharmacology.effects.beyond import believed, reaches
from limen.pharmacology.forecast import forecast
from limen.pharmacology.individual.individualise import individualise
from limen.pharmacology.outcome import Forecast
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose
from limen.pharmacology.simulate import simulate
from limen.pharmacology.targets import Target

PERSON = PatientProfile(age_years=42, weight_kg=70)
SLOW, FAST = [Dose(35, "iv", 0, 40)], [Dose(35, "iv")]
OUTPUT = "cardiac_output_change_pct"


def made(doses: list[Dose], n: int = 40) -> Forecast:
    return forecast(doses, PERSON, until_min=60, every_min=1, n=n, rng=np.random.default_rng(1) if n else None)


def test_the_reach_is_the_steepest_line_at_the_highest_level_of_the_volunteers() -> None:
    """Cardiac output rose by 40 to 50 % at 320 ng/mL (Sigtermans 2009): past 50 % nothing was seen."""
    assert reaches()[OUTPUT].value == pytest.approx(50, abs=0.2)
    # remifentanil's C50 is doubled by 84 ng/mL at the lower quartile (Jonkman 2018)
    assert reaches()["remifentanil_c50_ratio"].value == pytest.approx(1 + 320 / 84)


def test_every_effect_without_a_ceiling_has_a_reach_and_none_with_one() -> None:
    lines = {line.output for line in effects().lines} | {effects().ventilation.output}
    assert set(reaches()) == lines


def test_just_inside_stays_and_just_outside_goes() -> None:
    edge = reaches()[OUTPUT].value
    kept = believed(OUTPUT, np.array([0.0, edge, edge * 1.0001, np.nan]))
    assert kept[:2].tolist() == [0.0, edge]
    assert np.isnan(kept[2:]).all()


def test_a_slow_infusion_loses_nothing() -> None:
    found = made(SLOW)
    assert "effect-withheld" not in {flag.code for flag in found.flags}
    assert not np.isnan(found.outputs[OUTPUT].typical).any()


def test_a_fast_bolus_is_withheld_where_it_goes_over_and_says_why() -> None:
    found = made(FAST).to_json()
    json.dumps(found, allow_nan=False)
    entry = found["outputs"][OUTPUT]
    assert entry["typical"][1] is None
    assert entry["typical"][-1] is not None
    assert found["summary"][OUTPUT]["cmax"]["typical"] is None
    assert found["summary"][OUTPUT]["cmax"]["between_models"]["high"] is None
    (told,) = [
        flag["message"]
        for flag in found["flags"]
        if flag["message"].startswith(OUTPUT) and "withheld" in flag["message"]
    ]
    assert "320 ng/mL" in told


def test_no_number_over_the_reach_leaves_any_output() -> None:
    found = made([Dose(140, "iv", 0, 1)]).to_json()
    for name, reach in reaches().items():
        entry = found["outputs"][name]
        curves = {"typical": entry["typical"] + entry["between_models"]["high"]}
        curves["typical"] += [value for member in found["members"] for value in member["typical"][name]]
        curves |= {level: entry[level] for level in ("p05", "p50", "p95")}
        for level, curve in curves.items():
            seen = [value for value in curve if value is not None]
            assert seen
            assert max(seen) <= reach.at(level)
        gone = [step for step, value in enumerate(entry["typical"]) if value is None]
        assert gone or name == "hr_change_per_min"
        # where the typical patient is past what was studied, nothing is said of the patients around him
        assert {entry[level][step] for step in gone for level in ("p05", "p50", "p95")} <= {None}
        peaks = {level: value for level, value in found["summary"][name]["cmax"].items() if isinstance(value, float)}
        assert all(value <= reach.at(level) for level, value in peaks.items())


def test_people_may_rise_further_than_their_mean_at_the_same_concentration() -> None:
    """Pressure differs between people by a lognormal factor: its 95th percentile is exp(1.645 sd) of the middle."""
    reach = reaches()["sbp_change_mmHg"]
    people = effects().line("sbp_change_mmHg").people
    assert people is not None
    assert reach.at("p95") / reach.at("p50") == pytest.approx(np.exp(1.645 * people.log_sd), rel=1e-3)
    assert reach.at("p50") == reach.at("typical") == reach.at("p05") == reach.value


def test_concentrations_and_effects_with_a_ceiling_stay() -> None:
    found = simulate("simons-2022", FAST, PatientProfile(weight_kg=70), until_min=60, product="s-ketamine")
    for name in ("S_ketamine_arterial_ng_per_mL", "dissociation_pct"):
        assert not np.isnan(found.outputs[name].typical).any()


def test_what_differs_by_an_unknown_is_unknown() -> None:
    found = compare(FAST, SLOW, PERSON, until_min=60, n=20, wanted_effects=(OUTPUT, "dissociation_pct"))
    peak = found.measures[OUTPUT]["peak"]
    assert peak.a["typical"] is None
    assert peak.b["typical"] == pytest.approx(14.5, abs=2)
    assert set(peak.difference.values()) == {None}
    assert None not in found.measures["dissociation_pct"]["peak"].difference.values()
    assert [flag.code for flag in found.flags].count("effect-withheld") == 1


def test_one_patients_bands_are_withheld_as_well() -> None:
    found = individualise([Dose(140, "iv", 0, 1)], PERSON, "racemic", [], n=40, rng=np.random.default_rng(1)).to_json()
    json.dumps(found, allow_nan=False)
    most = reaches()["sbp_change_mmHg"].at("p95")
    band = [value for value in found["outputs"]["sbp_change_mmHg"]["p95"] if value is not None]
    assert max(band) <= most
    assert "effect-withheld" in {flag["code"] for flag in found["flags"]}


def test_nobody_aims_where_nothing_was_studied() -> None:
    with pytest.raises(InputError, match="was not studied"):
        Target("sbp_change_mmHg", 60, 20, 60)
    with pytest.raises(InputError, match="was not studied"):
        attainment(SLOW, PERSON, "sbp_change_mmHg", 20, 200, n=5, rng=np.random.default_rng(1))
    assert Target("sbp_change_mmHg", 20, 20, 60).level == 20
