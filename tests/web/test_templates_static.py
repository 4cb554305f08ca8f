"""What no template, script or style sheet of ours may hold: the strict policy of the server would break it, or a
colour would lose its one meaning."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLINIC = ROOT / "src" / "limen" / "clinic"
STATIC = CLINIC / "static" / "limen"
TEMPLATES = sorted(CLINIC.rglob("templates/**/*.html"))
SCRIPTS = sorted(STATIC.rglob("*.js"))
SHEETS = sorted(STATIC.rglob("*.css"))

HEX = re.compile(r"#(?:[0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})\b(?!-)")
COLOUR = re.compile(r"\b(?:rgba?|hsla?|oklch|color-mix)\(")


def name(path: Path) -> str:
    return str(path.relative_to(CLINIC))


def spoken(source: str) -> str:
    """A template without its comments and tags, whose anchors and filters may look like colours."""
    return re.sub(r"\{[#%{].*?[#%}]\}", "", source, flags=re.S)


def inline(source: str) -> list[str]:
    """Inline scripts, styles and handlers. A data block (type application/json) is not a script."""
    found = re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", source)
    found += re.findall(r"<style\b|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|javascript:", source)
    return found


def colours(source: str) -> list[str]:
    return HEX.findall(re.sub(r"(?:href|id|for|url)=?[\"'(]+#[^\"')]*", "", source)) + COLOUR.findall(source)


def test_there_is_something_to_check() -> None:
    assert len(TEMPLATES) > 20
    assert len(SCRIPTS) >= 4
    assert len(SHEETS) >= 6


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_no_inline_script_or_style(path: Path) -> None:
    assert inline(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", [*TEMPLATES, *SCRIPTS], ids=name)
def test_no_colour_outside_the_tokens(path: Path) -> None:
    assert colours(spoken(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", [sheet for sheet in SHEETS if sheet.name != "tokens.css"], ids=name)
def test_style_sheets_take_colours_from_the_tokens(path: Path) -> None:
    assert HEX.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_nothing_is_marked_safe_by_hand(path: Path) -> None:
    assert re.findall(r"\|\s*safe\b|autoescape off", path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_every_posting_form_carries_its_token(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    if path.parts[-3:-1] == ("allauth", "elements"):
        return  # the token comes in with the body slot
    for form in re.findall(r"<form\b[^>]*method=\"post\".*?</form>", source, flags=re.S | re.I):
        assert "csrf_token" in form, form[:80]


@pytest.mark.parametrize("path", [*TEMPLATES, *SHEETS, *SCRIPTS], ids=name)
def test_nothing_is_fetched_from_elsewhere(path: Path) -> None:
    source = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert re.findall(r"https?://|[\"'(]//[a-z]", source) == []


def test_every_token_used_is_defined() -> None:
    tokens = set(re.findall(r"(--[a-z0-9-]+)\s*:", (STATIC / "css" / "tokens.css").read_text(encoding="utf-8")))
    for sheet in SHEETS:
        source = sheet.read_text(encoding="utf-8")
        local = set(re.findall(r"(--[a-z0-9-]+)\s*:", source))
        bare = {used for used, fallback in re.findall(r"var\((--[a-z0-9-]+)(,)?", source) if not fallback}
        assert bare - tokens - local == set(), sheet.name


def test_both_themes_define_the_same_tokens() -> None:
    source = (STATIC / "css" / "tokens.css").read_text(encoding="utf-8")
    day, night = (
        set(re.findall(r"(--[a-z0-9-]+)\s*:", re.search(rf'\[data-theme="{theme}"\] \{{(.*?)\n\}}', source, re.S)[1]))
        for theme in ("day", "night")
    )
    assert day == night


def test_the_law_sees_what_it_forbids() -> None:
    assert inline('<p style="color:red">') != []
    assert inline("<script>1</script>") != []
    assert inline("<button onclick='go()'>") != []
    assert inline('<script src="a.js"></script><script type="application/json">{}</script>') == []
    assert colours('<path fill="#e0202f"/>') == ["#e0202f"]
    assert colours('<a href="#consent">') == []


@pytest.mark.parametrize("path", SHEETS, ids=name)
def test_no_selector_swallows_a_rule(path: Path) -> None:
    """An edit that lands inside a selector list goes unseen by every browser: it drops the rule in silence."""
    source = re.sub(r"/\*.*?\*/", "/**/", path.read_text(encoding="utf-8"), flags=re.S)
    assert source.count("{") == source.count("}")
    assert re.findall(r",\s*/\*\*/|,\s*[{}]", re.sub(r"\{[^{}]*\}", "{}", source)) == []
    assert re.findall(r"^[ \t]*\.[^{;]*;", re.sub(r"\{[^{}]*\}", "{}", source), flags=re.M) == []
