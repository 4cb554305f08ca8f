"""``limen models`` and ``limen simulate`` against their contract."""

from __future__ import annotations

import csv
import itertools
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from contracts.documents import PATIENT
from contracts.door import changed, given, keys_present, limen, refused, strict_json

SHIPPED = ("fanta-otto-2021", "clements-250", "domino", "hijazi-2003", "kamp-2020", "herd-2007")
MIXED = ("domino", "clements-250", "hijazi-2003", "herd-2007")
NAME = re.compile(
    r"^(?:S_|R_)?(?:ketamine|norketamine)_(?:arterial|venous|plasma|effect_site)_ng_per_mL$"
    r"|^(?:sbp_change_mmHg|hr_change_per_min|dissociation_pct|madrs_difference_from_placebo|ready_to_leave_h)$"
    r"|^[a-z0-9_]+_(?:pct|mmHg|per_min|ratio|h)$"
)
DOSE = "0.5 mg/kg iv over 40 min"


def simulate(model: str, *arguments: str, dose: str = DOSE, until: str = "4 h", patient: Any = PATIENT) -> Any:
    way = ("simulate", "--model", model, "--patient", "-", "--dose", dose, "--until", until, *arguments)
    return given(*way, stdin=patient)


def test_models_list_and_show() -> None:
    rows = given("models", "list")
    assert {row["id"] for row in rows} >= set(SHIPPED)
    for row in rows:
        keys_present(row, "id", "title", "product", "routes", "matrix", "population", "variability", "sources")
        assert row["product"] in {"racemic", "s-ketamine", "esketamine-nasal"}
        assert set(row["routes"]) <= {"iv", "im", "sc", "in", "po", "sl", "buccal", "pr"}
        assert row["matrix"] in {"arterial", "venous", "plasma"}
        assert isinstance(row["variability"], bool)
        assert row["sources"]
        shown = given("models", "show", row["id"])
        assert {key: shown[key] for key in row} == row
    by_id = {row["id"]: row for row in rows}
    assert {by_id[name]["matrix"] for name in MIXED} == {"plasma"}
    assert by_id["fanta-otto-2021"]["variability"] is True


def test_a_single_model_gives_every_key() -> None:
    found = simulate("domino", "--every", "1 min")
    keys_present(found, "model", "time_h", "outputs", "summary", "flags", "sources")
    assert "members" not in found
    assert found["model"] == "domino"
    assert len(found["time_h"]) == 241
    assert found["time_h"][0] == 0
    assert found["time_h"][-1] == pytest.approx(4)
    assert found["sources"]
    for flag in found["flags"]:
        assert set(flag) >= {"code", "message"}
    _check_curves(found, percentiles=False)


@pytest.mark.parametrize("model", [*SHIPPED, "ensemble"])
def test_names_and_curves_with_a_population(model: str) -> None:
    found = simulate(model, "--population", "40", "--seed", "3", "--every", "5 min")
    _check_curves(found, percentiles=None)
    variable = {row["id"]: row["variability"] for row in given("models", "list")}
    if variable.get(model, True):
        kinetic = [curve for name, curve in found["outputs"].items() if name.endswith("_ng_per_mL")]
        assert all({"p05", "p50", "p95"} <= set(curve) for curve in kinetic)


def _check_curves(found: dict[str, Any], *, percentiles: bool | None) -> None:
    count = len(found["time_h"])
    assert set(found["summary"]) == set(found["outputs"])
    assert found["outputs"]
    for name, curve in found["outputs"].items():
        assert NAME.match(name), name
        assert len(curve["typical"]) == count
        bands = {"p05", "p50", "p95"} & set(curve)
        assert bands in (set(), {"p05", "p50", "p95"})
        if percentiles is not None:
            assert bool(bands) is percentiles
        for low, middle, high in zip(*(curve[key] for key in sorted(bands)), strict=True):
            assert low <= middle <= high
        summary = found["summary"][name]
        keys_present(summary, "cmax", "tmax_h", "auc_0_24_ng_h_per_mL", "auc_0_end_ng_h_per_mL")
        assert summary["cmax"]["typical"] >= max(curve["typical"]) - 1e-9
        assert set(bands) <= set(summary["cmax"])
        assert 0 <= summary["tmax_h"]["typical"] <= found["time_h"][-1]
        assert summary["auc_0_24_ng_h_per_mL"] is None or found["time_h"][-1] >= 24
        if name.endswith("_ng_per_mL"):
            assert min(curve["typical"]) >= 0
            assert summary["auc_0_end_ng_h_per_mL"]["typical"] > 0
        else:
            assert summary["auc_0_end_ng_h_per_mL"] is None


def test_the_area_over_a_day_stands_only_where_a_day_is_shown() -> None:
    name = "ketamine_plasma_ng_per_mL"
    short = simulate("domino", until="23 h", dose=DOSE)["summary"][name]
    whole = simulate("domino", until="24 h", dose=DOSE)["summary"][name]
    longer = simulate("domino", until="30 h", dose=DOSE)["summary"][name]
    assert short["auc_0_24_ng_h_per_mL"] is None
    assert whole["auc_0_24_ng_h_per_mL"]["typical"] == pytest.approx(whole["auc_0_end_ng_h_per_mL"]["typical"])
    assert longer["auc_0_24_ng_h_per_mL"]["typical"] == pytest.approx(whole["auc_0_24_ng_h_per_mL"]["typical"])
    assert longer["auc_0_end_ng_h_per_mL"]["typical"] > longer["auc_0_24_ng_h_per_mL"]["typical"]


def test_the_matrix_is_in_the_name() -> None:
    for model in MIXED:
        assert any(name.endswith("_plasma_ng_per_mL") for name in simulate(model)["outputs"])
    assert "S_ketamine_venous_ng_per_mL" in simulate("fanta-otto-2021")["outputs"]
    assert any(name.endswith("_arterial_ng_per_mL") for name in simulate("kamp-2020")["outputs"])


def test_the_ensemble_keeps_its_members_apart() -> None:
    found = simulate("ensemble", "--product", "racemic", "--every", "5 min")
    assert "ketamine_plasma_ng_per_mL" in found["outputs"]
    assert "mixed-matrix" in {flag["code"] for flag in found["flags"]}
    assert {member["id"] for member in found["members"]} >= {"fanta-otto-2021", "clements-250", "domino", "kamp-2020"}
    for member in found["members"]:
        keys_present(member, "id", "matrix", "weight", "variability", "typical")
        assert isinstance(member["variability"], bool)
        for name, values in member["typical"].items():
            assert NAME.match(name)
            assert len(values) == len(found["time_h"])
    assert sum(member["weight"] for member in found["members"]) == pytest.approx(1)


def test_two_doses_add_up() -> None:
    """The kinetics are linear: the regimen is the sum of its doses."""
    name = "ketamine_plasma_ng_per_mL"
    way = ("simulate", "--model", "domino", "--patient", "-", "--until", "3 h", "--every", "10 min")
    one = given(*way, "--dose", "35 mg iv over 40 min", stdin=PATIENT)["outputs"][name]["typical"]
    two = given(*way, "--dose", "35 mg iv over 40 min at 1 h", stdin=PATIENT)["outputs"][name]["typical"]
    both = given(*way, "--dose", "35 mg iv over 40 min", "--dose", "35 mg iv over 40 min at 1 h", stdin=PATIENT)[
        "outputs"
    ][name]["typical"]
    assert both == pytest.approx([a + b for a, b in zip(one, two, strict=True)], rel=1e-9, abs=1e-9)
    assert two[:7] == [0.0] * 7
    assert two[6 + 6 :] == pytest.approx(one[6:-6], rel=1e-9)


@pytest.mark.parametrize(
    ("asked", "same"),
    [
        ("0.5 mg/kg iv over 40 min", "35 mg iv over 40 min"),
        ("52.5 mg/h iv over 40 min", "35 mg iv over 40 min"),
        ("0.75 mg/kg/h iv over 40 min", "35 mg iv over 40 min"),
        ("12.5 mcg/kg/min iv over 40 min", "35 mg iv over 40 min"),
        ("35 mg iv over 2400 s", "35 mg iv over 40 min"),
    ],
)
def test_every_unit_of_a_dose(asked: str, same: str) -> None:
    """At 70 kg 0.5 mg/kg is 35 mg; 1 mcg/kg/min is 0.06 mg/kg/h."""
    name = "ketamine_plasma_ng_per_mL"
    curve, other = (simulate("domino", dose=dose)["outputs"][name]["typical"] for dose in (asked, same))
    assert curve == pytest.approx(other, rel=1e-9)


def test_a_dose_after_the_horizon_changes_nothing_before_it_and_is_said() -> None:
    found = simulate("domino", dose="35 mg iv over 40 min at 6 h")
    assert set(found["outputs"]["ketamine_plasma_ng_per_mL"]["typical"]) == {0.0}
    assert found["summary"]["ketamine_plasma_ng_per_mL"]["cmax"]["typical"] == 0
    assert any("horizon" in flag["code"] for flag in found["flags"])


def test_the_same_seed_is_the_same_answer_and_another_is_not() -> None:
    first, again, other = (limen(*_population(seed), stdin=json.dumps(PATIENT)).out for seed in ("7", "7", "8"))
    assert first == again
    assert first != other


def _population(seed: str) -> tuple[str, ...]:
    return (
        *("simulate", "--model", "fanta-otto-2021", "--patient", "-", "--dose", DOSE),
        *("--until", "2 h", "--every", "10 min", "--population", "30", "--seed", seed, "--json"),
    )


@pytest.mark.slow
def test_a_table_and_a_picture(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    table, parquet, picture = tmp_path / "out.csv", tmp_path / "out.parquet", tmp_path / "out.svg"
    found = simulate("domino", "--every", "10 min", "--out", str(table), "--plot", str(picture))
    simulate("domino", "--every", "10 min", "--out", str(parquet))
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["time_h"]) for row in rows] == pytest.approx(found["time_h"])
    name = "ketamine_plasma_ng_per_mL"
    assert [float(row[f"{name}.typical"]) for row in rows] == pytest.approx(found["outputs"][name]["typical"])
    columns = pq.read_table(parquet).to_pydict()
    assert columns["time_h"] == pytest.approx(found["time_h"])
    assert ElementTree.parse(picture).getroot().tag.endswith("svg")  # noqa: S314


def test_another_drug_and_keys_not_read() -> None:
    found = simulate("domino", "--with", "ticlopidine", patient=PATIENT | {"shoe": 43})
    assert found["unknown_inputs"] == ["shoe"]
    plain, with_it = (
        {flag["code"] for flag in simulate("domino", *extra)["flags"]} for extra in ((), ("--with", "ticlopidine"))
    )
    assert with_it - plain, "a drug named and not modelled must be said, not passed in silence"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"--model": "nosuch"}, ("nosuch", "domino")),
        ({"--model": ""}, ("domino",)),
        ({"--until": "soon"}, ("soon", "--until")),
        ({"--until": ""}, ("--until",)),
        ({"--until": "0 h"}, ("until",)),
        ({"--until": "-4 h"}, ("--until",)),
        ({"--until": "4"}, ("--until",)),
        ({"--until": "1e9 h"}, ("--until",)),
        ({"--every": "0 min"}, ("every",)),
        ({"--every": "-1 min"}, ("--every",)),
        ({"--every": "often"}, ("--every", "often")),
        ({"--population": "-5"}, ("population", "-5")),
        ({"--population": "many"}, ("--population",)),
        ({"--population": "1000000000"}, ("population", "at most")),
        ({"--seed": "-1"}, ("--seed",)),
        ({"--product": "heroin"}, ("heroin", "racemic")),
        ({"--dose": "lots"}, ("lots",)),
        ({"--dose": ""}, ("--dose",)),
        ({"--dose": "-35 mg iv over 40 min"}, ("negative",)),
        ({"--dose": "0 mg iv over 40 min"}, ("--dose",)),
        ({"--dose": "nan mg iv over 40 min"}, ("nan",)),
        ({"--dose": "inf mg iv over 40 min"}, ("inf",)),
        ({"--dose": "35 iv over 40 min"}, ("--dose",)),
        ({"--dose": "35 mg over 40 min"}, ("--dose",)),
        ({"--dose": "35 mL iv over 40 min"}, ("mL", "mg/kg")),
        ({"--dose": "35 mg nose over 40 min"}, ("nose", "iv")),
        ({"--dose": "0.5 mg/kg/h iv"}, ("rate", "over")),
        ({"--dose": "35 mg iv over 0 min"}, ("--dose",)),
        ({"--dose": "35 mg iv over 40"}, ("--dose",)),
        ({"--dose": "35 mg iv over 40 min at noon"}, ("noon",)),
        ({"--dose": "35 mg iv for 40 min"}, ("--dose",)),
        ({"--out": "curves.txt"}, ("--out", ".csv", ".parquet")),
        ({"--plot": "curves.pdf"}, ("--plot", ".svg")),
        ({"--out": "/nowhere/at/all/curves.csv"}, ("/nowhere/at/all/curves.csv",)),
    ],
    ids=lambda value: " ".join(itertools.chain(*value.items())) if isinstance(value, dict) else "",
)
def test_refuses_in_one_line(arguments: dict[str, str], says: tuple[str, ...]) -> None:
    way = {"--model": "domino", "--patient": "-", "--dose": DOSE, "--until": "2 h", "--every": "10 min"} | arguments
    line = refused("simulate", *itertools.chain(*way.items()), "--json", stdin=PATIENT)
    for word in says:
        assert word in line


@pytest.mark.parametrize(
    ("patient", "says"),
    [
        (changed(PATIENT, "weight_kg", 700), ("weight_kg", "700")),
        (changed(PATIENT, "weight_kg", -70), ("weight_kg",)),
        (changed(PATIENT, "weight_kg", 0), ("weight_kg",)),
        (changed(PATIENT, "weight_kg", "70"), ("weight_kg",)),
        (changed(PATIENT, "weight_kg", True), ("weight_kg",)),
        (changed(PATIENT, "weight_kg", [70]), ("weight_kg",)),
        (changed(PATIENT, "weight_kg", None), ("weight",)),
        (changed(PATIENT, "age_years", 400), ("age_years",)),
        (changed(PATIENT, "age_years", -1), ("age_years",)),
        (changed(PATIENT, "height_cm", 1.68), ("height_cm",)),
        (changed(PATIENT, "sex", 1), ("sex",)),
        (changed(PATIENT, "ancestry", "martian"), ("ancestry", "japanese")),
        ([PATIENT], ("list",)),
        ("{", ("JSON",)),
        ("", ("JSON",)),
        ('{"weight_kg": NaN}', ("NaN",)),
        ('{"weight_kg": 70, "weight_kg": 700}', ("weight_kg", "twice")),
    ],
    ids=str,
)
def test_refuses_a_patient_who_cannot_be(patient: Any, says: tuple[str, ...]) -> None:
    line = refused("simulate", "--model", "domino", "--patient", "-", "--dose", DOSE, "--until", "2 h", stdin=patient)
    for word in says:
        assert word in line


@pytest.mark.parametrize("missing", ["--model", "--patient", "--dose", "--until"])
def test_a_missing_option_is_one_line(missing: str) -> None:
    way = {"--model": "domino", "--patient": "-", "--dose": DOSE, "--until": "2 h"}
    del way[missing]
    assert missing in refused("simulate", *itertools.chain(*way.items()), stdin=PATIENT)


def test_a_route_the_model_was_not_made_for_is_refused_or_flagged() -> None:
    done = limen(
        *("simulate", "--model", "domino", "--patient", "-", "--dose", "35 mg po", "--until", "2 h", "--json"),
        stdin=json.dumps(PATIENT),
    )
    if done.code == 0:
        assert strict_json(done.out)["flags"]
    else:
        assert "po" in done.err
        assert "iv" in done.err


def test_in_words() -> None:
    done = limen(
        *("simulate", "--model", "ensemble", "--patient", "-", "--dose", DOSE, "--until", "2 h", "--every", "10 min"),
        stdin=json.dumps(PATIENT),
    )
    assert (done.code, done.err) == (0, "")
    assert "ensemble" in done.out
