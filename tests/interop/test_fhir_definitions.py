"""Instruments and protocols as FHIR: valid by two libraries, and never with words that may not travel."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fhirclient.models.activitydefinition import ActivityDefinition
from fhirclient.models.plandefinition import PlanDefinition
from fhirclient.models.questionnaire import Questionnaire

from contracts.door import limen, refused
from limen.interop.fhir.definitions import activity_definitions, plan_definition, questionnaire
from limen.knowledge.instruments import instruments
from limen.knowledge.protocols import protocols


@pytest.mark.parametrize("name", instruments())
def test_a_questionnaire_is_valid_by_a_second_library(name: str) -> None:
    instrument = instruments()[name]
    made = questionnaire(instrument)
    # fhirclient speaks FHIR 4.0.1 and raises on anything unknown or mistyped.
    Questionnaire(made)
    asked = [item for item in made["item"] if item["linkId"].startswith("q")]
    assert len([item for item in asked if "_" not in item["linkId"]]) == instrument.item_count
    texts = " ".join(item["text"] for item in asked)
    if instrument.wording is None:
        assert all("question" in item["text"] or "_" in item["linkId"] for item in asked), texts


@pytest.mark.parametrize("name", protocols())
def test_a_protocol_is_valid_by_a_second_library(name: str) -> None:
    protocol = protocols()[name]
    made, activities = plan_definition(protocol), activity_definitions(protocol)
    PlanDefinition(made)
    for activity in activities:
        ActivityDefinition(activity)
    assert made["status"] == ("retired" if protocol.closed else "draft")
    pointed = [action["definitionCanonical"] for action in made.get("action", []) if "definitionCanonical" in action]
    assert pointed == [f"{activity['url']}|{activity['version']}" for activity in activities]
    for step, activity in zip(protocol.steps, activities, strict=True):
        assert activity["title"].endswith(step.title)
        assert ("doseAndRate" in activity["dosage"][0]) == (step.amount.typical is not None)
    told = [action["title"] for action in made.get("action", [])]
    assert [title for title in told if title.startswith("Course: ")] == [f"Course: {p.phase}" for p in protocol.course]


def test_a_scale_with_words_counts_its_answers() -> None:
    phq = questionnaire(instruments()["PHQ-9"])
    often = phq["item"][0]["answerOption"][3]
    # LL358-3: nearly every day is LA6571-9 and counts 3.
    assert often["valueCoding"] == {"system": "http://loinc.org", "code": "LA6571-9", "display": "Nearly every day"}
    assert often["extension"][0]["valueDecimal"] == 3
    assert "Item 9 is never made up" in phq["description"]
    expression = phq["item"][-1]["extension"][0]["valueExpression"]["expression"]
    assert "count() = 9" in expression
    audit = questionnaire(instruments()["AUDIT-C"])
    assert audit["item"][1]["answerOption"][0]["valueCoding"]["display"] == "1 or 2"
    dast = questionnaire(instruments()["DAST-10"])
    assert "items 3 upside down" in dast["description"]
    assert "extension" not in dast["item"][-1]


def test_answers_that_differ_stand_as_they_are() -> None:
    audit = questionnaire(instruments()["AUDIT"])
    assert [row["valueInteger"] for row in audit["item"][8]["answerOption"]] == [0, 2, 4]
    dast = questionnaire(instruments()["DAST-10"])
    assert {item["type"] for item in dast["item"][:10]} == {"boolean"}
    assert questionnaire(instruments()["MoCA"])["item"] == [
        {
            "linkId": "total",
            "text": "Total",
            "type": "decimal",
            "readOnly": False,
            "code": [{"system": "http://loinc.org", "code": "72172-0"}],
        }
    ]


def test_export_freeze_and_diff(tmp_path: Path) -> None:
    folder, frozen = tmp_path / "fhir", tmp_path / "signed.json"
    done = limen("knowledge", "export", str(folder))
    assert (done.code, done.err) == (0, "")
    steps = sum(len(protocol.steps) for protocol in protocols().values())
    assert len(list(folder.iterdir())) == len(instruments()) + len(protocols()) + steps
    assert "something already" in refused("knowledge", "export", str(folder))
    assert limen("knowledge", "freeze", str(frozen)).code == 0
    assert "a file already" in refused("knowledge", "freeze", str(frozen))
    same = limen("knowledge", "diff", str(frozen), "--json").json()
    assert same["changes"] == []
    assert same["was"] == same["now"]

    signed: dict[str, Any] = json.loads(frozen.read_text(encoding="utf-8"))
    trd = signed["files"]["protocols/trd-iv.yaml"]
    trd["walls"][0]["limit"] = 0.5
    del trd["walls"][1]
    del signed["files"]["protocols/epi.yaml"]
    frozen.write_text(json.dumps(signed), encoding="utf-8")
    changed = limen("knowledge", "diff", str(frozen), "--json").json()["changes"]
    assert [(row["file"], row["where"], row["was"] is None, row["now"] is None) for row in changed] == [
        ("protocols/epi.yaml", "all of it", True, False),
        ("protocols/trd-iv.yaml", "walls.soft maximum.limit", False, False),
        ("protocols/trd-iv.yaml", "walls.hard maximum", True, False),
    ]
    assert "not a knowledge snapshot" in refused("knowledge", "diff", "-", stdin={"files": []})
