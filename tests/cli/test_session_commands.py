"""``limen session``: a file checked, replayed and printed; every refusal one line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from limen.cli import main as door
from limen.session.black_box import sealed
from limen.session.replay import replay

SESSION: dict[str, Any] = {
    "schema": 1,
    "session": {"protocol": "TRD-IV"},
    "started_at": "2026-11-19T08:00:00+00:00",
    "zone": "Europe/Berlin",
    "events": [
        {"t_s": 0, "kind": "session.started", "id": "e0"},
        {"t_s": 60, "kind": "infusion.started", "id": "e1", "dose_mg": 35, "duration_min": 40},
        {"t_s": 70, "kind": "observation.recorded", "id": "e2", "sbp_mmHg": 131, "dbp_mmHg": 80, "by": "D. Kessel"},
    ],
    "samples": [{"t_s": t, "signal": "SPO2", "value": 91 if t > 100 else 97} for t in range(120)],
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "S.json"
    path.write_text(json.dumps(sealed({**SESSION, "alarms": [dict(alarm) for alarm in replay(SESSION).alarms]})))
    return path


class Result(NamedTuple):
    """What a user gets: the exit code, standard output and standard error."""

    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def call(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["limen", "session", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            door.main()
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Result(int(left.value.code or 0), captured.out, captured.err)

    return call


def edited(file: Path, **change: Any) -> Path:
    value = json.loads(file.read_text())
    value["events"][2] |= change
    path = file.with_name("E.json")
    path.write_text(json.dumps(value))
    return path


def test_a_whole_file_is_checked_in_two_lines(run: Run, file: Path) -> None:
    result = run("check", file)
    assert result.code == 0
    assert result.out.splitlines() == [
        "The seal fits: this file is as it was exported.",
        "The replay raises the alarms that were recorded, 1 of 1.",
    ]


def test_an_edited_file_is_told_by_check_and_by_replay(run: Run, file: Path) -> None:
    path = edited(file, sbp_mmHg=191)
    told = "The seal does not fit, the file was changed: event e2 (observation.recorded) was changed."
    result = run("check", path)
    assert result.code == 2
    assert result.out.splitlines()[0] == told
    result = run("replay", path, "--json")
    assert result.code == 0
    assert result.err.splitlines()[0] == told
    assert "replayed, not recorded: Systolic 191 mmHg" in result.err
    record = json.loads(result.out)["record"]
    assert (record["seal"], record["alarms_same"]) == ("does not fit", False)


def test_a_file_that_no_longer_replays_is_one_line_that_says_it_was_edited(run: Run, file: Path) -> None:
    result = run("check", edited(file, sbp_mmHg=-4))
    assert result.code == 2
    assert "The seal does not fit" in result.err
    assert "-4" in result.err


@pytest.mark.parametrize("command", ["check", "replay"])
@pytest.mark.parametrize("events", [["x"], [None], [[]], 5, "x", {"a": 1}, True])
def test_a_sealed_file_whose_events_are_none_is_refused_in_words(
    run: Run, file: Path, events: object, command: str
) -> None:
    path = file.with_name("X.json")
    path.write_text(json.dumps({**json.loads(file.read_text()), "events": events}))
    result = run(command, path)
    assert result.code == 2
    assert "The seal does not fit" in result.err
    assert "events" in result.err.splitlines()[-1]
    assert "allowed: " in result.err.splitlines()[-1]


@pytest.mark.parametrize("alarm", [{"id": [], "t_s": 5, "because": "x"}, {"id": "a", "t_s": "x", "because": "x"}, 5])
def test_recorded_alarms_that_are_none_are_not_held_against_the_replay(run: Run, file: Path, alarm: object) -> None:
    path = file.with_name("X.json")
    path.write_text(json.dumps({**json.loads(file.read_text()), "alarms": [alarm]}))
    result = run("check", path)
    assert result.code == 2
    assert "the recorded alarms changed" in result.out
    assert "No recorded alarms" in result.out


def test_the_note_and_its_figure_are_written_the_same_every_time(run: Run, file: Path, tmp_path: Path) -> None:
    for ending in ("pdf", "svg"):
        first, second = tmp_path / f"a.{ending}", tmp_path / f"b.{ending}"
        assert run("note", file, "--out", first).code == 0
        assert run("note", file, "--out", second).code == 0
        assert first.read_bytes() == second.read_bytes()
    assert "Europe/Berlin (UTC+01:00)" in (tmp_path / "a.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--out", "note.txt"), "a name ending in .pdf"),
        (("--out", "note.svg", "--zone", "Moon"), "no time zone 'Moon'"),
        (("--out", "note.svg", "--zone", "../etc"), "no time zone"),
        (("--out", "note.svg", "--started-at", "yesterday"), "is no moment"),
        (("--out", "note.svg", "--started-at", "2026-11-19T08:00:00"), "is no moment"),
        (("--out", "/no/such/folder/note.svg"), "cannot write the file"),
    ],
)
def test_what_cannot_be_printed_is_refused(run: Run, file: Path, arguments: tuple[str, ...], words: str) -> None:
    result = run("note", file, *arguments)
    assert result.code != 0
    assert words in result.err
    assert len(result.err.splitlines()) == 1
    assert not Path("note.svg").exists()


def test_a_session_without_anything_has_no_figure(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "empty.json"
    path.write_text('{"session": {}, "events": []}')
    result = run("note", path, "--out", tmp_path / "x.svg")
    assert "nothing was seen or given" in result.err
    assert not (tmp_path / "x.svg").exists()
