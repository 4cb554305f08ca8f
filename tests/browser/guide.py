"""The tutorial as the test reads it: its sections, and the controls that stand bold in each."""

from __future__ import annotations

import re
from pathlib import Path

HEADING = re.compile(r"^## \d+\. (.+)$", re.MULTILINE)
BOLD = re.compile(r"\*\*(.+?)\*\*")


class Guide:
    """Walks the sections in order. Each bold control must be used in its own section, and no other may be."""

    def __init__(self, page: Path) -> None:
        parts = HEADING.split(page.read_text(encoding="utf-8"))
        self.sections = dict(zip(parts[1::2], parts[2::2], strict=True))
        self.left = list(self.sections)
        self.title = ""
        self.named: set[str] = set()
        self.used: set[str] = set()

    def step(self, title: str) -> None:
        """Begin the next section; the one before must be done."""
        self.finish()
        assert self.left, f"the tutorial has no more sections, the test goes on with {title!r}"
        self.title = self.left.pop(0)
        assert self.title == title
        self.named, self.used = set(BOLD.findall(self.sections[title])), set()

    def use(self, label: str) -> None:
        """A control is about to be used."""
        assert label in self.named, f"{label!r} does not stand bold under {self.title!r}"
        self.used.add(label)

    def finish(self) -> None:
        """Every bold control of this section has been used."""
        assert self.named == self.used, f"{self.title!r} names what was not used: {sorted(self.named - self.used)}"

    def end(self) -> None:
        """The whole page has been followed."""
        self.finish()
        assert self.left == []
