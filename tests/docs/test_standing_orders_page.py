"""The page on standing orders is followed to the letter: its commands, what they print, the words on the screen."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
import typer
from typer.testing import CliRunner

from limen.cli import clinic as commands
from limen.clinic.accounts.actions import bootstrap_user
from limen.clinic.sites.actions import create_site
from limen.errors import LimenError

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "sign-standing-orders.md").read_text(encoding="utf-8")
SCREEN = (ROOT / "src/limen/clinic/sites/templates/sites/orders.html").read_text(encoding="utf-8")
BAR = (ROOT / "src/limen/clinic/web/templates/partials/bar.html").read_text(encoding="utf-8")


@pytest.fixture
def at_the_site(db: None, settings: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # type: ignore[attr-defined]
    monkeypatch.setattr(commands, "ready", lambda: None)
    with time_machine.travel("2026-11-22T09:00:00Z", tick=False):
        site = create_site(by="tests", name="Harbour Clinic")
        bootstrap_user(
            by="tests",
            site=site,
            username="dora-director",
            display_name="Dora Director",
            initials="DD",
            password="threshold-test",
            roles=["medical-director"],
        )
        yield


def dialogues() -> list[tuple[str, list[str]]]:
    """Each command of the page with the lines that it prints there."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"```console\n(.*?)```", PAGE, flags=re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


@pytest.mark.usefixtures("at_the_site")
def test_the_commands_print_what_the_page_says() -> None:
    assert len(dialogues()) == 4
    app = typer.Typer()
    commands.register(app)
    for command, printed in dialogues():
        done = CliRunner().invoke(app, shlex.split(command)[1:])
        told = str(done.exception) if isinstance(done.exception, LimenError) else done.stdout
        assert done.exception is None or isinstance(done.exception, LimenError), done.output
        for line in printed:
            assert line == "..." or line in told.splitlines(), (command, told)


def test_the_words_on_the_page_stand_on_the_screen() -> None:
    named = set(re.findall(r"\*\*(.+?)\*\*", PAGE))
    assert named == {"Orders", "Sign this order", "Withdraw"}
    assert all(name in SCREEN + BAR for name in named)
    assert "Changed, not usable" in SCREEN
