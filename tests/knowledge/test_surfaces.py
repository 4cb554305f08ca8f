"""Where knowledge comes out: every folder is listed once, every command named there is one, every topic is checked."""

from __future__ import annotations

from importlib import resources
from typing import Any

import pytest
import typer.main
from ruamel.yaml import YAML

from limen.care.dossier import dossier
from limen.cli.main import app
from limen.knowledge.lint import _loaders
from limen.knowledge.surfaces import Surface, surfaces

DATA = resources.files("limen.knowledge") / "data"


def test_every_folder_is_listed_once() -> None:
    entries = YAML(typ="safe").load((DATA / "surfaces.yaml").read_text(encoding="utf-8"))["surfaces"]
    listed = [entry["folder"] for entry in entries]
    assert sorted(listed) == sorted(set(listed))
    folders = {path.name for path in DATA.iterdir() if path.is_dir() and not path.name.startswith("_")}
    assert folders <= set(listed)


def test_what_reaches_no_command_is_read_on_a_screen_or_paper() -> None:
    assert {item.folder for item in surfaces().values() if not item.commands} == {"emergency"}


@pytest.mark.parametrize("item", surfaces().values(), ids=lambda item: item.folder)
def test_every_command_named_exists(item: Surface) -> None:
    top: Any = typer.main.get_command(app)
    for words in item.commands:
        command = top
        for word in words.split():
            assert word in command.commands, f"{item.folder}: limen {words}"
            command = command.commands[word]
        assert not hasattr(command, "commands"), f"{item.folder}: limen {words} is a group of commands"


def test_every_topic_is_read_by_the_check() -> None:
    names = {getattr(load, "__name__", "") for load in _loaders()}
    assert {"device_rules", "monitoring_form", "emergency_cards", "trial_rules", "course_rules", "surfaces"} <= names


def test_a_limit_a_phase_and_a_range_are_told_as_a_person_reads_them() -> None:
    told = dossier("TRD-IV")["claims_for"]
    assert "soft maximum (soft): at most 0.75 mg/kg. The highest dose reported as needed by responders." in told
    assert "acute: 6 sessions, 3 a week for 2 weeks" in told
    assert "0.1 to 0.75 mg/kg, usually 0.5" in told
    assert "2 to 100 min, usually 40" in told
