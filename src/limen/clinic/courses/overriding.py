"""Who may decide against which finding, and which decisions still stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from limen.clinic.accounts.permissions import Permission
from limen.clinic.courses.models import Override, ScreeningResult

_BY_LEVEL = {"block": "medical-director", "hold": "prescriber"}
_PERMISSIONS = {"medical-director": Permission.OVERRIDE_BLOCK, "prescriber": Permission.OVERRIDE_HOLD}


def needed(finding: Mapping[str, Any]) -> Permission | None:
    """The permission to override a finding; none where nobody may, or where there is nothing to override."""
    who = finding.get("override") or _BY_LEVEL.get(str(finding["level"]))
    return _PERMISSIONS.get(str(who))


def standing(screening: ScreeningResult, findings: Iterable[Mapping[str, Any]]) -> list[Override]:
    """The overrides of this day that decide against a finding exactly as it reads now.

    Another day, or another reading, needs another decision: nothing is carried forward.
    """
    today = list(Override.objects.filter(course=screening.course, on=screening.on).select_related("user"))
    reads = {(finding["rule"], finding["level"], finding["because"]) for finding in findings}
    return [row for row in today if (row.rule, row.level, row.because) in reads]


def waived(findings: Iterable[Mapping[str, Any]], overrides: Iterable[Override]) -> list[str]:
    """The rules of which every block and hold has been decided against.

    A rule may speak twice, as a hold and as a block: a decision against the one says nothing about the other.
    """
    decided = {(row.rule, row.level, row.because) for row in overrides}
    open_rules, closed_rules = set(), []
    for finding in findings:
        if finding["level"] not in _BY_LEVEL:
            continue
        if (finding["rule"], finding["level"], finding["because"]) in decided:
            closed_rules.append(finding["rule"])
        else:
            open_rules.add(finding["rule"])
    return [rule for rule in dict.fromkeys(closed_rules) if rule not in open_rules]
