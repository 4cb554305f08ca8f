"""The monitoring form from a session's events: each field filled, changed, and missing with its reason."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from contracts.door import given
from limen.knowledge.rems import monitoring_form
from limen.session.replay import rems_of, replay

TABLE: dict[str, Any] = YAML(typ="safe", pure=True).load(Path(__file__).with_name("table.yaml"))
CASES = TABLE["cases"]


def session(case: dict[str, Any]) -> dict[str, Any]:
    made = {"schema": 1, "samples": [], **copy.deepcopy(TABLE["base"])}
    made["session"].update(case.get("header", {}))
    for event in made["events"]:
        event.update(case.get("change", {}).get(event["id"], {}))
    made["events"] = [event for event in made["events"] if event["id"] not in case.get("without", [])]
    made["events"] = sorted([*made["events"], *case.get("add", [])], key=lambda event: event["t_s"])
    recorded = made["recorded"]["rems"]
    recorded.pop(case.get("without_recorded"), None)
    if "medicines" in case:
        recorded["medicines"] = case["medicines"]
    return made


def fields(form: dict[str, Any]) -> dict[str, Any]:
    return {row["field"]: row for group in form["groups"] for row in group["fields"]}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['field']}: {case['value']}")
def test_a_field_holds_what_the_events_say(case: dict[str, Any]) -> None:
    form = rems_of(session(case))
    row = fields(form)[case["field"]]
    assert row["value"] == case["value"]
    if case["value"] is None:
        assert case["why"] in row["why"]
        assert any(row["title"] in line for line in form["missing"])
    else:
        assert row["why"] is None
    if "events" in case:
        assert row["events"] == case["events"]
    if "problems" in case:
        assert len(form["problems"]) == case["problems"]


def test_every_field_has_a_case_filled_and_one_missing() -> None:
    for group in monitoring_form().groups:
        for entry in group.fields:
            values = [case["value"] for case in CASES if case["field"] == entry.id]
            assert None in values, entry.id
            assert any(value is not None for value in values), entry.id


def test_a_whole_form_misses_nothing_and_stands_in_the_note() -> None:
    form = rems_of(session({}))
    assert (form["applies"], form["within_days"], form["missing"], form["problems"]) == (True, 7, [], [])
    assert replay(session({})).note["rems"] == form


def test_another_product_owes_no_form() -> None:
    other = session({"header": {"product": "racemic", "protocol": "TRD-IV"}})
    assert replay(other).note["rems"] is None
    form = rems_of(other)
    assert (form["applies"], form["missing"], form["within_days"]) == (False, [], None)


def test_a_detail_that_does_not_apply_is_not_asked() -> None:
    assert "serious_event_detail" not in fields(rems_of(session({})))


def test_a_corrected_entry_counts_as_corrected() -> None:
    fix = {"id": "fix", "t_s": 7000, "kind": "entry.corrected", "entry": "at40", "changes": {"sbp_mmHg": 145}}
    assert fields(rems_of(session({"add": [fix]})))["bp_40"]["value"] == "145/88"


def test_an_undone_entry_leaves_the_form_as_if_it_had_never_been() -> None:
    slip = {"id": "slip", "t_s": 70, "kind": "symptom.reported", "text": "nausea"}
    undo = {"id": "undo", "t_s": 75, "kind": "entry.corrected", "entry": "slip", "reason": "wrong chair"}
    undone = session({"add": [slip, undo]})
    assert rems_of(undone) == rems_of(session({}))
    assert replay(undone).note["rems"] == rems_of(session({}))


def test_an_entry_corrected_twice_counts_as_corrected_last() -> None:
    fixes = [
        {"id": f"fix{t_s}", "t_s": t_s, "kind": "entry.corrected", "entry": "at100", "changes": {"aldrete": aldrete}}
        for t_s, aldrete in ((6400, 4), (6500, 9))
    ]
    assert fields(rems_of(session({"add": fixes})))["ready_min"]["value"] == 100


def test_every_value_says_where_it_came_from() -> None:
    # What the clinic wrote down is marked by its group; every other value names its events or the session's header.
    origins = {entry.id: entry.origin for group in monitoring_form().groups for entry in group.fields}
    for name, row in fields(rems_of(session({}))).items():
        if origins[name] not in {"recorded", "medicines", "sex", "serious-event"}:
            assert row["events"], name


def test_the_command_prints_the_form() -> None:
    assert given("session", "rems", "-", stdin=session({})) == rems_of(session({}))
