"""The page on adding a model is followed to the letter."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest

from limen.errors import KnowledgeError
from limen.evidence import cite
from limen.pharmacology import Dose, PatientProfile
from limen.pharmacology.models import load
from limen.pharmacology.simulate import simulate

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "add-a-model.md").read_text(encoding="utf-8")
SHIPPED = resources.files("limen.pharmacology.models") / "data"


def block(kind: str) -> str:
    found = re.findall(rf"```{kind}\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(found) == 1
    return str(found[0])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "hornik-2018.yaml").write_text(block("yaml model"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def area(model: object, dose: Dose) -> float:
    result = simulate(model, [dose], PatientProfile(age_years=6, weight_kg=20), until_min=60_000)  # type: ignore[arg-type]
    found = result.summary["ketamine_plasma_ng_per_mL"].typical.auc_0_end_ng_h_per_mL
    assert found is not None
    return float(found[0])


def test_the_source_on_the_page_is_the_source_on_file() -> None:
    assert cite("pk-hornik-2018").citation in PAGE
    assert str(cite("pk-hornik-2018").note) in PAGE


def test_the_files_on_the_page_are_the_files_shipped() -> None:
    assert block("yaml model") == (SHIPPED / "hornik-2018.yaml").read_text(encoding="utf-8")
    assert block("yaml pathway") in (SHIPPED / "perez-ruixo-2021.yaml").read_text(encoding="utf-8")


def test_the_file_on_the_page_obeys_physics(folder: Path) -> None:
    model = load(folder / "hornik-2018.yaml")
    result = simulate(model, [Dose(40, "iv")], PatientProfile(age_years=6, weight_kg=20), until_min=60)
    start = result.outputs["ketamine_plasma_ng_per_mL"].typical[0]
    assert start == pytest.approx(40_000 / (32.8 * 20 / 70), rel=1e-9)
    clearance_L_per_h = 38.9 * (20 / 70) ** 0.75
    assert area(model, Dose(40, "iv")) == pytest.approx(40_000 / clearance_L_per_h, rel=1e-6)
    assert area(model, Dose(80, "im")) == pytest.approx(0.41 * 80_000 / clearance_L_per_h, rel=1e-6)
    assert {"no-spread-read", "suspicious-clearance"} <= {flag.code for flag in result.flags}


def test_the_program_on_the_page_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(block("python"), "add-a-model.md", "exec"), {})  # noqa: S102  # the page's own program
    by_vein, by_muscle = capsys.readouterr().out.splitlines()
    assert float(by_vein.split()[0]) == pytest.approx(40_000 / (32.8 * 20 / 70), rel=1e-6)
    assert float(by_muscle.split()[0]) == pytest.approx(0.0, abs=1e-9)
    assert "absorption-rate-not-read" in by_muscle
    assert "absorption-rate-not-read" not in by_vein


def test_the_error_on_the_page_is_the_error_given(folder: Path) -> None:
    path = folder / "hornik-2018.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("38.9, unit: L/h", "38.9, unit: L"), encoding="utf-8")
    with pytest.raises(KnowledgeError) as problem:
        load(path)
    shown = block("text").strip()
    assert str(problem.value).startswith(shown), str(problem.value)


def test_every_entry_in_the_tables_is_known() -> None:
    from limen.pharmacology.models.schema import Absorption, Arm, Model, Parameter, Way

    known = {*Model.model_fields, *Arm.model_fields, *Parameter.model_fields}
    known |= {*Absorption.model_fields, *Way.model_fields}
    rows = re.findall(r"^\| (`.*?`) \|", PAGE, flags=re.MULTILINE)
    named = {entry for row in rows for entry in re.findall(r"`(\w+)`", row)}
    assert named <= known
    # And nothing a file may hold is left out of the page.
    told = named | {"id", "title", "population", "sources", "arms", "analyte", "value", "source", "note"}
    told |= {"disputed_weight_exponent", "route", "ways", "speed"}
    assert known <= told
