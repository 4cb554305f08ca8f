"""The page for nurses names what stands on the screens, word for word."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "run-the-floor.md"
SCREENS = (
    *(ROOT / "src" / "limen" / "clinic" / "static" / "limen" / "js").glob("*.js"),
    *(ROOT / "src" / "limen" / "clinic").glob("*/templates/**/*.html"),
)
# A button that says its chair: the page shows one chair's.
MADE = {"Take Chair 2": "Take ${seat}"}


def test_every_control_on_the_page_stands_on_a_screen() -> None:
    shown = "\n".join(path.read_text(encoding="utf-8") for path in SCREENS)
    named = set(re.findall(r"\*\*(.+?)\*\*", PAGE.read_text(encoding="utf-8")))
    assert len(named) > 20
    assert sorted(name for name in named if MADE.get(name, name) not in shown) == []
