"""The page on adding a model is followed to the letter."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from limen.errors import KnowledgeError
from limen.evidence import cite
from limen.pharmacology import Dose, PatientProfile
from limen.pharmacology.models import load
from limen.pharmacology.simulate import simulate

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "add-a-model.md").read_text(encoding="utf-8")


def block(kind: str) -> str:
    found = re.findall(rf"```{kind}\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(found) == 1
    return str(found[0])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "heart-disease-2015.yaml").write_text(block("yaml model"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_source_on_the_page_is_the_source_on_file() -> None:
    assert cite("pk-heart-disease-2015").citation in PAGE


def test_the_file_on_the_page_obeys_physics(folder: Path) -> None:
    model = load(folder / "heart-disease-2015.yaml")
    result = simulate(model, [Dose(40, "iv")], PatientProfile(age_years=6, weight_kg=20), until_min=60_000)
    name = "ketamine_plasma_ng_per_mL"
    assert result.outputs[name].typical[0] == pytest.approx(40_000 / (57.3 * 20 / 70), rel=1e-9)
    area = result.summary[name].typical.auc_0_end_ng_h_per_mL
    assert area is not None
    assert area[0] == pytest.approx(40_000 / (60.6 * (20 / 70) ** 0.75), rel=1e-6)
    assert "typical-only" in {flag.code for flag in result.flags}


def test_the_program_on_the_page_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(block("python"), "add-a-model.md", "exec"), {})  # noqa: S102  # the page's own program
    assert float(capsys.readouterr().out) == pytest.approx(40_000 / (57.3 * 20 / 70), rel=1e-6)


def test_the_error_on_the_page_is_the_error_given(folder: Path) -> None:
    path = folder / "heart-disease-2015.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("60.6, unit: L/h", "60.6, unit: L"), encoding="utf-8")
    with pytest.raises(KnowledgeError) as problem:
        load(path)
    shown = block("text").strip()
    assert str(problem.value).startswith(shown), str(problem.value)


def test_every_entry_in_the_table_is_known() -> None:
    from limen.pharmacology.models.schema import Arm, Model, Parameter

    known = {*Model.model_fields, *Arm.model_fields, *Parameter.model_fields}
    rows = re.findall(r"^\| (`.*?`) \|", PAGE, flags=re.MULTILINE)
    named = {entry for row in rows for entry in re.findall(r"`(\w+)`", row)}
    assert named <= known
    assert {"product", "matrix", "studied", "dose_fraction", "verification"} <= named
