"""``limen validate`` as a person and a program call it, and the pages that are made from it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from limen.cli import main as door
from limen.errors import InputError
from limen.pharmacology.validation.comparison import Checked, Comparison, compare, report, verify
from limen.pharmacology.validation.observations import checks, chosen, rows
from limen.reports.validation_page import pages

DOCS = Path(__file__).parents[2] / "docs" / "validation"
# A number with its sign; what it may differ by across machines is allowed for, the words are not.
NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?")


def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str, str]:
    import typer

    monkeypatch.setattr(door, "app", typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False))
    monkeypatch.setattr(door, "TOPICS", ("validate", "pharmacology"))
    monkeypatch.setattr(sys, "argv", ["limen", *arguments])
    with pytest.raises(SystemExit) as stop:
        door.main()
    captured = capsys.readouterr()
    return int(stop.value.code or 0), captured.out, captured.err


def test_json_is_a_list_of_whole_entries(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, err = call(capsys, monkeypatch, "validate", "--json", "--only", "3", "--only", "E3")
    found = json.loads(out)
    assert (code, err) == (0, "")
    first, last = found[0], found[-1]
    wanted = {"kind", "id", "what", "observed", "by", "predicted", "ratio", "status", "why", "verification", "sources"}
    assert all(set(entry) >= wanted for entry in found)
    assert first["observed"]["spread"] == {"kind": "ci95", "value": None, "low": 259.0, "high": 287.0}
    assert set(first["predicted"]) >= {"median", "typical", "p05", "p95", "unit", "spread"}
    assert {entry["status"] for entry in found} <= {"pass", "miss", "not-answerable"}
    assert (last["id"], last["by"], last["predicted"], last["status"]) == ("E3", None, None, "not-answerable")


def test_the_code_s_own_numbers_are_entries_of_the_same_shape() -> None:
    (check,) = [item for item in checks() if item.model == "hijazi-2003"]
    (entry,) = report([], list(verify([check])))
    assert (entry["kind"], entry["by"], entry["status"]) == ("implementation", "hijazi-2003", "pass")
    assert entry["observed"]["value"] == 225
    assert entry["ratio"] == pytest.approx(1, abs=0.01)


def test_a_miss_is_no_error_and_is_shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A venous model cannot show an arterial peak."""
    code, out, _ = call(capsys, monkeypatch, "validate", "--only", "3")
    assert code == 0
    assert "MISS" in out
    assert "arterial blood against a" in " ".join(out.split())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--only", "99"], "no observation '99'"),
        (["--only", "3", "--write-docs", "x"], "the page holds every observation"),
    ],
)
def test_a_bad_call_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    code, out, err = call(capsys, monkeypatch, "validate", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert says in err


def test_only_takes_rows_in_the_order_of_the_list() -> None:
    assert [row.id for row in chosen(["e7", "2"])] == ["2", "E7"]
    with pytest.raises(InputError, match="no observation"):
        chosen(["E18"])


@pytest.fixture(scope="module")
def everything() -> tuple[list[Comparison], list[Checked], dict[str, str]]:
    found, checked = list(compare(rows())), list(verify(checks()))
    return found, checked, pages(found, checked)


@pytest.mark.slow
def test_every_row_has_a_result(everything: tuple[list[Comparison], list[Checked], dict[str, str]]) -> None:
    found, _, _ = everything
    assert {item.row.id for item in found} == {row.id for row in rows()}
    unanswered = [item for item in found if item.answer is not None and item.verdict is None]
    assert [(item.row.id, item.answer and item.answer.by, item.why_not) for item in unanswered] == []


@pytest.mark.slow
def test_the_story_tells_every_miss_and_no_other(
    everything: tuple[list[Comparison], list[Checked], dict[str, str]],
) -> None:
    found, _, made = everything
    table = made["README.md"].split("## What misses, and why")[1].split("##")[0]
    told = {
        row.strip()
        for line in table.splitlines()
        if re.match(r"\| E?\d", line)
        for row in line.split("|")[1].split(":")[0].split(",")
    }
    assert told == {item.row.id for item in found if item.status == "miss"}


@pytest.mark.slow
def test_the_pages_are_what_the_engine_says(
    everything: tuple[list[Comparison], list[Checked], dict[str, str]],
) -> None:
    """Run ``limen validate --write-docs docs/validation`` where this fails."""
    _, _, made = everything
    for name, text in made.items():
        written = (DOCS / name).read_text(encoding="utf-8")
        assert NUMBER.sub("#", written) == NUMBER.sub("#", text), name
        for old, new in zip(NUMBER.findall(written), NUMBER.findall(text), strict=True):
            assert float(old) == pytest.approx(float(new), rel=0.02, abs=0.02), name


@pytest.mark.slow
def test_the_pictures_are_small_and_every_one_is_shown(
    everything: tuple[list[Comparison], list[Checked], dict[str, str]],
) -> None:
    _, _, made = everything
    pictures = {name for name in made if name.endswith(".svg")}
    assert pictures == set(re.findall(r"\(([\w-]+\.svg)\)", made["README.md"]))
    assert max(len(made[name]) for name in pictures) < 100_000
