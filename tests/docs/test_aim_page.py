"""The page on aiming, comparing and changing the route is followed to the letter."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from contracts.door import given

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "aim-compare-change-route.md").read_text(encoding="utf-8")
COMMANDS = [block.replace("\\\n", " ").strip() for block in re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)]


@pytest.fixture
def patient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = re.search(r"`(\{.*?\})`", PAGE, flags=re.DOTALL)
    assert found is not None
    (tmp_path / "patient.json").write_text(json.dumps(json.loads(found.group(1))), encoding="utf-8")
    monkeypatch.chdir(tmp_path)


def test_the_page_shows_all_three() -> None:
    assert [command.split()[1] for command in COMMANDS] == ["target", "target", "compare", "change-route"]


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.split()[1])
def test_each_command_answers(command: str) -> None:
    found = given(*shlex.split(command)[1:])
    assert found["flags"]
    assert found["unknown_inputs"] == []
    if "target" in command.split()[:2]:
        assert found["reached"] is True
        assert all(limit["used"] <= limit["limit"] * (1 + 1e-9) for limit in found["limits"])


@pytest.mark.usefixtures("patient")
def test_what_the_page_says_of_effects_percentiles_and_tables() -> None:
    base = shlex.split(COMMANDS[0])[1:]
    for more in (
        ["--statistic", "p95"],
        ["--ceiling", "ketamine_plasma_ng_per_mL@p95=250"],
        ["--steps", "12", "--every", "5 min"],
        ["--no-bolus"],
    ):
        found = given(*base, *more)
        assert found["reached"] or "target-not-reached" in {flag["code"] for flag in found["flags"]}
    effect = given(*base, "--output", "dissociation_pct", "--level", "30")
    assert effect["achieved"]["typical"] == pytest.approx(30, rel=0.1)
