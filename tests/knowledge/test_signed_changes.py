"""What a director sees of a new release: each rule that changed, by name, with where it comes out."""

from __future__ import annotations

import copy
import re
import shlex
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from contracts.door import limen, refused
from limen.care.dossier import knowledge_roots
from limen.errors import InputError
from limen.knowledge.changes import changed_rules
from limen.knowledge.index import claims
from limen.knowledge.protocols import protocols
from limen.knowledge.rules import rules
from limen.knowledge.snapshot import snapshot
from limen.reports.document import Document
from limen.reports.rules_to_sign import markdown, rules_to_sign

ON = date(2026, 11, 22)


@pytest.fixture(scope="module")
def held() -> dict[str, Any]:
    return snapshot()


@pytest.fixture(scope="module")
def tables() -> Document:
    return rules_to_sign(ON, site="North Clinic")


def test_the_same_knowledge_has_no_change(held: dict[str, Any]) -> None:
    assert changed_rules(held, held) == ()


def test_a_limit_that_moved_is_told_by_its_rule(held: dict[str, Any]) -> None:
    signed = copy.deepcopy(held)
    rule = next(item for item in signed["files"]["selection/rules-medical.yaml"]["rules"] if item["id"] == "SEL-03")
    rule["tiers"][1]["when"]["sbp_mmHg"] = 170
    (found,) = changed_rules(signed, held)
    assert (found.name, found.kind, found.change) == ("SEL-03", "screening rule", "changed")
    assert "screening of a patient" in found.screens


def test_new_and_gone_are_told_apart(held: dict[str, Any]) -> None:
    signed = copy.deepcopy(held)
    del signed["files"]["protocols/epi.yaml"]
    medical = signed["files"]["selection/rules-medical.yaml"]["rules"]
    medical.append(dict(medical[0], id="SEL-98"))
    signed["files"]["sources/00-project.yaml"]["limen"]["citation"] = "Another"
    found = {item.name: (item.kind, item.change) for item in changed_rules(signed, held)}
    assert found == {
        "EPI": ("protocol", "new"),
        "SEL-98": ("screening rule", "gone"),
        "limen": ("source", "changed"),
    }


def test_what_is_no_snapshot_is_refused(held: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="not a knowledge snapshot"):
        changed_rules({"files": []}, held)


def test_every_rule_stands_in_the_tables(tables: Document) -> None:
    told = {cell for part in tables.parts for table in part.tables for row in table.rows for cell in row[:1]}
    for rule in rules().values():
        assert f"{rule.id} {rule.title}" in told
    assert set(protocols()) - {"EPI"} <= told
    owners = {claim.owner for claim in claims(knowledge_roots()) if claim.file.startswith(("rescue/", "surveillance/"))}
    assert owners <= told


def test_all_that_is_unverified_is_listed_and_counted(tables: Document) -> None:
    (part,) = [part for part in tables.parts if part.title == "Everything unverified"]
    named = {row[0] for row in part.tables[0].rows}
    # SEL-03: the reference marks its clinic default M.
    assert "SEL-03" in named
    assert part.paragraphs[0].startswith(f"{len(part.tables[0].rows)} statements")


def test_the_tables_end_with_a_block_to_sign(tables: Document) -> None:
    last = tables.parts[-1]
    assert last.title == "Signature"
    assert {"Medical director", "Day", "Signature"} <= {label for label, _ in last.rows}
    assert all(set(value) == {"_"} for _, value in last.rows)


def test_every_table_has_its_columns_and_no_cell_breaks_it(tables: Document) -> None:
    for part in tables.parts:
        for table in part.tables:
            assert len(table.shares) == len(table.columns)
            assert all(len(row) == len(table.columns) for row in table.rows)
    text = markdown(tables)
    for block in text.split("\n\n"):
        bars = {line.count("|") for line in block.splitlines() if line.startswith("|")}
        assert len(bars) <= 1


@pytest.mark.slow
def test_the_command_writes_paper_and_text(tmp_path: Path) -> None:
    folder = tmp_path / "sign"
    done = limen("knowledge", "export", str(folder), "--tables", "--site", "North Clinic", "--on", "2026-11-22")
    assert (done.code, done.err) == (0, "")
    assert (folder / "rules-to-sign.pdf").read_bytes().startswith(b"%PDF")
    text = (folder / "rules-to-sign.md").read_text(encoding="utf-8")
    assert text.startswith("# Rules to sign\n\n- Clinic: North Clinic\n")
    assert "| 2026-12-31 | 39 days |" in text
    assert "something already" in refused("knowledge", "export", str(folder), "--tables")


@pytest.mark.slow
def test_the_page_is_followed_to_the_letter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "sign-the-rules.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    commands = [
        shlex.split(line)[1:]
        for block in re.findall(r"```sh\n(.*?)```", page, flags=re.DOTALL)
        for line in block.strip().splitlines()
    ]
    assert len(commands) == 9
    for command in commands:
        done = limen(*command)
        assert (done.code, done.err) == (0, ""), command
        assert done.out.strip()
    assert {path.name for path in (tmp_path / "to-sign").iterdir()} == {"rules-to-sign.pdf", "rules-to-sign.md"}
