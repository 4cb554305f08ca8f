"""Instruments and protocols as FHIR: valid by two libraries, and never with words that may not travel."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fhirclient.models.plandefinition import PlanDefinition
from fhirclient.models.questionnaire import Questionnaire

from contracts.door import limen, refused
from limen.interop.fhir.definitions import plan_definition, questionnaire
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
def test_a_plan_definition_is_valid_by_a_second_library(name: str) -> None:
    protocol = protocols()[name]
    made = plan_definition(protocol)
    PlanDefinition({key: value for key, value in made.items() if key != "contained"})
    assert [item["title"] for item in made["contained"]] == [step.title for step in protocol.steps]
    assert made["status"] == ("retired" if protocol.closed else "draft")
    for step, activity in zip(protocol.steps, made["contained"], strict=True):
        assert ("doseAndRate" in activity["dosage"][0]) == (step.amount.typical is not None)


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
    assert len(list(folder.iterdir())) == len(instruments()) + len(protocols())
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
