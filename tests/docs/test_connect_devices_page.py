"""The page on devices is followed to the letter, as far as that goes without a clinic."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from limen.cli.main import app, load_topics, main
from limen.devices.hl7_oru import read_header, read_oru
from limen.devices.stations import read_stations
from limen.simulator.scenario import read_scenario

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "connect-devices.md").read_text(encoding="utf-8")


def block(kind: str) -> str:
    (found,) = re.findall(rf"```{kind}\n(.*?)```", PAGE, flags=re.DOTALL)
    return str(found)


def commands() -> list[list[str]]:
    lines = [line for kind in ("listen", "sdc", "virtual", "trouble") for line in block(f"sh {kind}").splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("limen ")]


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["limen", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_every_option_on_the_page_is_one_of_its_command():
    load_topics()
    device = get_command(app).commands["device"]  # type: ignore[attr-defined]
    for words in commands():
        command = device.commands[words[1]]
        known = {name for option in command.params for name in option.opts}
        assert {word for word in words[2:] if word.startswith("--")} <= known, words
    assert len(commands()) == 6


def test_the_message_on_the_page_reads_as_the_page_says():
    reading = read_oru(read_header(block("hl7 message")))
    assert {value.signal: value.value for value in reading.values} == {"HR": 78.0, "TEMP": 37.0}
    assert reading.patient == "20401"
    assert "0011223344556677" in reading.senders
    assert reading.left == ()


def test_the_file_of_devices_on_the_page_is_read(tmp_path):
    path = tmp_path / "devices.yaml"
    path.write_text(block("yaml devices"))
    path.chmod(0o600)
    assert [station.device for station in read_stations(path)] == ["monitor-1", "pump-1"]


def test_the_scenario_on_the_page_comes_out_and_a_wrong_one_does_not(tmp_path, monkeypatch, capsys):
    path = tmp_path / "probe.yaml"
    path.write_text(block("yaml scenario"))
    assert run(monkeypatch, "device", "scenario", str(path)) == 0
    assert "SpO2: the sensor gives no value" in capsys.readouterr().out
    assert read_scenario(path).title == "The probe falls off"
    path.write_text(block("yaml scenario").replace("kind: technical", "kind: physiological"))
    assert run(monkeypatch, "device", "scenario", str(path)) == 2
    assert "missing: " in capsys.readouterr().err


@pytest.mark.parametrize("name", ["simulate", "trouble"])
def test_commands_that_need_no_clinic_run_as_they_stand(name, monkeypatch, capsys):
    (words,) = [words for words in commands() if words[1] == name]
    assert run(monkeypatch, *words) == 0
    assert capsys.readouterr().out.strip()
