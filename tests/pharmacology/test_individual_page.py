"""The page on individualising is followed to the letter, and the command keeps its promises."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from limen.pharmacology.individual.individualise import Individual, individualise
from limen.pharmacology.individual.observations import concentration, observations_from_json, pressure
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "individualise.md").read_text(encoding="utf-8")
PATIENT = PatientProfile(age_years=42, weight_kg=70)
INFUSION = [Dose(35, "iv", 0, 40)]
PLASMA = "ketamine_plasma_ng_per_mL"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, flags=re.DOTALL)


def limen(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "limen.cli.main", *words], capture_output=True, text=True, check=False, timeout=300
    )


def _keys(value: Any) -> set[str]:
    """Every key at any depth."""
    if isinstance(value, dict):
        return set(value) | set().union(*map(_keys, value.values()), set())
    return set().union(*map(_keys, value)) if isinstance(value, list) else set()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "observations.json").write_text(blocks("json observations")[0], encoding="utf-8")
    (tmp_path / "patient.json").write_text('{"age_years": 42, "weight_kg": 70}', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_the_programs_on_the_page_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = blocks("python")
    space: dict[str, Any] = {}
    exec(compile(first + second, "individualise.md", "exec"), space)  # noqa: S102  # the page's own programs
    words, total = capsys.readouterr().out.strip().splitlines()
    assert "weight changed hands" in words
    assert float(total) == 1.0
    assert (space["low"] <= space["high"]).all()


@pytest.mark.slow
def test_the_command_on_the_page_runs(folder: Path) -> None:
    command = blocks("sh")[0].strip()
    words = re.findall(r'"[^"]*"|\S+', command)
    run = limen(*(word.strip('"') for word in words[1:]), "--population", "50", "--json")
    assert run.returncode == 0, run.stderr
    entry = json.loads(run.stdout)
    assert len(entry["observations"]) == 7
    assert [item["compared"]["value"] for item in entry["observations"]] == [82, 13, 8, 50, 5, 24, 110]
    assert sum(item["weight_after"] for item in entry["members"]) == pytest.approx(1)
    assert entry["unknown_inputs"] == []
    told = PAGE.split("## The answer as JSON")[1].split("## ")[0]
    assert set(entry) <= set(re.findall(r"`(\w+)`", told))
    assert set(re.findall(r"`(\w+)`", told)) <= {*_keys(entry), "json"}


@pytest.mark.slow
def test_a_mistake_is_one_line(folder: Path) -> None:
    (folder / "bad.json").write_text('{"observations": [{"kind": "pressure", "t_min": 5, "sbp_mmHg": 141}]}')
    run = limen("individualise", "--patient", "patient.json", "--dose", "35 mg iv", "--observations", "bad.json")
    assert run.returncode == 2
    assert run.stdout == ""
    assert run.stderr == (
        "limen: observations[0]: baseline_sbp_mmHg is missing; allowed: pressure has t_min, sbp_mmHg,"
        " baseline_sbp_mmHg\n"
    )


def run(seen: list[Any], **options: Any) -> Individual:
    return individualise(INFUSION, PATIENT, "racemic", seen, n=200, rng=np.random.default_rng(1), **options)


def test_nothing_seen_is_nothing_learned() -> None:
    entry = run([]).to_json()
    assert entry["learned"] == {"anything": False, "effects": [], "because": "nothing was seen"}
    assert {item["posterior_over_prior_sd"] for item in entry["effects"]} == {1.0}
    for cells in entry["outputs"].values():
        assert cells["narrowing"] == 1.0
        assert [cells[level] for level in ("p05", "p50", "p95")] == [
            cells["prior"][level] for level in ("p05", "p50", "p95")
        ]
    assert entry["ready_to_leave_h"]["p50"] == entry["ready_to_leave_h"]["prior"]["p50"]
    assert all(len(item["not_identified"]) == len(item["effects"]) for item in entry["most_probable"])


def test_one_cuff_pressure_teaches_nothing_and_says_so() -> None:
    entry = run([pressure(20, 133, 128)]).to_json()
    assert entry["learned"]["anything"] is False
    assert entry["learned"]["because"].startswith("learned nothing")


def test_precise_samples_of_one_model_teach_its_effects_and_narrow_its_band() -> None:
    seen = [concentration("S_ketamine", "arterial", t, v) for t, v in ((20, 120), (40, 200), (60, 70), (120, 25))]
    found = individualise(
        INFUSION, PATIENT, "s-ketamine", seen, n=2000, rng=np.random.default_rng(1), model="simons-2022"
    )
    entry = found.to_json()
    assert entry["learned"]["anything"]
    learned = {item["effect"] for item in entry["most_probable"][0]["effects"] if item["learned"]}
    assert learned
    assert entry["outputs"]["S_ketamine_plasma_ng_per_mL"]["narrowing"] < 0.8
    assert any(direction["loadings"] for direction in entry["most_probable"][0]["not_identified"])


def test_a_reading_nobody_expected_is_flagged_and_used() -> None:
    seen = [concentration("ketamine", "venous", 40, 2000.0), pressure(20, 133, 128)]
    found = run(seen)
    entry = found.to_json()
    assert [item["outside_prediction"] for item in entry["observations"]] == [True, False]
    flagged = [flag for flag in entry["flags"] if flag["code"] == "observation-outside-prediction"]
    assert len(flagged) == 1
    assert "observations[0] (concentration at 40 min)" in flagged[0]["message"]
    assert found.after.mean(PLASMA)[8] > found.before.mean(PLASMA)[8]


def test_what_no_model_predicts_is_flagged() -> None:
    seen = [concentration("R_norketamine", "venous", 40, 20.0)]
    entry = run(seen, model="domino").to_json()
    assert entry["observations"][0]["predicted_by"] == []
    assert entry["observations"][0]["outside_prediction"] is None
    assert "observation-not-predicted" in {flag["code"] for flag in entry["flags"]}
    assert not entry["learned"]["anything"]


def test_the_answer_is_json_and_the_same_each_time() -> None:
    seen, _ = observations_from_json(json.loads(blocks("json observations")[0]))
    first, second = (json.dumps(run(list(seen)).to_json(), allow_nan=False) for _ in range(2))
    assert first == second


def test_a_sample_before_any_drug_is_outside_what_anybody_predicts() -> None:
    entry = run([concentration("ketamine", "plasma", 0, 50.0)]).to_json()
    assert entry["observations"][0]["outside_prediction"] is True
    assert all(item["left_out"] == ["concentration at 0 min"] for item in entry["most_probable"])
    json.dumps(entry, allow_nan=False)
