"""``limen plan``, ``limen score`` and ``limen protocols`` as a person or a program calls them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from limen.cli import main as door

BUNDLE = Path(__file__).parents[3] / "shared" / "data" / "synthea" / "liz-conn.json"
CASE: dict[str, Any] = {
    "on": "2026-11-21",
    "patient": {"age_years": 42, "sex": "female", "weight_kg": 70, "height_cm": 175},
    "conditions": [{"code": "F33.2", "system": "icd10", "text": "Recurrent depression, severe", "status": "active"}],
    "medications": [],
}
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def call(*arguments: str) -> tuple[int, str, str]:
        fresh = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
        monkeypatch.setattr(door, "app", fresh)
        monkeypatch.setattr(door, "TOPICS", ("protocols", "planning", "scoring"))
        monkeypatch.setattr(sys, "argv", ["limen", *arguments])
        with pytest.raises(SystemExit) as stop:
            door.main()
        captured = capsys.readouterr()
        return int(stop.value.code or 0), captured.out, captured.err

    return call


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Any], str]:
    def to_file(document: Any) -> str:
        path = tmp_path / "input.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
        return str(path)

    return to_file


def test_protocols(run: Run) -> None:
    code, out, _ = run("protocols", "list", "--json")
    rows = json.loads(out)
    assert code == 0
    assert {"id", "title", "indication", "product", "route", "settings", "status"} <= set(rows[0])
    # The rows of sections 1A to 1C of the clinical reference, one protocol each.
    assert len(rows) == len({row["id"] for row in rows}) == 44
    assert {"GA-IV", "PERIOP", "CRPS-OP", "CANCER-SC", "TRD-IV", "ESK-TRD", "PTSD", "SE", "EPI"} <= {
        row["id"] for row in rows
    }
    assert json.loads(run("protocols", "show", "TRD-IV", "--json")[1])["steps"][0]["amount"]["typical"] == 0.5
    shown = run("protocols", "show", "TRD-IV")[1]
    assert "unverified: needs the medical director's sign-off" in shown


def test_a_plan_forecasts_even_where_it_is_refused(run: Run, write: Callable[[Any], str]) -> None:
    arguments = ("plan", write(CASE), "--protocol", "TRD-IV", "--dose", "5 mg/kg iv over 40 min", "--json")
    code, out, err = run(*arguments)
    result = json.loads(out)
    assert (code, err) == (0, "")
    assert (result["released"], result["dose"]) == (False, None)
    assert {"TRD-IV", "DOSE-TENFOLD"} <= {row["rule"] for row in result["blocked_by"]}
    assert result["asked"]["dose_mg"] == 350
    assert result["forecast_for"]["dose_mg"] == 52.5
    assert max(result["forecast"]["outputs"]["ketamine_plasma_ng_per_mL"]["typical"]) > 0
    assert len(result["forecast"]["members"]) >= 4
    assert run(*arguments)[1] == out


def test_a_plan_in_words(run: Run, write: Callable[[Any], str]) -> None:
    code, out, _ = run("plan", write(CASE), "--protocol", "TRD-IV", "--population", "0")
    assert code == 0
    assert "NOT RELEASED" in out
    assert "35 mg (0.5 mg/kg) over 40 min, 52.5 mg/h" in out


@pytest.mark.skipif(not BUNDLE.exists(), reason="the Synthea bundle is not present")
def test_a_bundle_with_an_old_weight_gets_no_dose(run: Run) -> None:
    code, out, _ = run("plan", str(BUNDLE), "--protocol", "TRD-IV", "--on", "2026-11-21", "--json")
    result = json.loads(out)
    assert (code, result["released"], result["dose"], result["forecast"]) == (0, False, None, None)
    assert any("older than 30 days" in row["because"] for row in result["blocked_by"] if row["rule"] == "BAS-01")
    assert result["import"]["entries"] > 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--protocol", "TRD-XX"), "unknown protocol 'TRD-XX'; allowed: AGIT"),
        (("--protocol", "TRD-IV", "--dose", "0.5 mg/stone iv"), "unknown unit 'mg/stone'"),
        (("--protocol", "TRD-IV", "--dose", "-35 mg iv over 40 min"), "the amount is negative"),
        (("--protocol", "TRD-IV", "--dose", "lots"), "cannot read 'lots'"),
        (("--protocol", "TRD-IV", "--dose", "35 mg im"), "not by the route of TRD-IV"),
        (("--protocol", "TRD-IV", "--concentration-mg-per-mL", "5"), "10, 50, 100 mg/mL"),
        (("--protocol", "TRD-IV", "--concentration-mg-per-mL", "nan"), "10, 50, 100 mg/mL"),
        (
            ("--protocol", "TRD-IV", "--concentration-mg-per-mL", "10", "--dilute-to-mg-per-mL", "50"),
            "cannot be made up",
        ),
        (("--protocol", "TRD-IV", "--dilute-to-mg-per-mL", "-1"), "0 or more"),
        (("--protocol", "TRD-IV", "--weight-basis", "lean"), "actual, ideal"),
        (("--protocol", "TRD-IV", "--weight-basis", "ideal"), "body mass index"),
        (("--protocol", "TRD-IV", "--seed", "-1"), "0 or more"),
        (("--protocol", "TRD-IV", "--on", "tomorrow"), "YYYY-MM-DD"),
    ],
)
def test_a_users_error_is_one_line(
    run: Run, write: Callable[[Any], str], arguments: tuple[str, ...], says: str
) -> None:
    code, out, err = run("plan", write(CASE), *arguments, "--json")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert says in err


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ('{"patient": ', "not JSON"),
        ({**CASE, "patient": {"weight_kg": 700}}, "20 to 350 kg"),
        ({**CASE, "on": None}, "YYYY-MM-DD"),
        ({"resourceType": "Patient"}, "a Bundle"),
        ({**CASE, "request": {"concentration_mg_per_mL": 5}}, "10, 50, 100 mg/mL"),
    ],
)
def test_a_case_that_cannot_be_used_is_one_line(
    run: Run, write: Callable[[Any], str], document: Any, says: str
) -> None:
    code, out, err = run("plan", write(document), "--protocol", "TRD-IV", "--json")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert says in err


def test_score(run: Run, write: Callable[[Any], str]) -> None:
    answers = {"items": [3, 3, 3, 3, 3, 3, 3, 3, 1], "sex": None, "baseline": None}
    code, out, _ = run("score", "PHQ-9", write(answers), "--json")
    result = json.loads(out)
    assert (code, result["total"], result["band"]) == (0, 25, "severe")
    assert result["safety"] == {
        "item": 9,
        "value": 1,
        "action": "cssrs-screener-and-clinician-review-before-dosing",
    }
    words = run("score", "PHQ-9", write(answers))[1]
    assert "25, severe" in words
    assert "SAFETY" in words


@pytest.mark.parametrize(
    ("name", "answers", "says"),
    [
        ("PHQ-9", {"items": [4] * 9}, "items.q1: answer 4"),
        ("PHQ-9", {"items": [1, 2]}, "2 answers to PHQ-9"),
        ("PHQ-9", {}, "no answers"),
        ("PHQ-10", {"items": []}, "unknown instrument"),
        ("C-SSRS", {"items": {"q1": "yes"}}, "true, false or null"),
        ("PHQ-9", {"items": [0] * 9, "sex": 3}, "sex 3"),
    ],
)
def test_wrong_answers_are_one_line(run: Run, write: Callable[[Any], str], name: str, answers: Any, says: str) -> None:
    code, out, err = run("score", name, write(answers), "--json")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert says in err
