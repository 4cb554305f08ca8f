"""Two plans on the same virtual patients, and a dose by another route."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from limen.errors import InputError
from limen.evidence import Verification
from limen.pharmacology.comparison import compare
from limen.pharmacology.forecast import forecast
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.recovery import Criterion, Leaving, MinimumStay
from limen.pharmacology.regimen import Dose
from limen.pharmacology.route_change import change_route

PATIENT = PatientProfile(age_years=42, weight_kg=70)
PLASMA = "ketamine_plasma_ng_per_mL"
EFFECT = "ketamine_effect_site_ng_per_mL"
LONG, SHORT = [Dose(35, "iv", 0, 40)], [Dose(35, "iv", 0, 20)]
STAY = MinimumStay(60, "end", "for a test", Verification.CLINIC_RULE, ("limen",))
READY = Leaving((Criterion(EFFECT, 50, "ng/mL", Verification.CLINIC_RULE, ("limen",), "for a test"),), STAY)


def test_a_plan_beside_itself_differs_in_nothing() -> None:
    found = compare(LONG, LONG, PATIENT, until_min=240, every_min=2, n=50, leaving=(READY, READY))
    for measures in found.measures.values():
        for measure in measures.values():
            assert set(measure.difference.values()) == {0.0}
            assert measure.greater_probability == 0.5
    assert found.recovery is not None
    assert set(found.recovery.difference.values()) == {0.0}


def test_half_the_dose_halves_every_concentration_of_every_patient() -> None:
    half = [Dose(17.5, "iv", 0, 40)]
    found = compare(half, LONG, PATIENT, until_min=240, every_min=2, n=80)
    for measure in ("peak", "auc"):
        cell = found.measures[PLASMA][measure]
        assert dict(cell.ratio) == pytest.approx(dict.fromkeys(("typical", "p05", "p50", "p95"), 0.5))
        assert cell.greater_probability == 0.0
    assert found.measures["sbp_change_mmHg"]["peak"].greater_probability == 0.0


def test_pairing_is_tighter_than_the_patients_apart() -> None:
    """The same area for everyone however fast it runs: the difference has no spread where each plan has much."""
    cell = compare(SHORT, LONG, PATIENT, until_min=6000, every_min=20, n=80).measures[PLASMA]["auc"]
    assert cell.a["p95"] is not None
    assert cell.a["p05"] is not None
    assert cell.a["p95"] - cell.a["p05"] > 100
    for level in ("p05", "p50", "p95"):
        assert cell.ratio[level] == pytest.approx(1.0, rel=0.02)


def test_a_faster_infusion_peaks_higher_in_all() -> None:
    found = compare(SHORT, LONG, PATIENT, until_min=240, every_min=2, n=80)
    assert found.measures[PLASMA]["peak"].greater_probability == 1.0
    # The numbers under each plan are those of its own forecast.
    alone = forecast(SHORT, PATIENT, until_min=240, every_min=2, n=80, rng=np.random.default_rng(1)).to_json()
    cell = found.measures[PLASMA]["peak"].a
    assert cell == pytest.approx({level: alone["summary"][PLASMA]["cmax"][level] for level in cell})


def test_minutes_over_a_threshold() -> None:
    found = compare(LONG, SHORT, PATIENT, until_min=240, n=0, over={PLASMA: 100.0})
    curve = forecast(LONG, PATIENT, until_min=240, every_min=0.05).outputs[PLASMA].typical
    assert found.measures[PLASMA]["over"].a["typical"] == pytest.approx(0.05 * (curve > 100).sum(), abs=0.3)
    assert found.measures[PLASMA]["over"].unit == "min"


def test_recovery_is_compared_and_who_is_not_ready_is_counted() -> None:
    # Two minutes late and otherwise the same: everybody leaves the same span later.
    later = [Dose(35, "iv", 30, 40)]
    found = compare(later, LONG, PATIENT, until_min=1200, every_min=5, n=60, leaving=(READY, READY))
    assert found.recovery is not None
    assert found.recovery.difference["p50"] == pytest.approx(0.5, abs=0.05)
    assert found.recovery.greater_probability == 1.0
    short = compare(later, LONG, PATIENT, until_min=150, every_min=5, n=60, leaving=(READY, READY))
    assert short.not_ready_fraction is not None
    assert short.not_ready_fraction[0] > short.not_ready_fraction[1] > 0
    entry = json.loads(json.dumps(short.to_json(), allow_nan=False))
    assert entry["not_ready_by_end_fraction"]["a"] == short.not_ready_fraction[0]


def test_weights_reach_the_comparison() -> None:
    one = compare(SHORT, LONG, PATIENT, until_min=240, every_min=5, n=40, member_weight={"domino": 100})
    other = compare(SHORT, LONG, PATIENT, until_min=240, every_min=5, n=40, member_weight={"domino": 0})
    assert one.measures[PLASMA]["peak"].a["p50"] != pytest.approx(other.measures[PLASMA]["peak"].a["p50"], rel=0.02)


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(InputError, match="nothing is not forecast"):
        compare(LONG, SHORT, PATIENT, until_min=60, over={"nothing": 1.0})
    with pytest.raises(InputError, match="no dose"):
        compare([], SHORT, PATIENT, until_min=60)


@pytest.mark.parametrize("match", ["auc", "peak"])
def test_by_vein_again_is_the_dose_that_was_given(match: str) -> None:
    found = change_route([Dose(25, "iv")], "iv", PATIENT, match=match, n=30)  # type: ignore[arg-type]
    assert dict(found.dose_mg) == pytest.approx(dict.fromkeys(("typical", "p05", "p50", "p95"), 25.0))


def test_the_oral_dose_is_the_dose_over_what_is_absorbed() -> None:
    """Racemic by mouth: AUC is matched by 35 mg over F; studies put F between about 0.15 and 0.25."""
    found = change_route(LONG, "po", PATIENT, n=300, until_min=6000, every_min=10)
    assert found.dose_mg["p05"] is not None
    assert found.dose_mg["typical"] is not None
    assert 35 / 0.30 < found.dose_mg["typical"] < 35 / 0.12
    assert found.dose_mg["p05"] < 35 / 0.23
    assert found.dose_mg["p95"] > 35 / 0.17  # type: ignore[operator]
    assert "assumed-absorption" in {flag.code for flag in found.flags}
    assert "route-change" in {flag.code for flag in found.flags}


def test_the_dose_found_gives_the_area_asked() -> None:
    found = change_route(LONG, "in", PATIENT, n=0, until_min=2880)
    given = forecast(LONG, PATIENT, until_min=2880, every_min=2).summary[PLASMA].typical
    dose_mg = found.dose_mg["typical"]
    assert dose_mg is not None
    again = forecast([Dose(dose_mg, "in")], PATIENT, until_min=2880, every_min=2).summary[PLASMA].typical
    assert given.auc_0_end_ng_h_per_mL is not None
    assert again.auc_0_end_ng_h_per_mL is not None
    assert again.auc_0_end_ng_h_per_mL[0] == pytest.approx(given.auc_0_end_ng_h_per_mL[0], rel=1e-9)


def test_matching_the_peak_takes_more_than_matching_the_area() -> None:
    """A swallowed dose comes slowly: to peak as high it must be larger."""
    peak, area = (
        change_route([Dose(35, "iv", 0, 5)], "po", PATIENT, n=0, match=match).dose_mg["typical"]
        for match in ("peak", "auc")
    )
    assert peak is not None
    assert area is not None
    assert peak > area
    assert math.isfinite(peak)


def test_products_are_not_made_into_each_other() -> None:
    with pytest.raises(InputError, match="its own product"):
        change_route([Dose(56, "in")], "po", PATIENT, "esketamine-nasal")
    with pytest.raises(InputError, match="cannot match 'colour'"):
        change_route(LONG, "po", PATIENT, match="colour")  # type: ignore[arg-type]
