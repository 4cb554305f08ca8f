"""``limen screen``, ``interactions``, ``knowledge check`` and ``evidence show`` as a user runs them."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from limen.cli.main import main

CLEAN = Path(__file__).parents[1] / "spec" / "screening" / "clean_trd.json"
SYNTHEA = Path(__file__).parents[3] / "shared" / "data" / "synthea" / "liz-conn.json"


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


Limen = Callable[..., Done]


@pytest.fixture
def limen(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Limen:
    """The command line in this process: what it prints, and how it ends."""

    def run(*arguments: str, stdin: str = "") -> Done:
        monkeypatch.setattr(sys, "argv", ["limen", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code: object = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        printed = capsys.readouterr()
        assert isinstance(code, int)
        return Done(code, printed.out, printed.err)

    return run


def answer(limen: Limen, *arguments: str, stdin: str = "") -> dict[str, Any]:
    done = limen(*arguments, "--json", stdin=stdin)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_screen_a_case_from_a_file_and_from_standard_input(limen: Limen) -> None:
    assert answer(limen, "screen", str(CLEAN))["verdict"] == "eligible"
    document = json.loads(CLEAN.read_text(encoding="utf-8"))
    document["facts"]["ketamine_allergy"] = True
    assert answer(limen, "screen", "-", stdin=json.dumps(document))["verdict"] == "excluded"


def test_screen_in_words(limen: Limen) -> None:
    done = limen("screen", str(CLEAN))
    assert done.returncode == 0
    assert done.stdout.startswith("Verdict on 2026-11-21: ELIGIBLE")


@pytest.mark.skipif(not SYNTHEA.exists(), reason=f"the Synthea bundle is not at {SYNTHEA.parent}")
def test_screen_a_bundle(limen: Limen) -> None:
    found = answer(limen, "screen", str(SYNTHEA), "--on", "2026-11-22")
    assert found["verdict"] == "needs-data"
    assert found["import"]["entries"] > 0


@pytest.mark.parametrize(
    ("stdin", "message"),
    [
        ('{"on": "2026-11-21", "patient": {"weight_kg": 700}}', "patient.weight_kg: 700 is impossible"),
        ('{"patient": {}}', "on: the day of the decision is not given"),
        ('{"resourceType": "Patient"}', "resourceType: a FHIR Patient"),
        ("{", "not JSON"),
        ("[]", "holds a list"),
    ],
)
def test_bad_input_is_one_line(limen: Limen, stdin: str, message: str) -> None:
    done = limen("screen", "-", stdin=stdin)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_interactions(limen: Limen) -> None:
    found = answer(limen, "interactions", "--route", "po", "ticlopidine", "moonwort")
    assert found["route"] == "po"
    assert found["findings"][0]["effect"]["auc_ratio"] == 2.4
    assert found["unknown"] == ["moonwort"]
    done = limen("interactions", "--route", "nose", "lithium")
    assert done.returncode == 2
    assert "unknown route 'nose'" in done.stderr


@pytest.mark.slow
def test_knowledge_check_and_evidence_show(limen: Limen) -> None:
    checked = answer(limen, "knowledge", "check")
    assert checked["problems"] == []
    assert checked["claims"] > 100
    rule = answer(limen, "evidence", "show", "SEL-04")
    assert {"id", "title", "verification", "claims_for", "claims_against", "sources", "used_by"} <= set(rule)
    assert {"key", "citation", "doi", "grade"} <= set(rule["sources"][0])
    source = answer(limen, "evidence", "show", "sel-spravato-label-2019")
    assert "SEL-04" in source["used_by"]
    done = limen("evidence", "show", "SEL-77")
    assert done.returncode == 2
    assert "nothing is on record under 'SEL-77'" in done.stderr
