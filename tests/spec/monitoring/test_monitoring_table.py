"""Every MON rule by its table: just inside, just outside, with the value missing; schedules, words, early warning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from limen.care.alarms import Alarm, Sample, Score, Symptoms, Tick, Watch, begin, step
from limen.care.early_warning import beside_course, early_warning
from limen.knowledge.bedside import bedside
from limen.knowledge.monitoring import Limit, MonitoringRules, monitoring
from limen.knowledge.protocols import protocols
from limen.knowledge.standing_orders import problems_for
from limen.session.events import parse_events
from limen.session.header import SessionHeader
from limen.session.schedule import due_list
from limen.session.state import fold

TABLE: dict[str, Any] = YAML(typ="safe", pure=True).load(Path(__file__).with_name("table.yaml"))
LIMITS = [(rule, case) for rule, cases in TABLE["limits"].items() for case in cases]
RULES = monitoring()
TIER_OF = {"low": "warn", "medium": "hold", "high": "stop"}


def raised(case: dict[str, Any]) -> list[Alarm]:
    start = case.get("start", [128, 78])
    watch = Watch(RULES, {} if start is None else {"sbp_mmHg": start[0], "dbp_mmHg": start[1]})
    state = begin(watch)
    if case.get("symptom"):
        state, _ = step(state, Tick(1, acts=(Symptoms(1, (case["symptom"],)),)), watch)
    signal, value = case["signal"], case["value"]
    if signal in RULES.scores:
        tick = Tick(2, acts=(Score(2, signal, value),) if value is not None else ())
    else:
        tick = Tick(2, (Sample(2, 2, signal, value, "a"),))
    return list(step(state, tick, watch)[0].alarms)


@pytest.mark.parametrize(("rule", "case"), LIMITS)
def test_a_value_reaches_its_tier(rule: str, case: dict[str, Any]) -> None:
    alarms = raised(case)
    if case["tier"] is None:
        assert alarms == []
    elif case["tier"] == "technical":
        assert [alarm.kind for alarm in alarms] == ["technical"]
    else:
        assert [(alarm.rule, TIER_OF[alarm.priority]) for alarm in alarms] == [(rule, case["tier"])]


def crosses(limit: Limit, case: dict[str, Any]) -> bool | None:
    """Whether the value of a case is beyond a limit; ``None`` where that cannot be told."""
    threshold, value = limit.limit, case["value"]
    if limit.when == "rise-at-or-over":
        start = case.get("start", [128, 78])
        if start is None:
            return None
        threshold = start[0 if limit.signal == "NIBP_SYS" else 1] * (100 + limit.limit) / 100
    if value is None:
        return None
    beyond: dict[str, bool] = {
        "over": value > threshold,
        "under": value < threshold,
        "at-or-under": value <= threshold,
        "at-or-over": value >= threshold,
        "rise-at-or-over": value >= threshold,
    }
    return beyond[limit.when]


@pytest.mark.parametrize("limit", RULES.limits, ids=lambda item: f"{item.rule} {item.tier} {item.signal} {item.when}")
def test_every_limit_has_a_case_inside_outside_and_missing(limit: Limit) -> None:
    step_of_one = 1.01
    cases = [case for case in TABLE["limits"][limit.rule] if case["signal"] == limit.signal]
    near = [
        case
        for case in cases
        if case["value"] is not None
        and (limit.when == "rise-at-or-over" or abs(case["value"] - limit.limit) <= step_of_one)
    ]
    assert any(crosses(limit, case) and case["tier"] == limit.tier for case in near)
    assert any(crosses(limit, case) is False for case in near)
    assert any(crosses(limit, case) is None for case in cases)


@pytest.mark.parametrize("entry", RULES.reported, ids=lambda item: item.id)
def test_what_is_said_and_what_is_denied(entry: Any) -> None:
    case = TABLE["reported"][entry.id]
    watch = Watch(RULES, {})

    def alarms(*texts: str) -> list[tuple[str, str, str]]:
        state, _ = step(begin(watch), Tick(1, acts=(Symptoms(1, texts),)), watch)
        return [(alarm.rule, TIER_OF[alarm.priority], alarm.action) for alarm in state.alarms]

    assert alarms(case["said"]) == [(case["rule"], case["tier"], case["action"])]
    assert alarms(case["denied"]) == []
    assert alarms() == []


@pytest.mark.parametrize("case", TABLE["typed"], ids=lambda case: repr(case["text"]))
def test_what_a_person_types_is_read_as_it_is_meant(case: dict[str, Any]) -> None:
    assert [entry.id for entry in RULES.reported_in([case["text"]])] == case["raises"]


def test_rules_kept_before_signs_ended_a_denial_read_as_they_read_then() -> None:
    kept = {key: value for key, value in RULES.model_dump(mode="json").items() if key != "clauses"}
    assert MonitoringRules.model_validate(kept).reported_in(["no nausea! chest pain"]) == ()


def test_rules_kept_before_a_report_could_name_its_action_still_pause() -> None:
    kept = RULES.model_dump(mode="json")
    kept["reported"] = [{key: value for key, value in entry.items() if key != "action"} for entry in kept["reported"]]
    watch = Watch(MonitoringRules.model_validate(kept), {})
    state, _ = step(begin(watch), Tick(1, acts=(Symptoms(1, ("nausea",)),)), watch)
    assert [(alarm.priority, alarm.action) for alarm in state.alarms] == [("medium", "pause")]


@pytest.mark.parametrize("schedule", RULES.schedules, ids=lambda item: item.id)
def test_an_observation_is_due_when_the_reference_says(schedule: Any) -> None:
    case = TABLE["schedules"][schedule.id]
    if case["protocol"] is not None:
        assert RULES.schedule_for(case["protocol"]) is schedule
    only = RULES.model_copy(update={"schedules": (schedule,), "default_schedule": schedule.id})
    dose: dict[str, Any] = {"t_s": 0, "kind": "dose.given", "dose_mg": 35, "route": "im"}
    if case["dose_min"]:
        dose = {"t_s": 0, "kind": "infusion.started", "dose_mg": 35, "duration_min": case["dose_min"]}
    events = parse_events([{"t_s": 0, "kind": "session.started"}, dose])
    last_min = case["minutes"][-1]
    due = due_list(None, fold(SessionHeader(), events, at_t_s=60.0 * (last_min + 1)), only)
    minutes = [entry.due_t_s / 60 for entry in due.entries if entry.label != "baseline"]
    assert [minute for minute in minutes if minute <= last_min] == case["minutes"]


def test_every_protocol_has_a_schedule_of_its_own() -> None:
    named = [name for schedule in RULES.schedules for name in schedule.protocols]
    assert len(named) == len(set(named))
    # EPI cannot be ordered in a clinic at all.
    assert set(protocols()) - set(named) == {"EPI"}


@pytest.mark.parametrize(
    ("key", "value", "points"),
    [(key, value, points) for key, rows in TABLE["early_warning"].items() for value, points in rows],
)
def test_points_of_a_value(key: str, value: float, points: int) -> None:
    found = early_warning({key: value})
    assert found.points == {key: points}
    assert set(found.missing) == set(TABLE["early_warning"]) - {key}


@pytest.mark.parametrize(("call", "case"), [(name, case) for name, cases in TABLE["calls"].items() for case in cases])
def test_when_small_changes_call(call: str, case: dict[str, Any]) -> None:
    found = early_warning(case["values"])
    assert (call in {entry.id for entry in found.calls}) == case["called"]
    assert set(found.missing) == {key for key in TABLE["early_warning"] if case["values"].get(key) is None}


def test_every_call_has_a_case_inside_outside_and_missing() -> None:
    for call in bedside().early_warning.calls:
        assert {case["is"] for case in TABLE["calls"].get(call.id, [])} == {"inside", "outside", "missing"}


@pytest.mark.parametrize("case", TABLE["leads"], ids=lambda case: f"{case['rule']} {case['reported']}")
def test_what_a_rule_leads_to(case: dict[str, Any]) -> None:
    assert [problem.id for problem in problems_for(case["rule"], case["reported"])] == case["to"]


def test_a_pressure_stands_beside_both_services() -> None:
    # MON-9: +16/+11 at 40 min in one service, +3/+3 at 30 min in another; peak 30 to 40 min.
    beside = beside_course(30, 150, 90, 128, 78)
    assert (beside.sbp_rise_mmHg, beside.dbp_rise_mmHg, beside.at_peak) == (22, 12, True)
    assert "+16/+11" in beside.words
    assert "+3/+3" in beside.words
    assert beside_course(29, 150, 90, 128, 78).at_peak is False
    assert beside_course(41, 150, 90, 128, 78).at_peak is False
    assert beside_course(40, 150, 90, None, 78).sbp_rise_mmHg is None


def test_pressure_without_symptoms_is_not_treated_with_a_drug() -> None:
    assert bedside().no_drug.rule == "MON-10"
    assert len(bedside().no_drug.reasons) == 2
