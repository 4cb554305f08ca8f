"""The session note as data: every part of a complete note, written from the events; what is not there is said.

A field is ``{"field", "value", "said"}``: the value, ``None`` where it is not recorded, and the words a page prints.
The clinic adds what events do not hold (names, consent, order, ledger) under ``recorded``, by the same part and field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from limen.care.alarm_limits import span
from limen.care.alarm_state import Alarm, Sample
from limen.knowledge.monitoring import MonitoringRules
from limen.session.differences import differences
from limen.session.events import AlarmAcknowledged, Event, InfusionStarted
from limen.session.harm import harm_rows
from limen.session.header import SessionHeader
from limen.session.note_events import correction_rows, event_rows, vital_rows
from limen.session.note_leaving import device_rows, leaving_rows
from limen.session.schedule import DueList
from limen.session.state import SessionState, corrected
from limen.session.trends import trends

NOT_RECORDED = "not recorded"

Field = dict[str, Any]


def build_note(
    header: SessionHeader,
    state: SessionState,
    events: Sequence[Event],
    alarms: Sequence[Alarm],
    *,
    samples: Sequence[Sample],
    rules: MonitoringRules,
    due: DueList | None = None,
    answers: Sequence[Mapping[str, Any]] = (),
    at_leaving: Mapping[str, Any] | None = None,
    recorded: Mapping[str, Any] | None = None,
    rems: Mapping[str, Any] | None = None,
    until_t_s: float = 0.0,
) -> dict[str, Any]:
    """Everything a session note holds.

    Parameters
    ----------
    state : SessionState
        The session as it stands when the note is written.
    events : sequence of Event
        As recorded, corrections included.
    alarms : sequence of Alarm
        Each in its last form.
    samples : sequence of Sample
        As received.
    due : DueList, optional
        The observations owed.
    answers : sequence of mapping
        The answer to each question of discharge.
    at_leaving : mapping, optional
        The answer at the second the patient left, whether it was asked or not.
    recorded : mapping, optional
        Part to field to value: what the clinic knows beside the events.
    rems : mapping, optional
        The filled monitoring form, where one is owed.
    until_t_s : float
        The last second that was watched.

    Returns
    -------
    dict
        ``parts`` (title and fields), ``vitals``, ``trends``, ``doses``, ``devices``, ``events``, ``alarms``, ``harm``,
        ``rems``, ``leaving``, ``differences``, ``corrections``, ``missing``.
    """
    known = recorded or {}
    ordered = _number(known, "order", "dose_mg")
    leaving = leaving_rows(events, answers, at_leaving, state.at_t_s)
    parts = [
        _part("header", "Header", known, _header(header)),
        _part("who", "Who", known, _who(header, state, leaving)),
        _part("pre_check", "Before", known, _before(header)),
        _part("order", "Ordered", known, _order(header)),
        _part("given", "Given", known, _given(state, events)),
        _part("waste", "Waste", known, {"waste_mg": None, "witness": None, "log_number": None}),
        _part("therapy", "Therapy", known, {"preparation": None, "music": None, "next_integration_on": None}),
        _part("discharge", "Leaving", known, _leaving(state, leaving)),
        _part(
            "after", "After", known, {"call_24_h": None, "response": None, "plan": None, "next_on": None, "due": None}
        ),
        _part("audit", "Audit", known, _audit(state, events)),
    ]
    return {
        "parts": parts,
        "vitals": vital_rows(state, samples, rules),
        "trends": trends(header, state, events, samples, rules, until_t_s=until_t_s),
        "watched_until_t_s": until_t_s,
        "doses": dose_rows(state),
        "devices": device_rows(events, state.at_t_s),
        "leaving": leaving,
        "observations_due": due.to_json() if due is not None else None,
        "events": event_rows(state, events, rules),
        "alarms": _alarm_rows(alarms, corrected(events, state.at_t_s)),
        "harm": harm_rows(header, state),
        "rems": None if rems is None else dict(rems),
        "differences": differences(state, events, ordered_mg=ordered),
        "corrections": correction_rows(events),
        "missing": [
            f"{part['title']}: {field['field']}" for part in parts for field in part["fields"] if field["value"] is None
        ],
    }


def _part(key: str, title: str, known: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """One part; what the clinic recorded goes before what the events say, and may add fields."""
    given = known.get(key)
    extra = given if isinstance(given, Mapping) else {}
    merged = {**fields, **{name: value for name, value in extra.items() if value is not None}}
    return {"part": key, "title": title, "fields": [_field(name, value) for name, value in merged.items()]}


def _field(name: str, value: Any) -> Field:
    return {"field": name, "value": value, "said": _said(name, value)}


def _said(name: str, value: Any) -> str:
    if value is None:
        return NOT_RECORDED
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and name.endswith("_mg"):
        return f"{value:.1f} mg"
    if isinstance(value, int | float) and name.endswith("_t_s"):
        return f"{'-' if value < 0 else ''}{span(abs(value))} from the start"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return "; ".join(str(entry) for entry in value) or "none"
    return str(value)


def _header(header: SessionHeader) -> dict[str, Any]:
    return {
        "clinic": None,
        "date": None,
        "session_number": header.session_number,
        "lifetime_number": None,
        "protocol": header.protocol,
        "protocol_version": None,
        "indication": None,
        "consent_version": None,
        "consent_on": None,
    }


def _who(header: SessionHeader, state: SessionState, leaving: Mapping[str, Any]) -> dict[str, Any]:
    patient = header.patient or {}
    weight = patient.get("weight_kg")
    return {
        "patient": None,
        "identifier": None,
        "born_on": None,
        "weight_kg": float(weight) if isinstance(weight, int | float) else None,
        "weight_on": patient.get("weight_on"),
        "prescriber": None,
        "monitored_by": state.owner,
        "therapist": None,
        "escort_name": (leaving["left"] or {}).get("escort_name"),
        "escort_phone": None,
    }


def _before(header: SessionHeader) -> dict[str, Any]:
    return {
        "selection_asked_again": None,
        "fasting": None,
        "medicines_24_h": None,
        "alcohol_and_drugs": None,
        "pregnancy_test_on": None,
        "urine_drug_screen_on": None,
        "pdmp_on": None,
        **header.baseline_values(),
        "pain_or_mood_score": None,
        "cssrs": None,
        "bladder": None,
    }


def _order(header: SessionHeader) -> dict[str, Any]:
    return {
        "product": header.product,
        "salt": None,
        "lot": None,
        "expires_on": None,
        "concentration_mg_per_mL": None,
        "basis": None,
        "dose_mg": None,
        "volume_mL": None,
        "diluent": None,
        "rate_mL_per_h": None,
        "signed_by": None,
    }


def _given(state: SessionState, events: Sequence[Event]) -> dict[str, Any]:
    last = state.infusions[-1] if state.infusions else None
    volumes = [entry.pump_volume_mL for entry in state.infusions if entry.pump_volume_mL is not None]
    whole = len(volumes) == len(state.infusions)  # the volume of a part is not the volume given
    started = [event for event in corrected(events, state.at_t_s) if isinstance(event, InfusionStarted)]
    sites = [event.site for event in started if event.site]
    given = state.dose_start_t_s is not None
    routes = [*(run.route for run in state.infusions), *(dose.route for dose in state.doses)]
    return {
        "route": "; ".join(dict.fromkeys(routes)) or None,
        "site": "; ".join(dict.fromkeys(sites)) or None,
        "start_t_s": state.dose_start_t_s,
        "stop_t_s": state.end_t_s,
        "given_mg": float(state.given_mg) if given else None,
        **({} if last is None else {"pump_volume_mL": sum(volumes) if whole else None}),
        **({"devices": sum(dose.devices or 0 for dose in state.doses) or None} if _nasal(state) else {}),
    }


def _nasal(state: SessionState) -> bool:
    return any(dose.route in {"in", "nasal"} for dose in state.doses)


def dose_rows(state: SessionState) -> list[dict[str, Any]]:
    """Every rate of the pump with its end and what went in at it, and every dose given at once, in order of time."""
    rows: list[dict[str, Any]] = []
    for run in state.infusions:
        for part in run.segments:
            end_t_s = state.at_t_s if part.end_t_s is None else part.end_t_s
            rows.append(
                {
                    "t_s": part.start_t_s,
                    "until_t_s": part.end_t_s,
                    "rate_mg_per_h": part.rate_mg_per_h,
                    "dose_mg": run.given_mg(end_t_s) - run.given_mg(part.start_t_s),
                    "route": run.route,
                }
            )
    for dose in state.doses:
        row = {"t_s": dose.t_s, "dose_mg": dose.dose_mg, "route": dose.route, "by": dose.by}
        rows.append(row | ({"devices": dose.devices} if dose.devices else {}))
    return sorted(rows, key=lambda row: row["t_s"])


def _leaving(state: SessionState, leaving: Mapping[str, Any]) -> dict[str, Any]:
    def latest(key: str) -> Any:
        noted = state.latest.get(key)
        return noted.value if noted is not None else None

    asked, left, ended = leaving["asked"], leaving["left"], leaving["ended"]
    answer = left or (asked[-1] if asked else None)
    fields: dict[str, Any] = {
        "aldrete": latest("aldrete"),
        "moaas": latest("moaas"),
        "cadss": latest("cadss"),
        "asked_t_s": asked[-1]["t_s"] if asked else None,
        "ready": None if answer is None else answer["ready"],
        "unmet": None if answer is None else [f"{entry['rule']}: {entry['because']}" for entry in answer["unmet"]],
        "discharged_t_s": state.discharged_t_s,
        "let_go_by": None if left is None else left["by"],
        "escort": latest("escort"),
        "leaves_with": None if left is None else left["escort_name"],
        "instructions_given": latest("instructions_given"),
        "emergency_number_given": latest("emergency_number_given"),
        "safety_plan_given": latest("safety_plan_given"),
        "next_cssrs_on": latest("next_cssrs_on"),
        "condition": None if left is None else left["condition"],
    }
    if left is not None and not left["ready"]:
        fields["left_all_the_same"] = left["reason"]
    if ended is not None:
        fields |= {"ended_t_s": ended["t_s"], "ended_by": ended["by"], "ended_because": ended["reason"]}
    return fields


def _audit(state: SessionState, events: Sequence[Event]) -> dict[str, Any]:
    authors = sorted({event.by for event in events if event.by})
    return {
        "written_by": authors or None,
        "events": len(events),
        "corrections": len(state.corrections),
        "irregular": [f"{entry['kind']}: {entry['because']}" for entry in state.irregular],
        "overrides": None,
        "device": list(dict.fromkeys(row["device"] for row in device_rows(events, state.at_t_s))) or None,
    }


def _alarm_rows(alarms: Sequence[Alarm], true: Sequence[Event]) -> list[dict[str, Any]]:
    """Each alarm with who answered it: while it stood, or once it had ended by itself."""
    answers: dict[str, AlarmAcknowledged] = {}
    for event in true:
        if isinstance(event, AlarmAcknowledged) and event.alarm is not None:
            answers.setdefault(event.alarm, event)
    rows = []
    for alarm in alarms:
        seen_t_s, seen_by = alarm.acknowledged_t_s, alarm.acknowledged_by
        after = answers.get(alarm.id)
        if seen_t_s is None and after is not None:
            seen_t_s, seen_by = after.t_s, after.by
        rows.append(
            {
                "id": alarm.id,
                "t_s": alarm.t_s,
                "ended_t_s": alarm.ended_t_s,
                "priority": alarm.priority,
                "kind": alarm.kind,
                "condition": alarm.condition,
                "because": alarm.because,
                "acknowledged_t_s": seen_t_s,
                "acknowledged_by": seen_by or None,
            }
        )
    return rows


def _number(known: Mapping[str, Any], part: str, name: str) -> float | None:
    entry = known.get(part)
    value = entry.get(name) if isinstance(entry, Mapping) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
