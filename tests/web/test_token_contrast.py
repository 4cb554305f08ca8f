"""Text and edges against their grounds, by the WCAG 2.2 formula: 4.5 for text, 3 for what can be pressed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SOURCE = (Path(__file__).parents[2] / "src/limen/clinic/static/limen/css/tokens.css").read_text(encoding="utf-8")


def block(selector: str) -> dict[str, str]:
    body = re.search(re.escape(selector) + r" \{(.*?)\n\}", SOURCE, re.S)
    assert body is not None, selector
    return dict(re.findall(r"(--[a-z0-9-]+):\s*(#[0-9a-f]{6});", body[1]))


COMMON = block(":root")
THEMES = {theme: COMMON | block(f'[data-theme="{theme}"]') for theme in ("day", "night")}


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_formula() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("theme", ["day", "night"])
@pytest.mark.parametrize("ground", ["--ground", "--surface", "--sunk"])
@pytest.mark.parametrize("ink", ["--ink", "--ink-2", "--ink-3", "--fc"])
def test_text_is_readable(theme: str, ground: str, ink: str) -> None:
    assert contrast(THEMES[theme][ink], THEMES[theme][ground]) >= 4.5


@pytest.mark.parametrize("theme", ["day", "night"])
@pytest.mark.parametrize("edge", ["--edge", "--focus", "--fc-line", "--fc-model-edge", "--fc-patient-edge"])
def test_edges_are_visible(theme: str, edge: str) -> None:
    assert contrast(THEMES[theme][edge], THEMES[theme]["--ground"]) >= 3


@pytest.mark.parametrize("priority", ["high", "medium", "low"])
def test_alarm_words_are_readable_on_their_fill(priority: str) -> None:
    assert contrast(COMMON[f"--alarm-{priority}"], COMMON[f"--on-alarm-{priority}"]) >= 4.5


def test_main_action_is_readable() -> None:
    for colours in THEMES.values():
        assert contrast(colours["--press"], colours["--on-press"]) >= 4.5
