"""Each rule just inside its limit, just outside, and with its input missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from limen.care.screening import Screening
from limen.knowledge.rules import rules

TABLE: list[dict[str, Any]] = YAML(typ="safe").load((Path(__file__).parent / "table.yaml").read_text(encoding="utf-8"))
# Rules that a missing input cannot leave open: they turn on the request, the setting or a count that starts at none.
NEVER_MISSING = {"SEL-31", "SETTING-HOME", "SE", "EPI", "DOSE-CONC", "INT-19-SYRINGE"}
# Assessments that must be on record: missing until they are, then passed.
NEVER_FOUND = {"BAS-02", "BAS-03", "BAS-05", "BAS-08", "BAS-09", "BAS-11", "BAS-12", "BAS-13", "BAS-14"}
# Rules that hold wherever they bear.
NEVER_PASSED = {"SETTING-HOME", "SE", "EPI"}
Run = Callable[[dict[str, Any]], Screening]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row['rule']}: {row['says']}")
def test_rule(row: dict[str, Any], screened: Run) -> None:
    result = screened(row["change"])
    found = {finding.rule: finding for finding in result.findings}
    missing = [item for item in result.missing if item.rule == row["rule"]]
    passed = [item.rule for item in result.passed]
    match row["is"]:
        case "passed":
            assert row["rule"] in passed, found.get(row["rule"]) or missing
        case "missing":
            assert missing, found.get(row["rule"]) or passed
            assert any(row.get("why", "") in item.why for item in missing)
        case level:
            assert row["rule"] in found, missing or passed
            finding = found[row["rule"]]
            assert finding.level == level
            assert row.get("action", "") in finding.action
            if "override" in row:
                assert finding.override == row["override"]
            assert finding.sources
            assert "{" not in finding.because


def _ways(kind: str) -> set[str]:
    levels = {"block", "hold", "warn", "info"}
    return {row["rule"] for row in TABLE if (row["is"] in levels if kind == "found" else row["is"] == kind)}


def test_the_table_names_only_rules_that_exist() -> None:
    assert {row["rule"] for row in TABLE} <= set(rules())


@pytest.mark.parametrize(
    ("kind", "exempt"), [("found", NEVER_FOUND), ("passed", NEVER_PASSED), ("missing", NEVER_MISSING)]
)
def test_every_rule_is_tried(kind: str, exempt: set[str]) -> None:
    assert set(rules()) - _ways(kind) - exempt == set()


def test_every_tier_of_every_rule_is_reached() -> None:
    reached = {(row["rule"], row["is"]) for row in TABLE}
    wanted = {(rule.id, tier.level) for rule in rules().values() for tier in rule.tiers if rule.id not in NEVER_FOUND}
    assert wanted - reached == set()
