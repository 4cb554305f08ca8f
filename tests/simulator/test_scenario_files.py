"""Whole sessions of virtual patients as YAML: what the rules must say of each is in the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from limen.errors import KnowledgeError
from limen.session.replay import replay
from limen.simulator.scenario import export_of, problems, read_scenario

FILES = sorted((Path(__file__).parents[1] / "scenarios").glob("*.yaml"))


def test_there_are_scenarios():
    assert len(FILES) >= 8


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_session_comes_out_as_its_file_says(path):
    scenario = read_scenario(path)
    result = replay(export_of(scenario))
    told = [(alarm["t_s"], alarm["condition"], alarm["priority"], alarm["kind"]) for alarm in result.alarms]
    assert problems(scenario, result) == [], told


def test_a_scenario_that_does_not_come_true_is_told(tmp_path):
    text = (FILES[0].read_text()).partition("expect:")[0]
    path = tmp_path / "wrong.yaml"
    path.write_text(
        text + "expect:\n  alarms: [{signal: TEMP}]\n  never: [{kind: technical}]\n"
        "  ready: true\n  state: {phase: planned}\n"
    )
    scenario = read_scenario(path)
    told = problems(scenario, replay(export_of(scenario)))
    assert len(told) >= 3
    assert "missing: signal TEMP" in told


def test_an_unknown_key_is_refused(tmp_path):
    path = tmp_path / "odd.yaml"
    path.write_text("title: x\nabout: y\nuntil: 1 min\nsession: {}\nweather: fine\n")
    with pytest.raises(KnowledgeError, match="weather"):
        read_scenario(path)
