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
FOUND = ("block", "hold", "warn", "info")
# Assessments that must be on record: they are missing until they are, then passed; they never speak of a value.
ON_RECORD = {"BAS-02", "BAS-03", "BAS-05", "BAS-08", "BAS-09", "BAS-11", "BAS-12", "BAS-13", "BAS-14"}
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
        case "not-applicable":
            assert row["rule"] in result.not_applicable
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


def _role(row: dict[str, Any]) -> str:
    """Inside the limit, outside it, or with the input missing; a row says so itself where its outcome does not."""
    if "role" in row:
        return str(row["role"])
    return {"passed": "outside", "not-applicable": "outside", "missing": "missing"}.get(row["is"], "inside")


def test_the_table_names_only_rules_that_exist() -> None:
    assert {row["rule"] for row in TABLE} <= set(rules())
    assert {row["is"] for row in TABLE} <= {*FOUND, "passed", "not-applicable", "missing"}


@pytest.mark.parametrize("role", ["inside", "outside", "missing"])
def test_every_rule_has_a_case_inside_outside_and_missing(role: str) -> None:
    exempt = ON_RECORD if role == "inside" else set()
    without = set(rules()) - {row["rule"] for row in TABLE if _role(row) == role} - exempt
    assert not without, f"no case {role} in table.yaml"


def test_every_tier_of_every_rule_is_reached(screened: Run) -> None:
    reached = set()
    for row in TABLE:
        if row["is"] in FOUND:
            finding = next(item for item in screened(row["change"]).findings if item.rule == row["rule"])
            reached.add((finding.rule, finding.level, finding.action))
    wanted = {(rule.id, tier.level, tier.action) for rule in rules().values() for tier in rule.tiers}
    assert {tier for tier in wanted - reached if tier[0] not in ON_RECORD} == set()
