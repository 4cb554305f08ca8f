"""``limen interactions``, ``protocols``, ``evidence show`` and ``knowledge check`` against their contracts."""

from __future__ import annotations

import re
from typing import Any

import pytest

from contracts.door import given, keys_present, limen, refused

LEVELS = {"block", "hold", "warn", "info"}


def interactions(route: str, *drugs: str) -> Any:
    return given("interactions", "--route", route, *drugs)


def test_every_drug_is_accounted_for() -> None:
    drugs = ("ticlopidine", "theophylline", "vitamin d", "moonwort")
    found = interactions("po", *drugs)
    keys_present(found, "route", "findings", "unknown", "no_finding")
    assert found["route"] == "po"
    assert {item["drug"] for item in found["findings"]} == {"ticlopidine", "theophylline"}
    assert (found["unknown"], found["no_finding"]) == (["moonwort"], ["vitamin d"])
    for item in found["findings"]:
        keys_present(item, "drug", "resolved", "rule", "level", "effect", "action", "sources")
        keys_present(item["effect"], "auc_ratio", "cmax_ratio")
        assert item["level"] in LEVELS
        assert item["sources"]


@pytest.mark.parametrize(
    ("route", "drug", "rule", "level", "auc_ratio", "cmax_ratio"),
    [
        ("po", "ticlopidine", "INT-01", "warn", 2.4, None),
        ("in", "ticlopidine", "INT-01", None, 1.29, 1.0),
        ("iv", "ticlopidine", "INT-01", "info", None, None),
        ("po", "grapefruit juice", "INT-02", "warn", 3.0, 2.1),
        ("po", "clarithromycin", "INT-02", "warn", 2.6, 3.6),
        ("iv", "clarithromycin", "INT-02", "info", None, None),
        ("po", "rifampicin", "INT-03", "warn", 0.14, None),
        ("iv", "rifampicin", "INT-03", "warn", 0.86, None),
        ("po", "St John's wort", "INT-03", "warn", 0.42, 0.34),
        ("iv", "theophylline", "INT-06", "block", None, None),
        ("iv", "aminophylline", "INT-06", "block", None, None),
        ("iv", "levothyroxine", "INT-07", "warn", None, None),
        ("iv", "lithium", "INT-14", "info", None, None),
        ("iv", "naltrexone", "INT-12", "warn", None, None),
    ],
)
def test_what_the_reference_says(
    route: str, drug: str, rule: str, level: str | None, auc_ratio: float | None, cmax_ratio: float | None
) -> None:
    """Sizes and levels of section 5 of the clinical reference; a size not read is null, never 1."""
    found = next(item for item in interactions(route, drug)["findings"] if item["rule"] == rule)
    assert level is None or found["level"] == level
    assert (found["effect"]["auc_ratio"], found["effect"]["cmax_ratio"]) == (auc_ratio, cmax_ratio)


@pytest.mark.parametrize("name", ["Theophylline", " theophylline ", "theophylline 200 mg"])
def test_a_drug_as_people_write_it(name: str) -> None:
    assert interactions("iv", name)["findings"][0]["rule"] == "INT-06"


def test_a_drug_without_a_name_is_refused() -> None:
    assert "name" in refused("interactions", "--route", "iv", "lithium", " ")


def test_protocols() -> None:
    rows = given("protocols", "list")
    assert "TRD-IV" in {row["id"] for row in rows}
    for row in rows:
        keys_present(row, "id", "title", "indication", "product", "route", "settings", "status")
        assert row["product"] in {"racemic", "s-ketamine", "esketamine-nasal"}
        assert set(row["settings"]) <= {"clinic", "palliative", "emergency", "anaesthesia", "intensive-care", "home"}
        shown = given("protocols", "show", row["id"])
        assert (shown["id"], shown["product"], shown["route"]) == (row["id"], row["product"], row["route"])
    line = refused("protocols", "show", "NO-SUCH")
    assert "NO-SUCH" in line
    assert "TRD-IV" in line


@pytest.mark.parametrize("name", ["SEL-03", "SEL-04", "INT-06", "MON-1", "DIS-5", "TRD-IV", "PHQ-9", "domino"])
def test_evidence(name: str) -> None:
    found = given("evidence", "show", name)
    keys_present(found, "id", "title", "verification", "claims_for", "claims_against", "sources", "used_by")
    assert found["id"] == name
    assert found["verification"] in {"V", "V2", "M", "P", "D"}
    assert found["sources"]
    for source in found["sources"]:
        keys_present(source, "key", "citation", "doi", "grade")


def test_what_rests_on_a_source() -> None:
    source = given("evidence", "show", "SEL-04")["sources"][0]["key"]
    assert "SEL-04" in given("evidence", "show", source)["used_by"]


def test_evidence_against_is_shown() -> None:
    assert given("evidence", "show", "TRD-IV")["claims_against"]


def test_the_knowledge_is_whole() -> None:
    found = given("knowledge", "check")
    assert found["problems"] == []
    assert re.match(r"^\d{4}-\d{2}-\d{2}-[0-9a-f]+$", found["release"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("interactions", "--route", "iv", "lithium"),
        ("protocols", "list"),
        ("protocols", "show", "TRD-IV"),
        ("models", "list"),
        ("models", "show", "domino"),
        ("evidence", "show", "SEL-04"),
        ("knowledge", "check"),
    ],
    ids=" ".join,
)
def test_in_words(arguments: tuple[str, ...]) -> None:
    done = limen(*arguments)
    assert (done.code, done.err) == (0, "")
    assert done.out.strip()
