"""``limen plan`` against its contract: what is asked, what may be used, what blocks, and what is shown all the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contracts.documents import CASE
from contracts.door import changed, given, keys_present, limen, refused, without


def plan(case: Any, *arguments: str) -> Any:
    return given("plan", "-", "--protocol", "TRD-IV", "--population", "0", *arguments, stdin=case)


def rules(found: Any) -> set[str]:
    return {item["rule"] for item in found["blocked_by"]}


def check_shape(found: Any) -> None:
    keys_present(
        found,
        *("protocol", "released", "asked", "dose", "limits", "course", "monitoring", "premedication", "discharge"),
        *("forecast", "evidence", "findings", "blocked_by"),
    )
    keys_present(found["limits"], "soft_max_mg", "hard_max_mg", "rate_max_mg_per_h", "day_max_mg", "binding")
    if found["limits"]["binding"] is not None:
        keys_present(found["limits"]["binding"], "limit", "asked", "used", "unit", "rule")
    keys_present(found["evidence"], "regulatory_status", "for", "against")
    for phase in found["course"]:
        keys_present(phase, "phase", "sessions", "spacing", "days")
    for item in found["monitoring"]:
        keys_present(item, "what", "when", "minutes")
    for item in found["blocked_by"]:
        keys_present(item, "rule", "level", "because")
    for finding in found["findings"]:
        keys_present(
            finding, *("rule", "level", "title", "because", "input", "threshold", "action", "sources", "verification")
        )
    assert found["released"] is (found["dose"] is not None and not found["blocked_by"])
    if found["dose"] is None:
        assert found["released"] is False
        assert found["blocked_by"]
        return
    check_dose(found["dose"], found["limits"])


def check_dose(dose: Any, limits: Any) -> None:
    keys_present(
        dose,
        *("dose_mg", "dose_mg_per_kg", "weight_basis", "duration_min", "rate_mg_per_h", "devices", "syringe", "steps"),
    )
    assert dose["dose_mg"] == pytest.approx(sum(step["dose_mg"] for step in dose["steps"]))
    assert dose["dose_mg"] <= limits["hard_max_mg"]
    for step in dose["steps"]:
        keys_present(
            step, *("kind", "at_min", "dose_mg", "duration_min", "rate_mg_per_h", "volume_mL", "rate_mL_per_h")
        )
        assert step["kind"] in {"bolus", "infusion", "device", "oral"}
        assert step["rate_mg_per_h"] == pytest.approx(60 * step["dose_mg"] / step["duration_min"])
    syringe = dose["syringe"]
    if syringe is not None:
        keys_present(syringe, "concentration_mg_per_mL", "volume_mL", "rate_mL_per_h", "diluent")
        assert syringe["volume_mL"] * syringe["concentration_mg_per_mL"] == pytest.approx(dose["dose_mg"])
        assert syringe["rate_mL_per_h"] * syringe["concentration_mg_per_mL"] == pytest.approx(dose["rate_mg_per_h"])
        assert sum(step["volume_mL"] for step in dose["steps"]) == pytest.approx(syringe["volume_mL"])


def test_a_released_plan_adds_up() -> None:
    """0.5 mg/kg at 70 kg is 35 mg; over 40 min 52.5 mg/h; soft 0.75 and hard 1.0 mg/kg are 52.5 and 70 mg."""
    found = plan(CASE)
    check_shape(found)
    assert (found["protocol"], found["released"], found["blocked_by"]) == ("TRD-IV", True, [])
    dose = found["dose"]
    assert (dose["dose_mg"], dose["dose_mg_per_kg"], dose["duration_min"]) == (35, 0.5, 40)
    assert dose["rate_mg_per_h"] == pytest.approx(52.5)
    assert dose["devices"] is None
    assert (found["limits"]["soft_max_mg"], found["limits"]["hard_max_mg"]) == (52.5, 70)
    assert found["limits"]["binding"] is None
    acute = found["course"][0]
    assert acute["sessions"] == 6
    assert len(acute["days"]) == 6
    assert found["monitoring"]
    assert found["discharge"]
    assert "label" in found["evidence"]["regulatory_status"].lower()
    assert found["evidence"]["for"]
    assert found["evidence"]["against"]


def test_vital_signs_are_due_every_ten_minutes_of_the_dose_and_every_fifteen_after() -> None:
    minutes = next(item["minutes"] for item in plan(CASE)["monitoring"] if "pressure" in item["what"])
    assert minutes[:5] == [0, 10, 20, 30, 40]
    assert minutes[5:7] == [55, 70]
    assert minutes[-1] >= 100


def test_the_forecast_is_an_ensemble_in_the_shape_of_simulate() -> None:
    found = given("plan", "-", "--protocol", "TRD-IV", stdin=CASE)
    forecast = found["forecast"]
    keys_present(forecast, "model", "time_h", "outputs", "summary", "flags", "sources", "members")
    assert len(forecast["members"]) >= 4
    curve = forecast["outputs"]["ketamine_plasma_ng_per_mL"]
    assert {"typical", "p05", "p50", "p95"} <= set(curve)
    assert "mixed-matrix" in {flag["code"] for flag in forecast["flags"]}
    again = given("plan", "-", "--protocol", "TRD-IV", stdin=CASE)
    assert again == found


BLOCKED = {
    "no escort": (changed(CASE, "facts.escort", False), "SEL-26", "hold"),
    "allergy": (changed(CASE, "facts.ketamine_allergy", True), "SEL-01", "block"),
    "history not taken": (changed(CASE, "conditions", None), "SEL-04", "needs-data"),
    "pressure": (changed(CASE, "vitals.sbp_mmHg", 185), "SEL-03", "block"),
    "undiluted": (
        changed(changed(CASE, "request.concentration_mg_per_mL", 100), "request.diluted", False),
        "DOSE-CONC",
        "block",
    ),
}


@pytest.mark.parametrize(("case", "rule", "level"), BLOCKED.values(), ids=BLOCKED.keys())
def test_a_blocked_plan_has_no_dose_and_still_shows_the_rest(case: Any, rule: str, level: str) -> None:
    found = plan(case)
    check_shape(found)
    assert (found["released"], found["dose"]) == (False, None)
    assert (rule, level) in {(item["rule"], item["level"]) for item in found["blocked_by"]}
    assert found["limits"]["hard_max_mg"] == 70
    assert found["evidence"]["for"]
    assert max(found["forecast"]["outputs"]["ketamine_plasma_ng_per_mL"]["typical"]) > 0
    assert found["asked"]["dose_mg"] == 35


@pytest.mark.parametrize(
    ("dose", "asked_mg"),
    [
        ("0.5 mg/kg iv over 40 min", 35),
        ("35 mg iv over 40 min", 35),
        ("0.75 mg/kg iv over 40 min", 52.5),
        ("0.8 mg/kg iv over 40 min", 56),
        ("1 mg/kg iv over 60 min", 70),
        ("0.4 mg/kg/h iv over 1 h", 28),
        ("10 mcg/kg/min iv over 40 min", 28),
    ],
)
def test_asked_and_used_stand_side_by_side(dose: str, asked_mg: float) -> None:
    found = plan(CASE, "--dose", dose)
    check_shape(found)
    assert found["asked"]["dose_mg"] == pytest.approx(asked_mg)
    binding = found["limits"]["binding"]
    if found["dose"] is not None and found["dose"]["dose_mg"] != pytest.approx(asked_mg):
        assert binding["asked"] == pytest.approx(asked_mg)
        assert binding["used"] == pytest.approx(found["dose"]["dose_mg"])
        assert binding["used"] <= binding["limit"]
        assert binding["unit"] == "mg"
        assert any(finding["level"] == "warn" for finding in found["findings"])
    else:
        assert binding is None


@pytest.mark.parametrize("dose", ["1.01 mg/kg iv over 40 min", "71 mg iv over 40 min", "5 mg/kg iv over 40 min"])
def test_nothing_passes_the_hard_limit(dose: str) -> None:
    found = plan(CASE, "--dose", dose)
    check_shape(found)
    assert (found["released"], found["dose"]) == (False, None)
    assert "TRD-IV" in rules(found)
    assert found["limits"]["binding"]["asked"] == pytest.approx(found["asked"]["dose_mg"])
    assert found["limits"]["binding"]["used"] <= 70


def test_a_slip_of_ten_is_named() -> None:
    found = plan(CASE, "--dose", "350 mg iv over 40 min")
    assert "DOSE-TENFOLD" in rules(found)
    assert found["asked"]["dose_mg"] == 350


def test_vials() -> None:
    """Strengths of 10, 50 and 100 mg/mL are made; 35 mg is 3.5, 0.7 and 0.35 mL of them."""
    for strength, draw_mL in (("10", 3.5), ("50", 0.7), ("100", 0.35)):
        found = plan(CASE, "--concentration-mg-per-mL", strength)
        check_shape(found)
        assert found["dose"]["syringe"]["draw_mL"] == pytest.approx(draw_mL)
    for strength in ("5", "0", "-50", "500", "nan", "inf"):
        line = refused("plan", "-", "--protocol", "TRD-IV", "--concentration-mg-per-mL", strength, "--json", stdin=CASE)
        assert "10, 50, 100 mg/mL" in line


def test_undiluted_100_mg_per_mL_by_vein_has_no_way_round() -> None:
    found = plan(changed(CASE, "request.diluted", False), "--concentration-mg-per-mL", "100")
    assert "DOSE-CONC" in rules(found)
    unsaid = plan(changed(CASE, "request.diluted", None), "--concentration-mg-per-mL", "100")
    assert "DOSE-CONC" in rules(unsaid)
    assert "DOSE-CONC" not in rules(plan(CASE, "--concentration-mg-per-mL", "100"))


def test_without_a_weight_there_is_no_dose_and_one_reason() -> None:
    found = plan(changed(CASE, "patient.weight_kg", None))
    assert (found["released"], found["dose"], found["asked"]["dose_mg"]) == (False, None, None)
    assert [item["rule"] for item in found["blocked_by"]].count("BAS-01") == 1
    in_mg = plan(changed(CASE, "patient.weight_kg", None), "--dose", "35 mg iv over 40 min")
    assert (in_mg["released"], in_mg["dose"]) == (False, None)
    assert (in_mg["asked"]["dose_mg"], in_mg["asked"]["dose_mg_per_kg"]) == (35, None)


def test_every_reason_stands_once() -> None:
    case = changed(changed(CASE, "conditions", None), "patient.weight_kg", None)
    blocked = [tuple(item.values()) for item in plan(case)["blocked_by"]]
    assert len(blocked) == len(set(blocked))


@pytest.mark.parametrize(
    ("path", "value", "rule"),
    [
        ("product", "esketamine-nasal", "DOSE-PRODUCT"),
        ("product", "s-ketamine", "DOSE-PRODUCT"),
        ("route", "im", "DOSE-ROUTE"),
        ("indication", "crps", "TRD-IV-INDICATION"),
        ("setting", "home", "SETTING-HOME"),
    ],
)
def test_another_product_route_indication_or_home_is_not_released(path: str, value: str, rule: str) -> None:
    found = plan(changed(CASE, path, value))
    check_shape(found)
    assert found["released"] is False
    assert rule in rules(found)


def test_the_protocols_usual_dose_where_none_is_asked() -> None:
    found = plan(without(CASE, "request"))
    check_shape(found)
    assert found["dose"]["dose_mg"] == 35
    assert found["asked"]["by"] == "protocol"


@pytest.mark.parametrize(
    ("arguments", "case", "says"),
    [
        (("--protocol", "NO-SUCH"), CASE, ("NO-SUCH", "TRD-IV")),
        (("--protocol", "trd-iv"), CASE, ("trd-iv",)),
        (("--dose", "-35 mg iv over 40 min"), CASE, ("negative",)),
        (("--dose", "lots"), CASE, ("lots",)),
        (("--dose", ""), CASE, ("dose",)),
        (("--dose", "0.5 mg/stone iv over 40 min"), CASE, ("mg/stone", "mg/kg")),
        (("--dose", "0.5 mg iv over forty min"), CASE, ("forty",)),
        (("--dose", "NaN mg iv over 40 min"), CASE, ("NaN",)),
        (("--dose", "1e9 mg iv over 40 min"), CASE, ("1e9",)),
        (("--dose", "35 mg im"), CASE, ("iv",)),
        (("--dose", "35 mg iv over 40 min; 35 mg iv over 40 min"), CASE, ("dose",)),
        (("--dose", "35 mg iv over 40 min", "--dose", "70 mg iv over 40 min"), CASE, ("2 doses",)),
        (("--population", "-5"), CASE, ("population",)),
        (("--population", "1000000000"), CASE, ("population",)),
        (("--seed", "-5"), CASE, ("seed",)),
        (("--weight-basis", "lean"), CASE, ("lean", "ideal")),
        (("--on", "soon"), CASE, ("soon",)),
        ((), changed(CASE, "patient.weight_kg", 700), ("700", "350")),
        ((), changed(CASE, "patient.weight_kg", -70), ("weight_kg",)),
        ((), changed(CASE, "request.dose", "-35 mg iv over 40 min"), ("negative",)),
        ((), changed(CASE, "request.concentration_mg_per_mL", 5), ("10, 50, 100",)),
        ((), changed(CASE, "vitals.sbp_mmHg", 700), ("700",)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_refuses_in_one_line(arguments: tuple[str, ...], case: Any, says: tuple[str, ...]) -> None:
    way = ("--protocol", "TRD-IV", *arguments) if "--protocol" not in arguments else arguments
    line = refused("plan", "-", *way, "--json", stdin=case)
    for word in says:
        assert word in line


def test_in_words() -> None:
    done = limen("plan", "-", "--protocol", "TRD-IV", "--population", "0", stdin=json.dumps(CASE))
    assert (done.code, done.err) == (0, "")
    assert "RELEASED" in done.out
    assert "35 mg" in done.out
