"""``limen draw`` and ``--plot`` as a person calls them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from limen.cli import main as door

DOSE = ["--dose", "0.5 mg/kg iv over 40 min", "--until", "2 h"]
WINDOW = ["--output", "dissociation_pct", "--low", "20", "--high", "60"]


class Run:
    """One run of the command line for a patient of 70 kg."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.capsys, self.monkeypatch = folder, capsys, monkeypatch
        self.patient = folder / "p.json"
        self.patient.write_text(json.dumps({"age_years": 42, "weight_kg": 70}), encoding="utf-8")

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        import typer

        self.monkeypatch.setattr(door, "app", typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False))
        self.monkeypatch.setattr(door, "TOPICS", ("draw", "pharmacology", "validate"))
        self.monkeypatch.setattr(sys, "argv", ["limen", *arguments, "--patient", str(self.patient)])
        with pytest.raises(SystemExit) as stop:
            door.main()
        captured = self.capsys.readouterr()
        return int(stop.value.code or 0), captured.out, captured.err


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return Run(tmp_path, capsys, monkeypatch)


def test_a_forecast_with_its_limits_by_name(run: Run) -> None:
    target = run.folder / "limits.svg"
    code, out, _ = run(
        "draw",
        "forecast",
        *DOSE,
        *("--population", "20", "--show", "dissociation_pct", "--plot", str(target)),
        *("--hard", "sbp_change_mmHg=40 pause", "--soft", "dissociation_pct=60 the patient's own wish"),
    )
    assert code == 0
    assert "6 models" in out
    drawn = " ".join(target.read_text(encoding="utf-8").split())
    for words in ("pause: 40 mmHg", "the patient's own wish: 60 %", "Rise in systolic pressure, mmHg"):
        assert words in drawn
    assert "Ketamine in plasma" not in drawn


def test_models_side_by_side_tell_what_is_assumed(run: Run) -> None:
    target = run.folder / "models.svg"
    code, out, _ = run("draw", "models", "--dose", "25 mg sl", "--until", "2 h", "--plot", str(target))
    assert code == 0
    assert "clements-250" in out
    drawn = target.read_text(encoding="utf-8")
    assert "clements-250, plasma: peak" in drawn
    assert "Absorption is a range assumed by this project" in " ".join(drawn.split())


def test_attainment_as_json_and_as_a_picture(run: Run) -> None:
    target = run.folder / "window.png"
    code, out, err = run("draw", "attainment", *DOSE, *WINDOW, "--population", "40", "--plot", str(target), "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert target.read_bytes().startswith(b"\x89PNG")
    assert set(found) >= {"output", "low", "high", "unit", "time_h", "below_pct", "inside_pct", "above_pct", "best"}
    for below, inside, above in zip(found["below_pct"], found["inside_pct"], found["above_pct"], strict=True):
        assert below + inside + above == pytest.approx(100)
    assert found["inside_pct"][0] == 0


def test_the_same_seed_counts_the_same_patients(run: Run) -> None:
    asked = ["draw", "attainment", *DOSE, *WINDOW, "--population", "30", "--json", "--seed"]
    first, again, other = (run(*asked, seed)[1] for seed in ("4", "4", "5"))
    assert first == again
    assert first != other


def test_simulate_draws_both_endings(run: Run) -> None:
    for ending, start in (("svg", b"<?xml"), ("png", b"\x89PNG")):
        target = run.folder / f"forecast.{ending}"
        code, _, _ = run("simulate", "--model", "ensemble", *DOSE, "--every", "5 min", "--plot", str(target))
        assert code == 0
        assert target.read_bytes().startswith(start)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["draw", "attainment", *DOSE, "--output", "shoe_size", "--low", "1", "--high", "2"], "no 'shoe_size'"),
        (["draw", "attainment", *DOSE, "--output", "dissociation_pct", "--low", "2", "--high", "1"], "window 2 to 1"),
        (["draw", "attainment", *DOSE, *WINDOW, "--plot", "x.gif"], ".svg or .png"),
        (["draw", "attainment", *DOSE, *WINDOW, "--seed", "-1"], "seed -1"),
        (["draw", "forecast", *DOSE, "--plot", "x.svg", "--hard", "sbp_change_mmHg 40"], "cannot read"),
        (["draw", "forecast", *DOSE, "--plot", "x.svg", "--population", "0", "--soft", "shoe=4 x"], "no 'shoe'"),
        (["draw", "models", *DOSE, "--plot", "/nowhere/at/all.svg"], "cannot write"),
    ],
)
def test_a_bad_call_is_one_line_and_exit_2(run: Run, arguments: list[str], says: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert says in err
