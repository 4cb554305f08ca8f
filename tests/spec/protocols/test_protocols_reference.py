"""Every row of the clinical reference, number by number, beside the protocol that ships."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from limen.knowledge.protocols import Protocol, protocols

ROWS = YAML(typ="safe", pure=True).load((Path(__file__).parent / "reference.yaml").read_text(encoding="utf-8"))


def test_every_protocol_has_its_row() -> None:
    assert sorted(row["of"] for row in ROWS) == sorted(protocols())
    assert len(ROWS) == 44


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["of"])
def test_the_numbers_are_those_of_the_reference(row: dict[str, Any]) -> None:
    protocol = protocols()[row["of"]]
    amounts = [step.amount for step in protocol.steps]
    assert [[one.lower, one.typical, one.upper, one.unit] for one in amounts] == row["dose"]
    for step, span in zip(protocol.steps, row.get("over", ()), strict=False):
        assert step.duration is not None
        assert [step.duration.lower_min, step.duration.typical_min, step.duration.upper_min] == span
    standing = [[wall.kind, wall.measure, wall.limit, wall.unit] for wall in protocol.walls]
    assert [wall for wall in row.get("walls", ()) if wall not in standing] == []
    assert protocol.weight.basis == row.get("weight", "actual")
    assert protocol.product == row.get("product", "racemic")
    assert protocol.stops_early == row.get("stops_early", False)
    assert (protocol.closed is not None) == row.get("closed", False)
    assert getattr(protocol.ages, "from_years", None) == row.get(
        "from_years", getattr(protocol.ages, "from_years", None)
    )
    assert getattr(protocol.dead_space, "volume_mL", None) == row.get("dead_space_mL")
    assert getattr(protocol.weakest, "concentration_mg_per_mL", None) == row.get("weakest_mg_per_mL")
    if "sessions" in row:
        assert [phase.sessions for phase in protocol.course] == row["sessions"]
    if "days" in row:
        assert list(next(phase.days for phase in protocol.course if phase.days)) == row["days"]
    if "settings" in row:
        assert list(protocol.settings) == row["settings"]
    if "rungs" in row:
        assert protocol.titration is not None
        assert list(protocol.titration.rungs) == row["rungs"]


@pytest.mark.parametrize("row", [row for row in ROWS if "says" in row], ids=lambda row: row["of"])
def test_what_the_row_says_beside_its_numbers_is_said(row: dict[str, Any]) -> None:
    text = json.dumps(protocols()[row["of"]].model_dump(mode="json"), ensure_ascii=False)
    assert [words for words in row["says"] if words not in text] == []


@pytest.mark.parametrize("protocol", protocols().values(), ids=lambda one: one.id)
def test_nothing_a_prescriber_needs_is_left_out(protocol: Protocol) -> None:
    assert protocol.evidence.regulatory_status.text
    if protocol.closed is not None:
        return
    assert protocol.staffing
    assert protocol.discharge
    assert protocol.course
    assert protocol.evidence.supports or protocol.evidence.opposes


def test_only_anaesthesia_and_nasal_esketamine_are_approved() -> None:
    approved = {one.id for one in protocols().values() if one.status == "approved"}
    assert approved == {"GA-IV", "GA-IV2", "GA-IM", "GA-MNT", "ESK-TRD", "ESK-ELD", "ESK-SI"}


def test_nothing_is_filled_in_where_sources_differ_by_an_order_of_magnitude() -> None:
    (step,) = protocols()["GA-MNT"].steps
    assert step.duration is not None
    assert (step.amount.lower, step.amount.typical, step.amount.upper) == (None, None, None)
    assert (step.duration.lower_min, step.duration.typical_min, step.duration.upper_min) == (None, None, None)


def test_which_protocols_have_evidence_on_one_side_only() -> None:
    """Where nothing was read against a protocol the screen says so; the list is kept, so that none joins unseen."""
    unopposed = {one.id for one in protocols().values() if one.closed is None and not one.evidence.opposes}
    assert unopposed == {"AGIT", "CANCER-PO", "GA-IV2", "RSI-ADJ", "RSI-SHOCK", "SDK-IM", "SDK-IN", "SDK-IV2", "TCCC"}
