"""Contradictions stay visible, a seller's word weighs less, and what depends on a claim is found from the claim."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from contracts.door import given, refused
from limen.care.dossier import affects, contradictions, dossier
from limen.evidence import Verification, sources
from limen.evidence.claim import Claim
from limen.evidence.disputes import Dispute, disputes
from limen.evidence.grades import counted_mark, grades
from limen.knowledge.protocols import protocols

SIDE: dict[str, Any] = {
    "answer": "yes",
    "claims": [{"id": "one", "text": "It does", "sources": ["limen"], "verification": "P"}],
}


def test_every_kind_of_source_has_a_weight() -> None:
    assert {source.grade for source in sources().values()} <= set(grades())


@pytest.mark.parametrize(
    ("marked", "keys", "counts"),
    [
        # A maker's page, alone and beside a trial record; a project rule stays one.
        ("V", ["sel-janssen-urinary"], "V2"),
        ("V2", ["ketamine-clinics-blog"], "V2"),
        ("V", ["sel-janssen-urinary", "sel-nct01892995"], "V"),
        ("P", ["sel-janssen-urinary"], "P"),
        ("M", ["unsourced"], "M"),
    ],
)
def test_the_mark_that_counts(marked: str, keys: list[str], counts: str) -> None:
    assert counted_mark(Verification(marked), keys).value == counts
    assert Claim(sources=tuple(keys), verification=Verification(marked)).verification.value == counts


def test_a_dispute_has_two_sides() -> None:
    held = {"text": "Wait", "sources": ["limen"], "verification": "P"}
    with pytest.raises(ValidationError, match="two sides at least"):
        Dispute.model_validate({"id": "x", "question": "?", "held": held, "sides": [SIDE]})
    with pytest.raises(ValidationError, match="two sides at least"):
        Dispute.model_validate(
            {"id": "x", "question": "?", "held": held, "sides": [SIDE, {"answer": "no", "claims": []}]}
        )


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        # Both figures of each question stand in the same listing.
        ("pressure-rise", ["3/3 mmHg", "16/11 mmHg", "odds ratio 7.0"]),
        ("home-use", ["without monitoring adds risk", "a seller reported it"]),
        ("madrs-remission", ["under 10", "12 and under"]),
        ("ymrs-cut", ["12 and under was called remission", "hypomanic"]),
        ("maintenance-infusion", ["0.1 to 0.5 mg/min", "2 mg/kg/h", "1 to 3 mg/min"]),
        ("FIBRO", ["hours to days", "no better than midazolam"]),
        ("PTSD", ["67", "no benefit for PTSD"]),
        ("OCD", ["50", "No responder"]),
        ("CANCER-SC", ["50", "no net benefit"]),
    ],
)
def test_both_sides_are_listed(name: str, figures: list[str]) -> None:
    (item,) = [item for item in contradictions() if item["id"] == name]
    sides = [" ".join(claim["text"] for claim in side["claims"]) for side in item["sides"]]
    assert len(sides) == len(figures)
    for figure, side in zip(figures, sides, strict=True):
        assert figure in side, side
    assert item["held"]


def test_every_protocol_with_two_sides_is_listed() -> None:
    both = {one.id for one in protocols().values() if one.evidence.supports and one.evidence.opposes}
    listed = {item["id"] for item in contradictions()}
    assert both <= listed
    assert set(disputes()) <= listed


def test_what_speaks_against_a_rule_stands_beside_what_speaks_for_it() -> None:
    rule = dossier("SEL-03")
    assert any("16/11 mmHg" in text for text in rule["claims_for"])
    assert any("3/3 mmHg" in text for text in rule["claims_against"])
    assert rule["disputes"] == ["pressure-rise"]
    # Its limits are unverified, and that is what is shown, whatever was read around them.
    assert rule["verification"] == "M"


def test_a_change_of_a_source_names_what_depends_on_it() -> None:
    found = affects("sel-janssen-urinary")
    assert {"SEL-20", "BAS-12"} <= set(found["owners"]["screening rule"])
    assert found["owners"]["surveillance check"] == ["AE-URO"]
    assert {"screen", "plan", "surveillance"} <= set(found["commands"])
    assert found["screens"]
    assert "rules.md" in found["texts"]
    assert found["disputes"] == ["bladder"]
    assert all(":" in item["at"] and item["at"].rpartition(":")[2].isdigit() for item in found["rests"])


def test_a_change_of_a_claim_names_the_rules_on_both_sides() -> None:
    found = affects("home-fda-2023")
    assert (found["kind"], found["disputes"]) == ("claim", ["home-use"])
    assert found["owners"] == {"screening rule": ["SETTING-HOME"], "protocol": ["TRD-SL", "TRD-PO"]}


def test_a_change_of_a_rule_names_who_refers_to_it() -> None:
    found = affects("DIS-1")
    assert any(item.startswith("TRD-IV (protocols/trd-iv.yaml:") for item in found["referred_by"])
    assert found["owners"] == {"discharge criterion": ["DIS-1"]}


def test_the_commands() -> None:
    every = given("evidence", "contradictions")
    assert len(every) > 30
    assert [item["id"] for item in given("evidence", "contradictions", "SETTING-HOME")] == ["home-use"]
    assert "no contradiction" in refused("evidence", "contradictions", "SEL-01")
    assert given("evidence", "show", "home-use")["sides"][1]["answer"] == "At home"
    assert given("evidence", "show", "pressure-treatment")["bears_on"] == ["MON-1"]
    claim = given("evidence", "show", "pressure-yale-mean")
    assert any("3/3 mmHg" in text for text in claim["claims_against"])
    seller = given("evidence", "show", "at-home-cohort-2022")
    assert seller["grade"]["strongest_mark"] == "V2"
    assert given("evidence", "affects", "home-use")["kind"] == "claim"
    assert "nothing is on record" in refused("evidence", "affects", "nobody-1999")
