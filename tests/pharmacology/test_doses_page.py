"""The page on doses shows what the commands print."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from limen.cli import regimen as topic

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "doses-routes-and-records.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"```console\n\$ limen (.*?)\n(.*?)```", PAGE, flags=re.DOTALL)


def test_the_page_has_its_commands() -> None:
    assert len(SHOWN) == 3


@pytest.mark.parametrize(("command", "printed"), SHOWN)
def test_the_page_prints_what_the_command_prints(command: str, printed: str) -> None:
    app = typer.Typer()
    topic.register(app)

    @app.command()
    def other() -> None:
        """So that the group keeps its name."""

    result = CliRunner().invoke(app, shlex.split(command))
    assert result.exit_code == 0
    assert result.output == printed
