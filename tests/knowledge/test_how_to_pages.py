"""The pages on adding a protocol and an instrument are followed to the letter."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from limen.care import planning
from limen.care.case_json import case_from_json
from limen.care.exposure_json import history_from_json
from limen.care.planning import plan
from limen.care.scoring import score
from limen.care.site_dosing import site_dosing
from limen.errors import KnowledgeError
from limen.evidence import cite, read_yaml
from limen.knowledge import instruments
from limen.knowledge.instruments import Instrument
from limen.knowledge.protocols import Protocol, protocols, read_protocol
from limen.knowledge.titration import EachSession, EffectNotEnough, ImprovedLessThan, Judged, Titration
from limen.knowledge.walls import Wall

RAISES = (ImprovedLessThan, EachSession, EffectNotEnough, Judged)
PAGES = Path(__file__).parents[2] / "docs" / "how-to"


def block(page: str, kind: str) -> str:
    found = re.findall(rf"```{kind}\n(.*?)```", (PAGES / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(found) == 1
    return str(found[0])


@pytest.fixture
def protocol_file(tmp_path: Path) -> Path:
    path = tmp_path / "crps-op.yaml"
    path.write_text(block("add-a-protocol.md", "yaml protocol"), encoding="utf-8")
    return path


@pytest.fixture
def instrument_file(tmp_path: Path) -> Path:
    path = tmp_path / "mood-5.yaml"
    path.write_text(block("add-an-instrument.md", "yaml instrument"), encoding="utf-8")
    return path


def planned(protocol: Protocol, weight_kg: float, monkeypatch: pytest.MonkeyPatch, dose: str | None = None) -> Any:
    monkeypatch.setattr(planning, "get_protocol", lambda name: protocol)
    patient = {"age_years": 42, "sex": "female", "weight_kg": weight_kg, "height_cm": 170}
    return plan(case_from_json({"on": "2026-11-21", "patient": patient}), "CRPS-OP", dose)


def test_the_sources_on_the_page_are_those_on_file() -> None:
    for key, entry in YAML(typ="safe", pure=True).load(block("add-a-protocol.md", "yaml sources")).items():
        assert cite(key).model_dump(exclude_none=True) == entry


def test_the_cap_on_the_page_holds(protocol_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # 0.35 mg/kg/h x 80 kg = 28 mg/h for 4 h; held at 25 mg/h, 100 mg in the day.
    result = planned(read_protocol(protocol_file), 80, monkeypatch)
    limits = result.to_json()["limits"]
    binding = limits["binding"]
    assert (binding["asked"], binding["used"]) == pytest.approx((28, 25))
    assert (binding["unit"], binding["rule"]) == ("mg/h", "CRPS-OP")
    assert (limits["rate_max_mg_per_h"], limits["day_max_mg"]) == (25, 100)
    assert result.held.doses[0].amount_mg == pytest.approx(100)
    assert "CRPS-OP" not in {item.rule for item in result.blocked_by}


def test_under_the_cap_nothing_binds(protocol_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = planned(read_protocol(protocol_file), 70, monkeypatch)
    assert result.held.binding is None
    assert result.held.doses[0].amount_mg == pytest.approx(98)


def test_a_slip_of_ten_over_a_cap_is_refused(protocol_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = planned(read_protocol(protocol_file), 80, monkeypatch, "3.5 mg/kg/h iv over 4 h")
    assert "DOSE-TENFOLD" in {item.rule for item in result.blocked_by}


def test_the_error_on_the_page_is_the_error_given(protocol_file: Path) -> None:
    whole = protocol_file.read_text(encoding="utf-8")
    cap, rest = whole.split("    why: The maximum rate of the trial.\n    sources: [schwartzman-2009-crps]\n")
    protocol_file.write_text(f"{cap}    why: The maximum rate of the trial.\n{rest}", encoding="utf-8")
    with pytest.raises(KnowledgeError) as refusal:
        read_protocol(protocol_file)
    shown = block("add-a-protocol.md", "text").strip()
    assert str(refusal.value).startswith(shown), str(refusal.value)


def test_the_protocol_on_the_page_is_the_one_that_ships(protocol_file: Path) -> None:
    assert read_protocol(protocol_file) == protocols()["CRPS-OP"]


def json_on_the_page(kind: str) -> Any:
    return YAML(typ="safe", pure=True).load(block("add-a-protocol.md", f"json {kind}"))


def test_the_history_on_the_page_leaves_what_the_page_says() -> None:
    history, unknown = history_from_json(json_on_the_page("exposure"), date(2026, 11, 21))
    patient = {"age_years": 42, "sex": "female", "weight_kg": 80, "height_cm": 170}
    case = case_from_json({"on": "2026-11-21", "patient": patient})
    binding = plan(case, "CRPS-OP", history=history).to_json()["limits"]["binding"]
    assert unknown == ()
    assert (binding["name"], binding["used"]) == ("daily maximum", 40)


def test_the_site_on_the_page_is_one() -> None:
    site = site_dosing(json_on_the_page("site"))
    assert [(wall.limit, wall.measure) for wall in site.walls_for("racemic")] == [(300, "week")]
    assert site.walls_for("esketamine-nasal") == ()


def test_the_titration_on_the_page_is_the_one_that_ships() -> None:
    page = YAML(typ="safe", pure=True).load(block("add-a-protocol.md", "yaml titration"))["titration"]
    assert Titration.model_validate(page) == protocols()["TRD-SC"].titration


def test_every_kind_of_raise_is_on_the_page() -> None:
    text = (PAGES / "add-a-protocol.md").read_text(encoding="utf-8")
    kinds = {model.model_fields["kind"].annotation.__args__[0] for model in RAISES}
    assert kinds == {kind for kind in kinds if f"- `{kind}`:" in text}


def test_every_entry_in_the_tables_is_known() -> None:
    from limen.knowledge.instruments import Codes, Licence, Wording
    from limen.knowledge.protocols import Ages, Amount, Claim, Preparation, Span, Step, Weight
    from limen.knowledge.scoring_rules import (
        Bands,
        Change,
        Criteria,
        Cut,
        Items,
        Missing,
        Part,
        Range,
        Remission,
        SafetyItem,
        Screen,
    )

    known = {
        "add-a-protocol.md": (Protocol, Step, Amount, Span, Wall, Preparation, Claim, Weight, Ages, *RAISES),
        "add-an-instrument.md": (
            Instrument,
            Items,
            Range,
            Part,
            Cut,
            Criteria,
            Change,
            Missing,
            Bands,
            SafetyItem,
            Screen,
            Remission,
            Licence,
            Wording,
            Codes,
            Claim,
        ),
    }
    for page, models in known.items():
        fields = {name for model in models for name in model.model_fields}
        rows = re.findall(r"^\| (`.*?`)[^|]*\|", (PAGES / page).read_text(encoding="utf-8"), flags=re.MULTILINE)
        named = {entry for row in rows for entry in re.findall(r"`(\w+)`", row)}
        assert len(named) > 8
        assert named <= fields, named - fields


def test_the_instrument_on_the_page_scores(instrument_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    added = read_yaml(instrument_file, Instrument)
    monkeypatch.setitem(instruments.instruments(), added.id, added)
    answers = YAML(typ="safe", pure=True).load(block("add-an-instrument.md", "json"))
    result = score("MOOD-5", answers).to_json()
    assert (result["total"], result["flags"]) == (6, {"screen_positive": True})
    assert score("MOOD-5", {"items": [2, 2, 1, 0, 0]}).to_json()["flags"] == {"screen_positive": False}


def test_the_instrument_error_on_the_page_is_the_error_given(instrument_file: Path) -> None:
    whole = instrument_file.read_text(encoding="utf-8")
    wrong = whole.replace("high: 4, sources: [unsourced]", "high: 4, sources: [nobody-1999]")
    instrument_file.write_text(wrong, encoding="utf-8")
    with pytest.raises(KnowledgeError) as refusal:
        read_yaml(instrument_file, Instrument)
    shown = block("add-an-instrument.md", "text").strip()
    assert str(refusal.value).startswith(shown), str(refusal.value)


def test_wording_that_may_not_travel_is_refused(instrument_file: Path) -> None:
    wording = (
        "{language: en, stem: s, items: [a, b, c, d, e], options: [a, b, c, d, e], sources: [limen], verification: P}"
    )
    with instrument_file.open("a", encoding="utf-8") as file:
        file.write(f"wording: {wording}\n")
    with pytest.raises(KnowledgeError, match="licence does not let its wording ship"):
        read_yaml(instrument_file, Instrument)
