"""The reference manual holds every case of every chapter, whatever keys its tables have."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "tests" / "spec"


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|---|"]
    return "\n".join([*lines, *("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)]) + "\n"


@pytest.fixture(scope="module")
def manual() -> ModuleType:
    spec = importlib.util.spec_from_file_location("manual_pages", ROOT / "scripts" / "manual_pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["manual_pages"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(manual: ModuleType) -> dict[str, str]:
    return dict(manual.pages("NOTE", table))


def cases(tree: Any) -> int:
    """How many cases a file holds, in whatever shape: the mappings of its lists."""
    if isinstance(tree, list):
        return len(tree) if tree and all(isinstance(row, dict) for row in tree) else 0
    return sum(cases(value) for value in tree.values()) if isinstance(tree, dict) else 0


def test_every_chapter_has_a_page_in_the_list(pages: dict[str, str]) -> None:
    chapters = {path.name.replace("_", "-") for path in SPEC.iterdir() if path.is_dir() and path.name[0] != "_"}
    assert {f"manual/{name}.md" for name in chapters} | {"manual/README.md"} == set(pages)
    for name in chapters:
        assert f"]({name}.md): " in pages["manual/README.md"]


@pytest.mark.parametrize("path", sorted(SPEC.glob("*/*.yaml")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_case_of_a_file_is_a_row(path: Path, pages: dict[str, str]) -> None:
    text = pages[f"manual/{path.parent.name.replace('_', '-')}.md"]
    rows = sum(line.startswith("| ") for line in text.splitlines())
    held = cases(YAML(typ="safe").load(path.read_text(encoding="utf-8")))
    assert held > 0
    assert rows >= held


def test_a_rule_stands_with_what_it_does_and_its_three_kinds_of_case(pages: dict[str, str]) -> None:
    whole = pages["manual/screening.md"]
    section = whole[whole.index("### SEL-19") : whole.index("### SEL-20")]
    assert "- **hold** [" in section
    for side in ("inside", "outside", "input missing"):
        assert f"\n| {side} | " in section


def test_tables_that_stand_in_the_tests_are_read_without_running_them(pages: dict[str, str]) -> None:
    text = pages["manual/interactions.md"]
    # Clarithromycin by mouth, as its paper gives it.
    assert "| clarithromycin | po | s-ketamine | 2.6 | 3.6 |" in text
    assert "| ticlopidine | po | s-ketamine | 2.4 | not known |" in text


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        ([{"rule": "X-1", "says": "a", "is": "block"}, {"rule": "X-1", "says": "b", "is": "missing"}], "### X-1"),
        ({"limits": {"X-2": [{"value": 3, "tier": None}]}}, "| 3 | not known |"),
        ({"doses": [{"case": "one", "gives": {"mg": 1.5, "held": True}}]}, "| one | mg 1.5; held yes |"),
        ({"plain": {"a": 1, "b": [1, 2]}, "word": "yes"}, "| b | 1, 2 |"),
        (["one", "two"], "| two |"),
    ],
)
def test_any_shape_of_table_is_taken(manual: ModuleType, tree: Any, expected: str) -> None:
    assert expected in "\n".join(manual._of_tree(tree, table, 3))
