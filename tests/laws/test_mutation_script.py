"""The mutation script: what it mutates exists, words alone are told from decisions, and its page holds its figures."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mutation", ROOT / "scripts" / "mutation.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["mutation"] = module
    spec.loader.exec_module(module)
    return module


def test_every_module_and_chapter_exists(script: ModuleType) -> None:
    for subject in script.SUBJECTS.values():
        for name in subject.modules:
            assert (ROOT / "src" / "limen" / "care" / f"{name}.py").is_file()
        for name in subject.chapters:
            assert (ROOT / "tests" / "spec" / name).is_dir()


@pytest.mark.parametrize(
    ("change", "only_words"),
    [
        ('-    raise InputError("no answer")\n+    raise InputError("XXno answerXX")', True),
        ('-    note = "No answer"\n+    note = "no answer"', True),
        ("-    if total >= cut:\n+    if total > cut:", False),
        ('-    status = "complete"\n+    status = None', False),
        ("-    a = 1\n-    b = 2\n+    a = 2\n+    b = 2", False),
    ],
)
def test_words_alone_are_no_decision(script: ModuleType, change: str, only_words: bool) -> None:
    assert script.of_words(change) is only_words


def test_the_page_holds_the_figures(script: ModuleType) -> None:
    change = "-    if total >= cut:\n+    if total > cut:"
    result = script.Result(
        "scoring", 200, 50, 20, survivors={"limen.care.scoring.x__flags__mutmut_3": change}, took_s=90
    )
    assert (result.killed, result.score_pct) == (19, 95)
    text = script.page([result], 1)
    assert "| 200 | 50 | 20 | 19 | 95 % |" in text
    assert "a random sample of each subject (seed 1)" in text
    assert "`scoring._flags`, survived:" in text
    assert "+    if total > cut:" in text


def test_a_copy_to_mutate_has_the_chapters_and_no_clinic(script: ModuleType, tmp_path: Path) -> None:
    script.workspace(tmp_path, script.SUBJECTS["scoring"])
    assert (tmp_path / "src" / "limen" / "care" / "scoring.py").is_file()
    assert not (tmp_path / "src" / "limen" / "clinic").exists()
    assert (tmp_path / "tests" / "spec" / "scales" / "table.yaml").is_file()
    assert "src/limen/care/totals.py" in (tmp_path / "pyproject.toml").read_text(encoding="utf-8")
