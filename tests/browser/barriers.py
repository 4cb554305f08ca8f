"""What keeps somebody out of a page, as axe-core finds it."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")


def grave_barriers(page: Page, *, without: tuple[str, ...] = ()) -> list[str]:
    """Serious and critical barriers of the page as it stands; none where axe-core is not installed.

    ``without`` names rules that cannot judge this page, such as contrast where the system sets the colours.
    """
    if not AXE.is_file():
        return []
    page.evaluate(_axe())
    found: dict[str, Any] = page.evaluate("() => axe.run({resultTypes: ['violations']})")
    return [
        f"{item['id']} ({item['impact']}): {item['help']}, {node['target']} {node['html'][:160]}"
        for item in found["violations"]
        if item["impact"] in GRAVE and item["id"] not in without
        for node in item["nodes"]
    ]


@functools.cache
def _axe() -> str:
    return AXE.read_text(encoding="utf-8")
