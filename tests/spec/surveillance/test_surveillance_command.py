"""``limen surveillance``: JSON in and out, and bad input in one line."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.door import given, refused

WEEKLY = {
    "on": "2026-03-30",
    "patient": {"age_years": 42, "sex": "female"},
    "sessions": [{"on": f"2026-01-{day:02}", "dose_mg": 35} for day in (5, 8, 12, 15, 19, 22)],
    "done": {"BAS-12": "2026-01-05", "BAS-02": "2026-03-01"},
    "signs": {"alt_xULN": 3.2, "bilirubin_xULN": 2.1, "shoe_size": 42},
    "colour": "blue",
}


def test_what_is_due_the_gravest_first() -> None:
    found = given("surveillance", "-", stdin=WEEKLY)
    assert found["on"] == "2026-03-30"
    assert found["unknown_inputs"] == ["colour", "signs.shoe_size"]
    assert [(item["rule"], item["level"]) for item in found["due"]][:3] == [
        ("AE-LIV", "stop"),
        ("BAS-06", "overdue"),
        ("BAS-03", "overdue"),
    ]
    by_rule = {item["rule"]: item for item in found["due"]}
    assert by_rule["BAS-12"]["on"] == "2026-02-02"
    assert "BAS-02" not in by_rule
    assert all(item["sources"] and item["verification"] for item in found["due"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"on": None}, ("on", "YYYY-MM-DD")),
        ({"on": "30.3.2026"}, ("on", "YYYY-MM-DD")),
        ({"sessions": [{"on": "2026-04-01"}]}, ("sessions.0.on", "2026-03-30 or earlier")),
        ({"sessions": [{"on": "2026-01-05", "dose_mg": -1}]}, ("sessions.0.dose_mg", "0")),
        ({"sessions": {"on": "2026-01-05"}}, ("sessions", "a list")),
        ({"done": {"BAS-99": "2026-01-05"}}, ("done", "BAS-02")),
        ({"signs": {"alt_xULN": "high"}}, ("signs.alt_xULN", "a number")),
        ({"signs": {"urinary_symptoms": "yes"}}, ("signs.urinary_symptoms", "true, false or null")),
        ({"patient": {"age_years": 400}}, ("patient.age_years", "120")),
    ],
)
def test_bad_input_is_one_clear_line(change: dict[str, Any], words: tuple[str, ...]) -> None:
    line = refused("surveillance", "-", stdin=WEEKLY | change)
    assert all(word in line for word in words), line
