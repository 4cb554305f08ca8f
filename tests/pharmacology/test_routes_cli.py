"""``limen simulate`` by other routes, with other drugs and genes, and in steps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from limen.cli import pharmacology as topic
from limen.errors import InputError


@pytest.fixture
def patient(tmp_path: Path) -> str:
    path = tmp_path / "patient.json"
    path.write_text(json.dumps({"age_years": 42, "sex": "male", "weight_kg": 70}), encoding="utf-8")
    return str(path)


def run(patient: str, *arguments: str) -> Result:
    app = typer.Typer()
    topic.register(app)
    settings = ["simulate", "--patient", patient, "--until", "4 h", "--every", "5 min"]
    return CliRunner().invoke(app, [*settings, *arguments])


def codes(document: dict[str, list[dict[str, str]]]) -> set[str]:
    return {flag["code"] for flag in document["flags"]}


@pytest.mark.parametrize("model", ["clements-250", "ensemble"])
@pytest.mark.parametrize("route", ["im", "sc", "in", "po", "sl", "buccal", "pr"])
def test_every_route_runs_and_says_what_it_assumes(patient: str, model: str, route: str) -> None:
    result = run(patient, "--model", model, "--dose", f"0.5 mg/kg {route}", "--json")
    assert result.exit_code == 0
    assert "assumed-absorption" in codes(json.loads(result.output))


def test_a_disputed_genotype_is_shown_both_ways(patient: str) -> None:
    ask = ("--model", "clements-250", "--dose", "35 mg iv over 40 min", "--with", "CYP2B6 *6/*6")
    document = json.loads(run(patient, *ask, "--json").output)
    other = document["without_genotype"]
    assert "genotype-disputed" in codes(document)
    assert "genotype-disputed" not in codes(other)
    name = "ketamine_plasma_ng_per_mL"
    assert document["summary"][name]["cmax"]["typical"] > other["summary"][name]["cmax"]["typical"]
    assert "The other reading" in run(patient, *ask).output
    plain = json.loads(run(patient, *ask[:4], "--json").output)
    assert "without_genotype" not in plain
    assert plain["summary"][name] == other["summary"][name]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--dose", "35 mg iv over 40 min", "--dose", "10 mg iv over 10 min at 5 min"], "on the same line"),
        (["--dose", "35 mg iv over 40 min", "--with", "CYP2B6 *9/*9"], "CYP2B6"),
        (["--dose", "35 mg iv over 40 min", "--with", "aspirin [M]"], "no effect size on file"),
        (["--dose", "35 mg iv then pause 5 min"], "no duration"),
        (["--dose", "28 mg im", "--product", "esketamine-nasal"], "does not cover"),
    ],
)
def test_what_cannot_be_is_refused_in_words(patient: str, arguments: list[str], says: str) -> None:
    result = run(patient, "--model", "clements-250", *arguments)
    assert isinstance(result.exception, InputError)
    assert says in str(result.exception)


def test_two_named_lines_run_together(patient: str) -> None:
    doses = ("--dose", "35 mg iv over 40 min", "--dose", "10 mg iv over 10 min at 5 min on B")
    document = json.loads(run(patient, "--model", "clements-250", *doses, "--json").output)
    assert "overlapping-infusions" not in codes(document)
