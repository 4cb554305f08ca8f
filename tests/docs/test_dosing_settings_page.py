"""The page on a site's own limits is followed to the letter: its command, what it prints, the words on the screen."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from limen.cli import clinic as commands
from limen.clinic.sites.actions import create_site
from limen.clinic.sites.dosing import dosing_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "set-a-sites-own-limits.md").read_text(encoding="utf-8")
SITES = ROOT / "src/limen/clinic/sites/templates/sites"
SCREENS = "".join(path.read_text(encoding="utf-8") for path in SITES.glob("*.html"))
BAR = (ROOT / "src/limen/clinic/web/templates/partials/bar.html").read_text(encoding="utf-8")


def test_the_command_prints_what_the_page_says(db: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(commands, "ready", lambda: None)
    monkeypatch.chdir(tmp_path)
    site = create_site(by="tests", name="Harbour Clinic")
    declared = re.search(r"```json site\n(.*?)```", PAGE, flags=re.DOTALL)
    console = re.search(r"```console\n\$ (.*?)\n(.*?)```", PAGE, flags=re.DOTALL)
    assert declared is not None
    assert console is not None
    (tmp_path / "site.json").write_text(declared[1], encoding="utf-8")
    app = typer.Typer()
    commands.register(app)
    done = CliRunner().invoke(app, shlex.split(console[1])[1:])
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == console[2].splitlines()
    assert [item.name for item in dosing_of(site).limits] == ["forty here", "a gram"]


def test_the_words_on_the_page_stand_on_the_screen() -> None:
    named = set(re.findall(r"\*\*(.+?)\*\*", PAGE))
    assert len(named) == 7
    missing = {name for name in named if name not in SCREENS + BAR}
    assert missing == set()
