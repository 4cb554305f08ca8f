"""``limen course``: long courses from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from limen.cli.main import app, load_topics
from limen.errors import InputError

load_topics()
pytestmark = pytest.mark.slow
PAIN_STEPS = [f"{rate} mg/h iv over 25 h at {start} h" for rate, start in ((5, 0), (10, 25), (15, 50), (20, 75))]


def run(*words: str) -> str:
    result = CliRunner().invoke(app, ["course", *words], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def refused(*words: str) -> str:
    result = CliRunner().invoke(app, ["course", *words])
    assert isinstance(result.exception, InputError)
    return str(result.exception)


@pytest.fixture
def patient(tmp_path: Path) -> str:
    path = tmp_path / "patient.json"
    path.write_text('{"weight_kg": 70, "age_years": 46}')
    return str(path)


def test_one_infusion_as_json() -> None:
    entry = json.loads(run("antidepressant", "--dose", "0.5 mg/kg iv over 40 min", "--json", "--population", "50"))
    assert (entry["course"], entry["group"]) == ("antidepressant", "racemic-iv")
    curve = entry["outputs"]["madrs_difference_from_placebo"]
    day = entry["time_days"].index(1.0)
    assert curve["typical"][day] == pytest.approx(-7.7, abs=0.01)
    assert curve["p05"][day] < curve["p50"][day] < curve["p95"][day]
    assert curve["typical"][-1] == 0
    assert entry["outputs"]["madrs_change_on_placebo"]["typical"][0] is None
    assert any(row["trial"] == "Singh 2016" for row in entry["observed"])


def test_the_same_seed_gives_the_same_course() -> None:
    words = ("antidepressant", "--dose", "56 mg in", "--product", "esketamine-nasal", "--population", "20", "--json")
    assert run(*words, "--seed", "3") == run(*words, "--seed", "3")
    assert run(*words, "--seed", "3") != run(*words, "--seed", "4")


def test_sessions_repeated_and_given_one_by_one_are_the_same(patient: str) -> None:
    repeated = run("antidepressant", "--dose", "35 mg iv", "--patient", patient, "--repeat", "3", "--spacing", "2 d")
    single = [word for day in (0, 2, 4) for word in ("--dose", f"35 mg iv at {day} d")]
    assert run("antidepressant", *single, "--patient", patient) == repeated
    assert "[repeat-rule]" in repeated
    assert "not read" in repeated


def test_stages_of_relapse_are_listed_and_drawn() -> None:
    rows = json.loads(run("relapse", "--json"))
    assert "six-infusions" in [row["stage"] for row in rows]
    assert "(no curve)" in run("relapse")
    entry = json.loads(run("relapse", "one-infusion-0.5-responders", "--until", "14 d", "--json"))
    assert entry["outputs"]["relapse_free_pct"]["typical"][-1] == pytest.approx(50)
    assert entry["row"]["source"] == "pd-salloum-2019"
    drug = run("relapse", "nasal-remitters-drug", "--population", "100")
    assert " to " in drug
    assert "[relapse-not-known]" in run("relapse", "nasal-responders-drug")


def test_pain_relief_with_virtual_patients(patient: str) -> None:
    doses = [word for step in PAIN_STEPS for word in ("--dose", step)]
    words = ("pain", "--patient", patient, *doses, "--until", "60 d", "--every", "5 d", "--population", "60")
    entry = json.loads(run(*words, "--json"))
    assert entry["patients"] == 60
    assert entry["outputs"]["pain_relief_over_patients_pct"]["p05"][2] == 0
    assert "[relief-outlasts]" in run(*words)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("antidepressant", "--dose", "0.1 mg/kg iv"), "0.1 mg/kg"),
        (("antidepressant", "--dose", "35 mg iv"), "weight is missing"),
        (("antidepressant", "--dose", "28 mg in"), "racemic by in"),
        (("antidepressant", "--dose", "0.5 mg/kg iv", "--control", "none"), "unknown control"),
        (("antidepressant", "--dose", "0.5 mg/kg iv", "--repeat", "0"), "--repeat"),
        (("antidepressant", "--dose", "0.5 mg/kg iv", "--repeat", "9", "--spacing", "0 d"), "--spacing"),
        (("antidepressant", "--dose", "0.5 mg/kg iv", "--repeat", "20"), "0 to under 28 days"),
        (("antidepressant", "--dose", "0.5 mg/kg iv", "--seed", "-1"), "--seed"),
        (("antidepressant", "--dose", "0.5 mg/kg iv", "--dose", "0.6 mg/kg iv at 2 d", "--repeat", "2"), "--repeat"),
        (
            ("antidepressant", "--product", "esketamine-nasal", "--dose", "28 mg in", "--dose", "56 mg in at 3 d"),
            "nasal-28, nasal-56",
        ),
        (("relapse", "seven-infusions"), "unknown stage"),
        (("relapse", "six-infusions", "--until", "soon"), "--until"),
        (("pain", "--patient", "/nowhere/p.json", "--dose", "5 mg/h iv over 25 h"), "cannot read"),
    ],
)
def test_a_slip_is_refused_in_one_line(words: tuple[str, ...], told: str) -> None:
    message = refused(*words)
    assert told in message
    assert "\n" not in message


def test_a_model_without_s_ketamine_is_refused(patient: str) -> None:
    message = refused("pain", "--patient", patient, "--dose", "20 mg/h iv over 100 h", "--model", "domino")
    assert "domino does not cover 's-ketamine'" in message
