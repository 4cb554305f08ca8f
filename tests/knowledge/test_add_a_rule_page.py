"""The page on adding a rule is followed to the letter."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from limen.care import history
from limen.care.case_json import case_from_json
from limen.care.screening import screen
from limen.errors import KnowledgeError
from limen.evidence import read_yaml
from limen.knowledge import rules as knowledge
from limen.knowledge.conditions import Condition, parts
from limen.knowledge.rules import Rule, Scope, Tier, code_sets, rules

HERE = Path(__file__).parents[1]
PAGE = (HERE.parent / "docs" / "how-to" / "add-a-rule.md").read_text(encoding="utf-8")
CLEAN = json.loads((HERE / "spec" / "screening" / "clean_trd.json").read_text(encoding="utf-8"))


def block(kind: str) -> str:
    (found,) = re.findall(rf"```{kind}\n(.*?)```", PAGE, flags=re.DOTALL)
    return str(found)


CASES: list[dict[str, Any]] = YAML(typ="safe").load(block("yaml cases"))


def _forget() -> None:
    for held in (rules, code_sets, history.sets_of, history._beginnings, history._patterns):
        held.cache_clear()


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The rule of the page, in its files beside the others."""
    (tmp_path / "conditions-own.yaml").write_text(block("yaml conditions"), encoding="utf-8")
    (tmp_path / "rules-own.yaml").write_text(block("yaml rule"), encoding="utf-8")
    shipped = knowledge._files

    def files(topic: str, prefix: str) -> list[Any]:
        own = (
            sorted(path for path in tmp_path.iterdir() if path.name.startswith(prefix)) if topic == "selection" else []
        )
        return [*shipped(topic, prefix), *own]

    monkeypatch.setattr(knowledge, "_files", files)
    _forget()
    yield tmp_path
    monkeypatch.undo()
    _forget()


@pytest.mark.parametrize("row", CASES, ids=lambda row: row["says"])
def test_a_case_of_the_page(row: dict[str, Any], added: Path) -> None:
    document = copy.deepcopy(CLEAN)
    for path, value in row["change"].items():
        group, _, name = path.partition(".")
        if path.endswith("+"):
            document[path[:-1]] = [*document[path[:-1]], *value]
        elif name:
            document[group][name] = value
        else:
            document[group] = value
    result = screen(case_from_json(document))
    found = {item.rule: item.level for item in result.findings}
    if row["is"] == "passed":
        assert "SEL-90" in {item.rule for item in result.passed}
    elif row["is"] == "missing":
        assert "SEL-90" in {item.rule for item in result.missing}
    else:
        assert found["SEL-90"] == row["is"]


def test_the_cases_are_inside_outside_missing_and_reach_every_tier(added: Path) -> None:
    assert {row["is"] for row in CASES} == {"passed", "missing", *(tier.level for tier in rules()["SEL-90"].tiers)}


def test_the_refusal_of_the_page_is_the_refusal_given(added: Path) -> None:
    path = added / "rules-own.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("facts.escort,", "facts.escrot,"), encoding="utf-8")
    with pytest.raises(KnowledgeError) as refusal:
        read_yaml(path, knowledge._RuleFile)
    assert str(refusal.value).startswith(block("text").strip()), str(refusal.value)
    assert "unknown input 'facts.escrot'" in str(refusal.value)


def test_every_entry_and_condition_of_the_page_is_known() -> None:
    fields = {name for model in (Rule, Tier, Scope) for name in model.model_fields}
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", PAGE, flags=re.MULTILINE)
    named = {entry for row in rows for entry in re.findall(r"`(\w+)`", row)}
    assert named <= fields
    assert set(Tier.model_fields) - named == {"scope"} - named
    (kinds,) = re.findall(r"closed set of conditions: (.*?) to join them", PAGE)
    used = {part.kind for rule in rules().values() for tier in rule.tiers for part in parts(tier.when)}
    known = {kind for model in _models() for kind in model.model_fields["kind"].annotation.__args__}
    assert set(re.findall(r"`([\w-]+)`", kinds)) == known
    assert used <= known


def _models() -> tuple[Any, ...]:
    union = Condition.__args__[0]  # type: ignore[attr-defined]
    return tuple(union.__args__)
