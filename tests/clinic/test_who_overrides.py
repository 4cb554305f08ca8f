"""Each block and hold of the rules has one kind of person who may decide against it, or nobody."""

from __future__ import annotations

import pytest

from limen.clinic.accounts.permissions import Permission
from limen.clinic.accounts.roles import ROLES
from limen.clinic.courses.overriding import needed
from limen.knowledge.rules import rules

TIERS = [(rule.id, tier) for rule in rules().values() for tier in rule.tiers]
NOBODY = {"DOSE-CONC", "INT-19-SYRINGE"}


@pytest.mark.parametrize(("rule", "tier"), TIERS, ids=[f"{rule} {tier.level}" for rule, tier in TIERS])
def test_who_may_override(rule: str, tier: object) -> None:
    level = tier.level  # type: ignore[attr-defined]
    asked = needed({"rule": rule, "level": level, "override": tier.may_override})  # type: ignore[attr-defined]
    by_level = {"block": Permission.OVERRIDE_BLOCK, "hold": Permission.OVERRIDE_HOLD}
    assert asked == (None if rule in NOBODY else by_level.get(level))


def test_a_block_is_the_directors_and_a_hold_a_prescribers() -> None:
    may = {name: role.permissions for name, role in ROLES.items()}
    assert {name for name, held in may.items() if Permission.OVERRIDE_BLOCK in held} == {"medical-director"}
    assert {name for name, held in may.items() if Permission.OVERRIDE_HOLD in held} == {
        "medical-director",
        "prescriber",
    }
