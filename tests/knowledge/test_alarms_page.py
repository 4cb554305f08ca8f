"""The page on alarms and emergencies says the times of the rules and the words of the screens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from limen.knowledge.alarm_response import alarm_response

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "answer-alarms-and-emergencies.md").read_text(encoding="utf-8")
CLINIC = ROOT / "src" / "limen" / "clinic"
WHO = {
    "owner": "owner of the chair",
    "floor": "everyone on the floor",
    "prescriber": "prescriber",
    "medical-director": "medical director",
}


def test_the_table_is_the_ladder() -> None:
    rows = [line.strip("|").split("|") for line in PAGE.splitlines() if re.match(r"\| (high|medium) \|", line)]
    assert [row[0].strip() for row in rows] == [ladder.priority for ladder in alarm_response().escalation]
    for row, ladder in zip(rows, alarm_response().escalation, strict=True):
        said = [cell.strip() for cell in row[1:] if cell.strip()]
        wanted = [
            WHO[step.who] if step.after_s == 0 else f"{step.after_s:g} s: {WHO[step.who]}" for step in ladder.steps
        ]
        assert said == wanted


def test_the_time_of_a_call_that_no_screen_has_shown() -> None:
    assert f"none has within {alarm_response().undelivered_after_s:g} s" in PAGE


@pytest.mark.parametrize("label", re.findall(r"\*\*([A-Z][A-Za-z ]+)\*\*", PAGE))
def test_every_control_it_names_stands_on_a_screen(label: str) -> None:
    texts = [path.read_text(encoding="utf-8") for end in ("html", "js") for path in CLINIC.rglob(f"*.{end}")]
    assert any(label in text for text in texts if "uPlot" not in text[:200])
