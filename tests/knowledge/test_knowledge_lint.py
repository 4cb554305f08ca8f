"""``knowledge check``: each kind of slip is found with its line, and the product's files have none."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from contracts.door import limen
from limen.care.dossier import knowledge_roots
from limen.knowledge import dated as dated_module
from limen.knowledge.dated import dated
from limen.knowledge.lint import Finding, lint
from limen.knowledge.release import package_text

ON = date(2026, 11, 22)


def found_in(folder: Path, text: str) -> list[tuple[str, str, int | None, str, str]]:
    (folder / "selection").mkdir()
    (folder / "selection" / "wrong.yaml").write_text(text, encoding="utf-8")
    # The day of nothing: what ends is told apart below.
    every = lint({"": folder}, date(2020, 1, 1))
    return [
        (item.level, item.check, item.line, item.owner, item.what) for item in every if item.file.endswith("wrong.yaml")
    ]


@pytest.mark.parametrize(
    ("text", "check", "line", "owner", "what"),
    [
        ("- id: A\n  sources: []\n", "source", 1, "A", "a claim without a source"),
        ("- id: B\n  sources: [nowhere-2020]\n", "source", 1, "B", "unknown source 'nowhere-2020'"),
        ("- id: C\n  low: 5\n  high: 3\n", "order", 2, "C", "low 5 lies above high 3"),
        ("- id: D\n  lower_min: 9\n  upper_min: 3\n", "order", 2, "D", "lower_min 9 lies above upper_min 3"),
        ("- id: D\n  lower: 1\n  typical: 2\n  upper: 1.5\n", "order", 3, "D", "typical 2 lies above upper 1.5"),
        ("- id: E\n  dose_max: 1.5\n", "unit", 2, "E", "dose_max 1.5 has no unit in its name"),
        ("- id: E\n  limit: 1\n  unit: grains\n", "unit", 3, "E", "unknown unit 'grains'"),
        ("- id: F\n  weight_kg: 7000\n", "range", 2, "F", "weight_kg 7000 cannot be; 0 to 700 is possible"),
        ("- id: F\n  share_fraction: 1.2\n", "range", 2, "F", "share_fraction 1.2 cannot be; 0 to 1 is possible"),
        ("- id: G\n- id: H\n- id: G\n", "duplicate", 3, "G", "'G' stands twice"),
        ("id: I\nbears_on: [SEL-999]\n", "reference", 2, "I", "bears_on names 'SEL-999', which is not on file"),
        (
            "limits:\n"
            "  - {rule: MON-1, tier: warn, signal: HR, when: over, limit: 130}\n"
            "  - {rule: MON-1, tier: stop, signal: HR, when: at-or-over, limit: 120}\n"
            "  - {rule: MON-1, tier: warn, signal: HR, when: under, limit: 55}\n"
            "  - {rule: MON-1, tier: stop, signal: HR, when: under, limit: 50}\n",
            "order",
            3,
            "MON-1",
            "stop at 120 lies within warn at 130",
        ),
        (
            "limits:\n"
            "  - {rule: MON-2, tier: hold, signal: RR, when: under, limit: 8}\n"
            "  - {rule: MON-2, tier: warn, signal: RR, when: under, limit: 8}\n"
            "  - {rule: MON-2, tier: stop, signal: RR, when: under, limit: 9}\n",
            "order",
            4,
            "MON-2",
            "stop at 9 lies within hold at 8",
        ),
        (
            "id: J\nranges:\n  - {low: 0, high: 5, name: few}\n  - {low: 5, high: 9, name: many}\n",
            "overlap",
            4,
            "J",
            "band 'many' from 5 overlaps 'few' to 5",
        ),
    ],
)
def test_a_slip_is_found_with_its_line(tmp_path: Path, text: str, check: str, line: int, owner: str, what: str) -> None:
    assert found_in(tmp_path, text) == [("error", check, line, owner, what)]


@pytest.mark.parametrize(
    "text",
    [
        "- {id: A, lower_min: 3, upper_min: 9, dose_mg: 1.5, typical: 0.5, unit: mg/kg}\n",
        "- {id: A, at_zero_kg: {male: 50, female: 45.5}}\n",
        "- {id: A, title: one line}\n- {id: A, title: another line}\n",
        "id: A\nranges: [{low: 0, high: 4, name: few}, {low: 5, high: 9, name: many}]\nbears_on: [A]\n",
    ],
)
def test_what_is_right_is_left_alone(tmp_path: Path, text: str) -> None:
    assert found_in(tmp_path, text) == []


def test_a_file_that_is_no_yaml_is_named(tmp_path: Path) -> None:
    (tmp_path / "torn.yaml").write_text("a: [1,\n", encoding="utf-8")
    (torn,) = [item for item in lint({"": tmp_path}, ON) if item.file == "torn.yaml"]
    assert (torn.level, torn.check) == ("error", "schema")


def test_a_sellers_page_cannot_carry_the_mark_of_reading(tmp_path: Path) -> None:
    (found,) = found_in(tmp_path, "id: A\nsources: [at-home-cohort-2022]\nverification: V\n")
    assert found == (
        "warning", "down-graded", 1, "A", "marked V, counts as V2: page of a seller, a maker or a clinic"
    )  # fmt: skip


def on_day(day: date) -> list[Finding]:
    return [item for item in lint(knowledge_roots(), day) if item.check in {"expired", "expiring"}]


def test_the_end_of_the_telehealth_rule_is_told_before_and_after() -> None:
    # It holds through 31 December 2026; 90 days before that is 2 October.
    assert on_day(date(2026, 10, 1)) == []
    (soon,) = on_day(date(2026, 10, 2))
    assert (soon.level, soon.check, soon.owner) == ("warning", "expiring", "TELEHEALTH-FLEX")
    assert "in 90 days" in soon.what
    (last,) = on_day(date(2026, 12, 31))
    assert (last.check, "in 0 days" in last.what) == ("expiring", True)
    (over,) = on_day(date(2027, 1, 1))
    assert (over.level, over.check) == ("error", "expired")
    line = Path(str(over.file)).name, over.line
    text = (Path(dated_module.__file__).parent / "data" / "dated" / "dated.yaml").read_text(encoding="utf-8")
    assert line[0] == "dated.yaml"
    assert "2026-12-31" in text.splitlines()[(over.line or 0) - 1]


def test_a_code_with_a_successor_ends_without_a_finding() -> None:
    (code,) = [fact for fact in dated().facts if fact.id == "HCPCS-S0013"]
    assert (code.successor, code.days_left(ON) < 0) == ("J0013", True)
    assert "HCPCS-S0013" not in {item.owner for item in on_day(ON)}


def test_the_installed_knowledge_has_no_error() -> None:
    assert [f"{item.where}: {item.what}" for item in lint(knowledge_roots(), ON) if item.level == "error"] == []


def test_a_source_that_nothing_cites_is_found() -> None:
    text = package_text()
    assert "limen" in text
    unused = {item.owner for item in lint(knowledge_roots(), ON, package_text="limen unsourced") if item.line}
    assert "sel-swiss-ketamine-label" in unused
    assert "limen" not in unused
    used = {item.owner for item in lint(knowledge_roots(), ON, package_text=text) if item.check == "unused-source"}
    assert "sel-swiss-ketamine-label" not in used


def test_the_command_and_its_exit_codes() -> None:
    done = limen("knowledge", "check", "--on", "2026-11-22", "--json")
    assert done.code == 0, done.err
    told = {(item["check"], item["owner"]) for item in done.json()["warnings"]}
    assert ("expiring", "TELEHEALTH-FLEX") in told
    assert limen("knowledge", "check", "--on", "2026-11-22", "--strict").code == 2
    over = limen("knowledge", "check", "--on", "2027-01-01")
    assert over.code == 2
    assert "dated/dated.yaml:6 TELEHEALTH-FLEX: error:" in over.err
    wrong = limen("knowledge", "check", "--on", "soon")
    assert (wrong.code, "a day such as" in wrong.err) == (2, True)
