"""The page on allergies and trials is followed: its case is screened, its words stand on the screens."""

from __future__ import annotations

import json
import re
from pathlib import Path

from limen.care.case_json import case_from_json
from limen.care.screening import screen

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "list-allergies-and-trials.md").read_text(encoding="utf-8")
PAGES = ROOT / "src/limen/clinic/patients/templates/patients"
SCREENS = "".join((PAGES / name).read_text(encoding="utf-8") for name in ("detail.html", "trials.html"))


def test_the_case_on_the_page_comes_out_as_the_page_says() -> None:
    case = re.search(r"```json case\n(.*?)```", PAGE, flags=re.DOTALL)
    assert case is not None
    result = screen(case_from_json(json.loads(case[1])))
    assert "SEL-01" in {item.rule for item in result.passed}
    assert "BAS-16" not in {item.rule for item in (*result.findings, *result.missing)}
    assert result.trials is not None
    rows = re.findall(r"^\| (\w+), .*? \| (.*?) \| (.*?) \|$", PAGE, flags=re.MULTILINE)
    assert len(rows) == 3
    for item, (drug, judged, because) in zip(result.trials.trials, rows, strict=True):
        assert item.trial.drug == drug
        assert judged.startswith({"failed": "adequate, failed", "inadequate": "not adequate"}[item.verdict])
        said = item.because.replace("(50 mg a day)", "").replace(" of venlafaxine", "")
        parts = [part.strip() for part in because.split(";")]
        missing = [part for part in parts if part != "under half better" and part not in " ".join(said.split())]
        assert missing == []


def test_the_words_on_the_page_stand_on_the_screen() -> None:
    named = {" ".join(name.split()) for name in re.findall(r"\*\*(.+?)\*\*", PAGE, flags=re.DOTALL)}
    assert len(named) == 8
    assert {name for name in named if name not in SCREENS} == set()
