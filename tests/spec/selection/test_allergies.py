"""Allergies: asked and none, asked and listed, on record without being asked, and not asked at all."""

from __future__ import annotations

from typing import Any

import pytest

from limen.care.case_json import case_from_json
from limen.care.screening import screen
from limen.errors import InputError

BASE: dict[str, Any] = {"on": "2026-11-22", "indication": "trd", "product": "racemic", "route": "iv", "conditions": []}


def outcome(allergies: Any, by_hand: bool | None = None) -> str:
    """What SEL-01 makes of it."""
    case = case_from_json(BASE | {"allergies": allergies, "facts": {"ketamine_allergy": by_hand}})
    result = screen(case)
    if any(item.rule == "SEL-01" for item in result.findings):
        return "block"
    return "missing" if any(item.rule == "SEL-01" for item in result.missing) else "passed"


@pytest.mark.parametrize(
    ("allergies", "by_hand", "expected"),
    [
        (None, None, "missing"),  # nobody asked
        ([], None, "passed"),  # asked, none known
        (["penicillin"], None, "passed"),  # asked, another one
        (["ketamine"], None, "block"),
        (["Spravato (swelling)"], None, "block"),  # a brand
        (["ketamin"], None, "block"),  # a misspelling never lifts a risk
        (["ketorolac"], None, "passed"),  # begins alike, is another drug
        ([], True, "block"),  # a yes by hand stands
        (["esketamine"], False, "block"),  # a no by hand does not lift a name
        (None, False, "passed"),
    ],
)
def test_what_a_list_of_allergies_says_of_ketamine(allergies: Any, by_hand: bool | None, expected: str) -> None:
    assert outcome(allergies, by_hand) == expected


@pytest.mark.parametrize("allergies", ["none", ["  "], [3], {"none": True}])
def test_a_list_that_cannot_be_read_is_refused(allergies: Any) -> None:
    with pytest.raises(InputError, match="allergies"):
        case_from_json(BASE | {"allergies": allergies})
