"""The page on drawing pictures: its code runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "draw-pictures.md"


@pytest.mark.slow
def test_the_page_s_code_draws_what_it_says() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks) == 4
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)  # noqa: S102  # the page's own code
    for name, words in (
        ("picture", "pause: 40 mmHg"),
        ("check", "seen: 12 patients"),
        ("learned", "of the width before"),
        ("drawn", "dose ends 0:40"),
    ):
        text = names[name].svg  # type: ignore[attr-defined]
        assert words in " ".join(ElementTree.fromstring(text).itertext())  # noqa: S314  # our own text
