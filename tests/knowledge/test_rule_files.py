"""The rule files: what they must hold, and what their reader refuses."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from limen.errors import KnowledgeError
from limen.evidence import Verification, sources
from limen.evidence.yaml import read_yaml
from limen.knowledge.conditions import All, AnyOf, Not, Presume, Threshold, parts
from limen.knowledge.index import claims
from limen.knowledge.inputs import inputs
from limen.knowledge.release import knowledge_release
from limen.knowledge.rules import CodeSet, Rule, code_sets, rules

DATA = resources.files("limen.knowledge") / "data"
ALLERGY: dict[str, Any] = {
    "id": "SEL-99",
    "title": "Allergy",
    "tiers": [
        {
            "level": "block",
            "when": {"kind": "equals", "input": "facts.ketamine_allergy", "to": [True]},
            "because": "Allergy: {ketamine_allergy}",
            "action": "Do not give",
            "sources": ["limen"],
            "verification": "P",
        }
    ],
}


def changed(**tier: Any) -> dict[str, Any]:
    return {**ALLERGY, "tiers": [{**ALLERGY["tiers"][0], **tier}]}


def test_the_pattern_is_a_rule() -> None:
    assert Rule.model_validate(ALLERGY).tiers[0].may_override == "medical-director"


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (changed(sources=[]), "at least one source"),
        (changed(sources=["nowhere-2020"]), "unknown source 'nowhere-2020'"),
        (changed(sources=["unsourced"], verification="V"), "no source that can be read"),
        (changed(verification=None), "verification"),
        (changed(because="Allergy: {weight_kg}"), "not an input of its condition"),
        (changed(because="Allergy: {"), "because"),
        (changed(when={"kind": "equals", "input": "facts.moon", "to": [True]}), "unknown input 'facts.moon'"),
        (changed(when={"kind": "python", "code": "True"}), "kind"),
        (changed(when={"kind": "threshold", "input": "vitals.sbp_mmHg", "compare": "near", "limit": 1}), "compare"),
        (changed(level="warn", override="prescriber"), "only a block or a hold"),
        (changed(colour="red"), "Extra inputs"),
        ({**ALLERGY, "tiers": []}, "without a tier"),
        ({**ALLERGY, "tiers": [{**ALLERGY["tiers"][0], "level": "warn"}, ALLERGY["tiers"][0]]}, "from block to info"),
    ],
)
def test_a_broken_rule_is_refused(broken: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(message)):
        Rule.model_validate(broken)


def test_a_broken_file_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "sets.yaml"
    path.write_text("id: aneurysm\ntitle: aneurysm\nsources: []\nverification: V\n", encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"sets\.yaml:1"):
        read_yaml(path, CodeSet)


def test_every_rule_id_of_the_reference_is_held() -> None:
    wanted = {f"SEL-{number:02}" for number in range(1, 32)}
    wanted |= {f"BAS-{number:02}" for number in range(1, 17)}
    wanted |= {f"INT-{number:02}" for number in range(1, 23)}
    assert wanted | {"DOSE-CONC"} <= set(rules())


def test_only_undiluted_and_mixed_syringes_have_no_override() -> None:
    without = {rule.id for rule in rules().values() for tier in rule.tiers if tier.may_override == "none"}
    assert without == {"DOSE-CONC", "INT-19-SYRINGE"}
    for rule in rules().values():
        for tier in rule.tiers:
            expected = {"block": "medical-director", "hold": "prescriber", "warn": None, "info": None}[tier.level]
            assert tier.may_override in {expected, "none"}


def test_every_limit_lies_in_the_range_of_its_input() -> None:
    for rule in rules().values():
        for tier in rule.tiers:
            for part in parts(tier.when):
                if isinstance(part, Threshold) and part.input in inputs():
                    spec = inputs()[part.input]
                    assert spec.low is not None
                    assert spec.high is not None
                    assert spec.low <= part.limit <= spec.high, (rule.id, part)


def test_every_choice_a_rule_names_is_one_the_input_allows() -> None:
    for rule in rules().values():
        for tier in rule.tiers:
            for part in parts(tier.when):
                if part.kind == "equals" and part.input in inputs():
                    spec = inputs()[part.input]
                    allowed = set(spec.choices) if spec.kind == "choice" else {True, False}
                    assert set(part.to) | set(part.unsettled) <= allowed, (rule.id, part)


def test_every_input_is_read_by_a_rule_or_known_to_be_for_planning_and_records() -> None:
    read = {
        key
        for rule in rules().values()
        for tier in rule.tiers
        for part in parts(tier.when)
        for key in (
            [part.input] if part.kind in {"threshold", "equals"} else part.any_of if part.kind == "unrecorded" else []
        )
    }
    unread = {key for key in inputs() if key not in read and key.startswith("facts.")}
    assert unread == {"facts.session_number", "facts.urine_drug_screen_text", "facts.ventilated"}


def test_conditions_nest_only_in_the_closed_set() -> None:
    nesting = (All, AnyOf, Not, Presume)
    depth = max(
        sum(isinstance(part, nesting) for part in parts(tier.when)) for rule in rules().values() for tier in rule.tiers
    )
    assert 0 < depth < 20


def test_no_pattern_of_a_code_set_matches_every_text() -> None:
    for item in code_sets().values():
        assert all(len(word) > 1 for word in (*item.words, *item.phrases)), item.id
        assert all(name == name.lower() for name in (*item.words, *item.phrases, *item.except_phrases)), item.id
        assert all(len(code) >= 3 for code in item.icd10), item.id


def test_unverified_values_carry_their_mark() -> None:
    marks = {claim.verification for claim in claims({"": DATA})}
    assert {mark.value for mark in Verification} >= {mark for mark in marks if mark}
    unverified = [claim for claim in claims({"": DATA}) if claim.verification == "M"]
    assert unverified


def test_every_source_of_selection_is_used() -> None:
    mine = {key for key in sources() if key.startswith("sel-")}
    used = {key for claim in claims({"": DATA}) for key in claim.sources}
    assert mine <= used


def test_the_release_names_the_day_and_the_files() -> None:
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}-[0-9a-f]{12}", knowledge_release())
