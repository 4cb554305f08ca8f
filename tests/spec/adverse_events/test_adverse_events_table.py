"""The dictionary of adverse events: what words name, what is serious, expected, in its window, and whom to tell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from limen.care.adverse_events import Happened, classify, judge, session_duties, summary
from limen.errors import InputError
from limen.knowledge.adverse_events import adverse_events
from limen.session.events import parse_event

TABLE: dict[str, Any] = YAML(typ="safe", pure=True).load(Path(__file__).with_name("table.yaml"))
DUTIES = [(name, case) for name, cases in TABLE["judged"].items() for case in cases]
BOOK = adverse_events()


def happened(event: dict[str, Any]) -> Happened:
    plain: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in event.items()}
    return Happened(**plain)


@pytest.mark.parametrize("case", TABLE["named"], ids=lambda case: case["text"])
def test_words_name_events_and_denials_do_not(case: dict[str, Any]) -> None:
    assert [entry.id for entry in classify(case["text"])] == case["codes"]


@pytest.mark.parametrize(("duty", "case"), DUTIES)
def test_whom_to_tell(duty: str, case: dict[str, Any]) -> None:
    found = judge(happened(case["event"]), case["product"])
    due = duty in {entry.id for entry in found.duties}
    perhaps = duty in {entry.id for entry in found.may_be_due}
    assert (due, perhaps) == (case["due"] is True, case["due"] is None)


def test_every_duty_has_a_case_inside_outside_and_missing() -> None:
    for duty in BOOK.duties:
        assert {case["is"] for case in TABLE["judged"].get(duty.id, [])} == {"inside", "outside", "missing"}, duty.id


@pytest.mark.parametrize("case", TABLE["expected"])
def test_expected_is_what_a_label_lists(case: dict[str, Any]) -> None:
    assert judge(Happened(code=case["code"]), case["product"]).expected is case["expected"]


@pytest.mark.parametrize("case", TABLE["window"])
def test_when_it_began_against_when_it_does(case: dict[str, Any]) -> None:
    # The dose ran from 0 to 40 min.
    onset_t_s = None if case["onset_min"] is None else case["onset_min"] * 60.0
    event = Happened(code=case["code"], onset_t_s=onset_t_s, dose_start_t_s=0, dose_end_t_s=2400)
    assert judge(event, "racemic").in_window is case["in_window"]


@pytest.mark.parametrize("case", TABLE["problems"])
def test_what_does_not_fit_is_said(case: dict[str, Any]) -> None:
    assert len(judge(happened(case["event"]), "racemic").problems) == case["problems"]


def test_nothing_recorded_is_all_missing() -> None:
    found = judge(Happened("something odd"), "racemic")
    assert found.code == "other"
    assert found.serious is None
    assert found.missing == ("severity", "seriousness", "action taken", "outcome", "onset")


def test_two_names_in_one_text_are_not_guessed_between() -> None:
    assert judge(Happened("vomiting and headache"), "racemic").code == "other"
    assert judge(Happened("vomiting"), "racemic").code == "vomiting"


def test_an_unknown_code_is_refused_with_the_list() -> None:
    with pytest.raises(InputError, match="unknown adverse event"):
        judge(Happened(code="gout"))
    with pytest.raises(InputError, match=r"adverse events.*anaphylaxis"):
        parse_event({"t_s": 1, "kind": "adverse-event.recorded", "code": "gout"})
    with pytest.raises(InputError, match=r"hospitalisation"):
        parse_event({"t_s": 1, "kind": "adverse-event.recorded", "code": "nausea", "serious": ["bad"]})


def test_a_rescue_whose_numbers_do_not_add_up_is_refused() -> None:
    good = {"t_s": 1, "kind": "rescue.given", "drug": "midazolam", "dose_mg": 10, "volume_mL": 2}
    assert parse_event({**good, "concentration_mg_per_mL": 5})
    with pytest.raises(InputError, match="are not 10 mg"):
        parse_event({**good, "concentration_mg_per_mL": 50})


def test_the_form_of_nasal_esketamine_is_owed_after_every_session() -> None:
    assert [(duty.id, duty.within_days) for duty in session_duties("esketamine-nasal")] == [("REMS-FORM", 7)]
    assert session_duties("racemic") == ()


def test_the_frequencies_are_those_of_the_trials() -> None:
    # Reference 4A: nausea 29.4 / 10.6, 16.4 / 0.7, 26.9 / 13.8; dissociation 26.8 / 3.5, 23.0 / 0, 33.9 / 5.8.
    seen = {entry.id: [(row.drug_pct, row.control_pct) for row in entry.frequency] for entry in BOOK.events}
    assert seen["nausea"] == [(29.4, 10.6), (16.4, 0.7), (26.9, 13.8)]
    assert seen["dissociation"] == [(26.8, 3.5), (23.0, 0), (33.9, 5.8)]
    assert seen["vertigo"] == [(20.8, 1.8), (25.0, 5.5)]


def test_a_summary_counts_what_is_owed() -> None:
    serious = judge(Happened(code="seizure", severity=4), "racemic")
    mild = judge(Happened(code="nausea", severity=1, serious=()), "racemic")
    told = summary([serious, mild])
    assert (told["events"], told["serious"], told["unexpected"]) == (2, 1, 2)
    assert {item["id"] for item in told["owed"]} == {"REGULATOR-FORM", "DIRECTOR"}


@given(
    code=st.sampled_from([entry.id for entry in BOOK.events]),
    severity=st.none() | st.integers(1, 5),
    serious=st.none() | st.lists(st.sampled_from([entry.id for entry in BOOK.serious]), unique=True).map(tuple),
    more=st.sampled_from([entry.id for entry in BOOK.serious]),
    product=st.sampled_from(["racemic", "s-ketamine", "esketamine-nasal"]),
)
def test_a_criterion_more_never_takes_a_duty_away(
    code: str, severity: int | None, serious: tuple[str, ...] | None, more: str, product: str
) -> None:
    before = judge(Happened(code=code, severity=severity, serious=serious), product)
    after = judge(Happened(code=code, severity=severity, serious=(*(serious or ()), more)), product)
    assert {duty.id for duty in before.duties} <= {duty.id for duty in after.duties}
    assert after.serious is True
