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
from limen.session.events import Event
from limen.session.harm import harm_rows
from limen.session.header import SessionHeader
from limen.session.note_events import correction_rows, event_rows, vital_rows
from limen.session.schedule import DueList
from limen.session.state import SessionState
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
    readiness: Mapping[str, Any] | None = None,
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
    readiness : mapping, optional
        The last answer to the question of discharge.
    recorded : mapping, optional
        Part to field to value: what the clinic knows beside the events.
    rems : mapping, optional
        The filled monitoring form, where one is owed.
    until_t_s : float
        The last second that was watched.

    Returns
    -------
    dict
        ``parts`` (title and fields), ``vitals``, ``trends``, ``events``, ``alarms``, ``harm``, ``rems``,
        ``differences``, ``corrections``, ``missing``.
    """
    known = recorded or {}
    ordered = _number(known, "order", "dose_mg")
    parts = [
        _part("header", "Header", known, _header(header)),
        _part("who", "Who", known, _who(header, state)),
        _part("pre_check", "Before", known, _before(header)),
        _part("order", "Ordered", known, _order(header)),
        _part("given", "Given", known, _given(state)),
        _part("waste", "Waste", known, {"waste_mg": None, "witness": None, "log_number": None}),
        _part("therapy", "Therapy", known, {"preparation": None, "music": None, "next_integration_on": None}),
        _part("discharge", "Leaving", known, _leaving(state, readiness)),
        _part(
            "after", "After", known, {"call_24_h": None, "response": None, "plan": None, "next_on": None, "due": None}
        ),
        _part("audit", "Audit", known, _audit(state, events)),
    ]
    return {
        "parts": parts,
        "vitals": vital_rows(state, samples, rules),
        "trends": trends(header, state, events, samples, rules, until_t_s=until_t_s),
        "observations_due": due.to_json() if due is not None else None,
        "events": event_rows(state, events),
        "alarms": [_alarm_row(alarm) for alarm in alarms],
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


def _who(header: SessionHeader, state: SessionState) -> dict[str, Any]:
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
        "escort_name": None,
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


def _given(state: SessionState) -> dict[str, Any]:
    last = state.infusions[-1] if state.infusions else None
    volumes = [entry.pump_volume_mL for entry in state.infusions if entry.pump_volume_mL is not None]
    rates = [
        f"{part.rate_mg_per_h:g} mg/h from {span(part.start_t_s)}"
        for entry in state.infusions
        for part in entry.segments
        if part.start_t_s >= 0
    ]
    given = state.dose_start_t_s is not None
    return {
        "route": last.route if last else (state.doses[-1].route if state.doses else None),
        "site": None,
        "start_t_s": state.dose_start_t_s,
        "stop_t_s": state.end_t_s,
        "rates": rates if rates else None,
        "given_mg": float(state.given_mg) if given else None,
        "pump_volume_mL": sum(volumes) if volumes else None,
        "devices": sum(dose.devices or 0 for dose in state.doses) or None,
    }


def _leaving(state: SessionState, readiness: Mapping[str, Any] | None) -> dict[str, Any]:
    def latest(key: str) -> Any:
        noted = state.latest.get(key)
        return noted.value if noted is not None else None

    unmet = None if readiness is None else [f"{entry['rule']}: {entry['because']}" for entry in readiness["unmet"]]
    return {
        "aldrete": latest("aldrete"),
        "moaas": latest("moaas"),
        "cadss": latest("cadss"),
        "asked_t_s": state.asked_t_s[-1] if state.asked_t_s else None,
        "ready": None if readiness is None else readiness["ready"],
        "unmet": unmet,
        "discharged_t_s": state.discharged_t_s,
        "escort": latest("escort"),
        "instructions_given": latest("instructions_given"),
        "condition": None,
        "signed_by": None,
    }


def _audit(state: SessionState, events: Sequence[Event]) -> dict[str, Any]:
    authors = sorted({event.by for event in events if event.by})
    return {
        "written_by": authors or None,
        "events": len(events),
        "corrections": len(state.corrections),
        "irregular": [f"{entry['kind']}: {entry['because']}" for entry in state.irregular],
        "overrides": None,
        "device": list(state.devices) or None,
    }


def _alarm_row(alarm: Alarm) -> dict[str, Any]:
    return {
        "t_s": alarm.t_s,
        "ended_t_s": alarm.ended_t_s,
        "priority": alarm.priority,
        "kind": alarm.kind,
        "condition": alarm.condition,
        "because": alarm.because,
        "acknowledged_t_s": alarm.acknowledged_t_s,
        "acknowledged_by": alarm.acknowledged_by or None,
    }


def _number(known: Mapping[str, Any], part: str, name: str) -> float | None:
    entry = known.get(part)
    value = entry.get(name) if isinstance(entry, Mapping) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
