"""How a plan says what it found: by a claim on file, or by a rule of this project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limen.care.screening import Finding
from limen.evidence import Verification
from limen.knowledge.claim import Claim
from limen.knowledge.rules import Level, Override


def finding_of(
    rule: str,
    level: Level,
    title: str,
    because: str,
    asked: Mapping[str, Any],
    threshold: str,
    action: str,
    override: Override | None,
    claim: Claim,
) -> Finding:
    """A finding that rests on a claim of the knowledge files."""
    return Finding(
        rule=rule,
        level=level,
        title=title,
        because=because,
        input=asked,
        taken_on={},
        threshold=threshold,
        action=action,
        sources=claim.sources,
        verification=claim.verification,
        override=override,
    )


def own_finding(
    rule: str,
    level: Level,
    title: str,
    because: str,
    asked: Mapping[str, Any],
    threshold: str,
    action: str,
    override: Override,
) -> Finding:
    """A finding by a rule of this project."""
    claim = Claim(sources=("limen",), verification=Verification.CLINIC_RULE)
    return finding_of(rule, level, title, because, asked, threshold, action, override, claim)
