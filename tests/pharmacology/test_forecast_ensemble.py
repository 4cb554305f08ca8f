"""Several models at once: what is a difference of models stays apart from what is a difference of patients."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.linalg import expm

from limen.errors import InputError
from limen.pharmacology import models
from limen.pharmacology.effects.outputs import effect_names
from limen.pharmacology.forecast import forecast
from limen.pharmacology.outcome import Forecast
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose, Schedule
from limen.pharmacology.response import Grid, Response, respond
from limen.pharmacology.simulate import draw_patients, simulate, variability_of

PATIENT = PatientProfile(age_years=42, sex="female", weight_kg=70, height_cm=168)
INFUSION = [Dose(35, "iv", 0, 40)]
PLASMA = "ketamine_plasma_ng_per_mL"
EFFECT = "ketamine_effect_site_ng_per_mL"
MEMBERS = {
    "fanta-otto-2021": "ketamine_venous_ng_per_mL",
    "clements-250": PLASMA,
    "domino": PLASMA,
    "kamp-2020": "ketamine_arterial_ng_per_mL",
    "simons-2022": "ketamine_arterial_ng_per_mL",
    "perez-ruixo-2021": PLASMA,
}


def written_out(model_id: str) -> tuple[float, float]:
    """Peak (ng/mL) and area to 24 h (ng h/mL) of 35 mg over 40 min by the paper's equations, R clearing 0.86 of S.

    A second implementation: the exponential of the paper's rates with the input and the area as states of their own.
    """
    peak, area = 0.0, 0.0
    for ratio in (1.0, 0.86):
        if model_id == "simons-2022":
            volumes = [11.6, 39.0, 174.0]
            flows = [(0, 1, 2.43), (0, 2, 1.21)]
            lost = [1.48 * ratio / 11.6, 0.0, 0.0]
        else:
            extracted = ratio * 101 * 3.88 / (151 + 101 * 3.88)
            volumes = [192.0, 143.0, 417.0, 101.0]
            flows = [(0, 1, 84.3 / 60), (0, 2, 37.6 / 60), (0, 3, 151 / 60)]
            lost = [0.0, 0.0, 0.0, extracted / (1 - extracted) * 151 / 101 / 60]
        size = len(volumes)
        rates = np.zeros((size + 2, size + 2))
        rates[range(size), range(size)] = [-rate for rate in lost]
        for one, other, flow in flows:
            for source, into in ((one, other), (other, one)):
                rates[source, source] -= flow / volumes[source]
                rates[into, source] += flow / volumes[source]
        rates[size, 0] = 1000 / volumes[0] / 60
        rates[0, size + 1] = 17.5 / 40
        start = np.zeros(size + 2)
        start[-1] = 1.0
        during = expm(rates * 40) @ start
        peak += 1000 * during[0] / volumes[0]
        during[-1] = 0.0
        area += (expm(rates * 1400) @ during)[size]
    return peak, area


def codes(result: Forecast) -> set[str]:
    return {flag.code for flag in result.flags}


def alone(model_id: str, doses: list[Dose], n: int, seed: int = 5, until_min: float = 120) -> Response:
    model = models.get(model_id)
    schedule = Schedule.of(doses)
    grid = Grid.of(until_min, 2, schedule)
    draws = draw_patients(n, np.random.default_rng(seed), len(grid.asked_min))
    return respond(
        model,
        doses,
        "racemic",
        PatientProfile(weight_kg=70),
        grid,
        schedule,
        draws,
        variability=variability_of(model)[0],
        metabolites=False,
    )


def test_typical_is_the_mean_of_the_members_and_the_band_their_extremes() -> None:
    result = forecast(INFUSION, PATIENT, until_min=240)
    singles = [
        simulate(model, INFUSION, PATIENT, until_min=240, product="racemic").outputs[name].typical
        for model, name in MEMBERS.items()
    ]
    curve = result.outputs[PLASMA]
    np.testing.assert_allclose(curve.typical, np.mean(singles, axis=0), rtol=1e-12)
    assert curve.between_models is not None
    np.testing.assert_allclose(curve.between_models[0], np.min(singles, axis=0), rtol=1e-12)
    np.testing.assert_allclose(curve.between_models[1], np.max(singles, axis=0), rtol=1e-12)
    assert curve.between_patients is None


def test_each_member_stands_with_its_own_matrix_and_weight() -> None:
    members = forecast(INFUSION, PATIENT).members
    assert {member.id: member.matrix for member in members} == {
        "fanta-otto-2021": "venous",
        "clements-250": "plasma",
        "domino": "plasma",
        "kamp-2020": "arterial",
        "simons-2022": "arterial",
        "perez-ruixo-2021": "plasma",
    }
    assert [member.weight for member in members] == [1 / 6] * 6
    assert [member.variability for member in members] == [True, False, False, False, True, True]
    published = {"fanta-otto-2021": 159.8, "clements-250": 177, "domino": 240, "kamp-2020": 253}
    targets = published | {name: written_out(name)[0] for name in ("simons-2022", "perez-ruixo-2021")}
    for member in members:
        # Peaks at 40 min: the published verification targets.
        assert member.typical[MEMBERS[member.id]][40] == pytest.approx(targets[member.id], rel=0.01)


def test_patients_are_pooled_over_every_member() -> None:
    result = forecast(INFUSION, PATIENT, until_min=120, every_min=2, n=300, rng=np.random.default_rng(5))
    pooled = np.concatenate([alone(model, INFUSION, 300).values[name][1:] for model, name in MEMBERS.items()])
    band = result.outputs[PLASMA].between_patients
    assert band is not None
    for level, values in ((5, band.p05), (50, band.p50), (95, band.p95)):
        np.testing.assert_allclose(values, np.percentile(pooled, level, axis=0), rtol=1e-12)
    assert (band.p05[1:] < band.p50[1:]).all()
    assert (band.p50[1:] < band.p95[1:]).all()


def test_the_same_seed_gives_the_same_patient_whatever_the_number() -> None:
    few = alone("kamp-2020", INFUSION, 3)
    many = alone("kamp-2020", INFUSION, 900)
    for name, values in few.values.items():
        np.testing.assert_allclose(many.values[name][:4], values, rtol=1e-12)
    other = alone("kamp-2020", INFUSION, 3, seed=6)
    assert not np.allclose(other.values[EFFECT][1:], few.values[EFFECT][1:])


def test_a_patient_is_the_same_person_under_every_model() -> None:
    """Whoever clears slowly in one member clears slowly in all: ranks of late concentration agree.

    Perez-Ruixo's clearance is its liver's flow, volume and enzymes, which vary on their own.
    """
    by_clearance = {model: name for model, name in MEMBERS.items() if model != "perez-ruixo-2021"}
    late = [alone(model, INFUSION, 200, until_min=600).values[name][1:, -1] for model, name in by_clearance.items()]
    ranks = np.array([np.argsort(np.argsort(values)) for values in late])
    assert np.corrcoef(ranks).min() > 0.5


def test_what_is_assumed_is_said() -> None:
    result = forecast(INFUSION, PATIENT, n=20, rng=np.random.default_rng(1))
    assert {
        "mixed-matrix",
        "assumed-variability",
        "assumed-effect-model",
        "effect-site-link",
        "equal-weights",
    } <= codes(result)
    borrowed = next(flag.message for flag in result.flags if flag.code == "assumed-variability")
    assert "clements-250, domino, kamp-2020" in borrowed
    assert "[P]" in borrowed
    assert "assumed-variability" not in codes(forecast(INFUSION, PATIENT))


def test_domino_says_nothing_in_the_first_five_minutes_after_a_bolus() -> None:
    result = forecast([Dose(35, "iv")], PATIENT, until_min=30, n=50, rng=np.random.default_rng(1))
    domino = next(member for member in result.members if member.id == "domino")
    assert np.isnan(domino.typical[PLASMA][:5]).all()
    assert np.isfinite(domino.typical[PLASMA][5:]).all()
    others = [member.typical[MEMBERS[member.id]] for member in result.members if member.id != "domino"]
    np.testing.assert_allclose(result.outputs[PLASMA].typical[:5], np.mean(others, axis=0)[:5], rtol=1e-12)
    # 35 mg in Domino's 4.41 L would be 7,937 ng/mL; the greatest of the others is Simons' 35 mg in 11.6 L.
    band = result.outputs[PLASMA].between_models
    assert band is not None
    assert band[1].max() == pytest.approx(35000 / 11.6, rel=1e-9)
    assert "early-bolus-unusable" in codes(result)
    assert json.loads(json.dumps(result.to_json(), allow_nan=False))["members"][2]["typical"][PLASMA][0] is None
    assert "early-bolus-unusable" not in codes(forecast(INFUSION, PATIENT))


def test_the_contract() -> None:
    entry = forecast(INFUSION, PATIENT, until_min=1440, every_min=10, n=30, rng=np.random.default_rng(1)).to_json()
    assert entry["model"] == "ensemble"
    assert set(entry["outputs"]) == {PLASMA, EFFECT, *effect_names()}
    for curve in entry["outputs"].values():
        assert set(curve) == {"typical", "p05", "p50", "p95", "between_models", "patients_alone"}
        assert all(len(curve[key]) == len(entry["time_h"]) for key in ("typical", "p05", "p50", "p95"))
    cells = entry["summary"][PLASMA]
    assert set(cells) == {"cmax", "tmax_h", "auc_0_24_ng_h_per_mL", "auc_0_end_ng_h_per_mL"}
    for cell in cells.values():
        assert {"typical", "p05", "p50", "p95", "between_models"} == set(cell)
    # Areas of the members to 24 h, from the verification targets: 383, 435, 302 and (Kamp) dose over clearance less a
    # tail of under 1 %.
    areas = [383, 435, 302, 416, written_out("simons-2022")[1], written_out("perez-ruixo-2021")[1]]
    assert cells["auc_0_24_ng_h_per_mL"]["typical"] == pytest.approx(sum(areas) / 6, rel=0.01)
    assert all(set(flag) == {"code", "message"} for flag in entry["flags"])
    short = forecast(INFUSION, PATIENT, until_min=60).to_json()["summary"][PLASMA]
    assert short["auc_0_24_ng_h_per_mL"] is None


def test_products_are_never_converted() -> None:
    with pytest.raises(InputError, match="never converted"):
        forecast(INFUSION, PATIENT, "R-ketamine")
    with pytest.raises(InputError, match="does not cover the route 'iv' for esketamine-nasal; allowed: in"):
        forecast(INFUSION, PATIENT, "esketamine-nasal")
    for product, model_ids in {
        "s-ketamine": {"fanta-otto-2021", "perez-ruixo-2021", "simons-2022"},
        "racemic": set(MEMBERS),
    }.items():
        assert {member.id for member in forecast(INFUSION, PATIENT, product).members} == model_ids


def test_a_nasal_device_is_forecast_by_one_model_and_said_to_be() -> None:
    result = forecast([Dose(56, "in")], PATIENT, "esketamine-nasal", until_min=1440)
    assert "single-model" in codes(result)
    assert "mixed-matrix" not in codes(result)
    # Verification target of the model: 73.0 ng/mL at 38 min, 253.8 ng h/mL to 24 h.
    found = result.summary["S_ketamine_plasma_ng_per_mL"].typical
    assert found.peak[0] == pytest.approx(73.0, rel=0.01)
    assert found.auc_0_24_ng_h_per_mL is not None
    assert found.auc_0_24_ng_h_per_mL[0] == pytest.approx(253.8, rel=0.01)


def test_s_ketamine_by_vein_has_three_models() -> None:
    """Published targets of each: 35 mg over 40 min peaks at 157.6 (Fanta), 288 (Simons), 125 ng/mL (Perez-Ruixo)."""
    found = forecast(INFUSION, PATIENT, "s-ketamine").summary["S_ketamine_plasma_ng_per_mL"]
    assert found.typical.peak[0] == pytest.approx((157.6 + 288 + 125) / 3, rel=0.01)


@pytest.mark.parametrize("route", ["im", "sc", "in", "po", "sl", "pr"])
def test_other_routes_run_with_absorption_as_stated_and_say_so(route: str) -> None:
    result = forecast([Dose(35, route)], PATIENT, until_min=360, every_min=5, n=50, rng=np.random.default_rng(1))
    assert "assumed-absorption" in codes(result)
    vein = forecast([Dose(35, "iv")], PATIENT, until_min=360, every_min=5).summary[PLASMA].typical
    mine = result.summary[PLASMA]
    assert vein.auc_0_end_ng_h_per_mL is not None
    assert mine.typical.auc_0_end_ng_h_per_mL is not None
    assert 0 < mine.typical.auc_0_end_ng_h_per_mL[0] < vein.auc_0_end_ng_h_per_mL[0]
    assert mine.typical.peak[0] < vein.peak[0]


def test_the_effect_site_keeps_the_area_and_lags() -> None:
    """A link takes nothing away: its whole area is the plasma's, its peak is later and lower."""
    summary = forecast(INFUSION, PATIENT, until_min=6000, every_min=10).summary
    plasma, effect = summary[PLASMA].typical, summary[EFFECT].typical
    assert plasma.auc_0_end_ng_h_per_mL is not None
    assert effect.auc_0_end_ng_h_per_mL is not None
    assert effect.auc_0_end_ng_h_per_mL[0] == pytest.approx(plasma.auc_0_end_ng_h_per_mL[0], rel=1e-3)
    assert effect.peak[0] < plasma.peak[0]


def test_pressure_after_half_a_mg_per_kg_is_near_what_was_seen() -> None:
    """741 infusions: largest mean rise 7.4 mmHg at 30 to 40 min. A rule set by this number must come back to it."""
    peak = forecast(INFUSION, PATIENT).summary["sbp_change_mmHg"].typical
    assert peak.peak[0] == pytest.approx(7.4, rel=0.2)
    assert 30 <= peak.tmax_h[0] * 60 <= 50


def test_a_link_of_8_3_minutes() -> None:
    """A steady plasma level is half reached at the effect site after one half-life (Olofsen 2022)."""
    plan = Schedule.of([Dose(6000, "iv", 0, 60000)])
    grid = Grid.of(60000, 8.3, plan)
    model = models.get("clements-250")
    response = respond(
        model,
        [Dose(6000, "iv", 0, 60000)],
        "racemic",
        PatientProfile(weight_kg=70),
        grid,
        plan,
        draw_patients(0, None, 1),
        variability=(),
    )
    steady = response.values[PLASMA][0, -1]
    assert steady == pytest.approx(0.1 * 1000 / (1.7522 * 70 * 0.0109), rel=1e-9)
    assert response.values[EFFECT][0, -1] == pytest.approx(steady, rel=1e-9)


def test_the_spread_of_the_link_is_the_published_interval() -> None:
    from limen.pharmacology.effects import effects

    link = effects().effect_site.half_life
    low, high = link.typical * np.exp(np.array([-1.96, 1.96]) * link.log_sd)
    # The published interval is not quite symmetric on the log scale about its median.
    assert [low, high] == pytest.approx([link.low, link.high], rel=0.03)


def test_a_horizon_inside_dominos_window_leaves_it_out_whole() -> None:
    result = forecast([Dose(35, "iv")], PATIENT, until_min=3, n=30, rng=np.random.default_rng(1))
    cells = json.loads(json.dumps(result.to_json(), allow_nan=False))["summary"][PLASMA]["cmax"]
    # 35 mg in Simons' 11.6 L is the greatest of those that remain; Domino's 4.41 L would make 7,937.
    assert cells["between_models"]["high"] == pytest.approx(35000 / 11.6, rel=1e-9)
    assert cells["p95"] < 4500


@pytest.mark.parametrize("every_min", [0.5, 7.0, 30.0])
def test_the_typical_peak_lies_between_the_members_on_any_grid(every_min: float) -> None:
    cells = forecast(INFUSION, PATIENT, until_min=240, every_min=every_min).to_json()["summary"][PLASMA]
    others = written_out("simons-2022")[0] + written_out("perez-ruixo-2021")[0]
    assert cells["cmax"]["typical"] == pytest.approx((159.8 + 177.3 + 240.4 + 253.1 + others) / 6, rel=0.01)
    assert cells["tmax_h"]["typical"] == pytest.approx(40 / 60)
