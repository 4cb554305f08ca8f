"""The parts of a note on what went wrong: adverse events, rescues, what is owed for them, the monitoring form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from limen.reports.document import Part

At = Callable[[float], str]


def harm_part(note: Mapping[str, Any], at: At) -> Part | None:
    """Adverse events with grade, seriousness, expectedness, course and what is not recorded; then the rescues."""
    harm = note.get("harm")
    if not harm or not (harm["events"] or harm["rescues"]):
        return None
    timed = [(row["t_s"], _event(row, at)) for row in harm["events"]]
    timed += [(row["t_s"], _rescue(row)) for row in harm["rescues"]]
    lines = [(at(t_s), words) for t_s, words in sorted(timed)]
    problems = [f"Does not fit: {text}." for text in harm["problems"]]
    return Part("Adverse events and rescues", lines=tuple(lines), paragraphs=tuple(problems))


def owed_part(note: Mapping[str, Any]) -> Part | None:
    """Whom to tell, by when where a source gives a time."""
    harm = note.get("harm")
    if not harm:
        return None
    certain = {duty["id"]: duty for row in harm["events"] for duty in row["duties"]}
    certain |= {duty["id"]: duty for duty in harm["session_duties"]}
    perhaps = {duty["id"]: duty for row in harm["events"] for duty in row["may_be_due"] if duty["id"] not in certain}
    words = [_duty(duty) for duty in certain.values()]
    words += [f"Perhaps, seriousness was not asked: {_duty(duty)}" for duty in perhaps.values()]
    return Part("To report", paragraphs=tuple(words)) if words else None


def form_part(note: Mapping[str, Any]) -> Part | None:
    """The monitoring form in short: what it lacks."""
    form = note.get("rems")
    if not form:
        return None
    missing = form["missing"]
    words = [f"To be submitted within {form['within_days']} days of the session."]
    words += [f"Missing in it, {len(missing)}: {'; '.join(missing)}." if missing else "Nothing is missing in it."]
    words += [f"Does not fit: {text}." for text in form["problems"]]
    return Part(form["title"], paragraphs=tuple(words))


def _event(row: Mapping[str, Any], at: At) -> str:
    words = [row["title"]]
    if row["text"] and row["text"] != row["title"]:
        words.append(f"“{row['text']}”")
    words.append("grade not recorded" if row["severity"] is None else f"grade {row['severity']}, {row['grade']}")
    words.append(
        _yes_no(row["serious"], f"serious: {', '.join(row['criteria'])}", "not serious", "seriousness not asked")
    )
    words.append(_yes_no(row["expected"], "expected", "unexpected", "not known whether expected"))
    began = row["onset_t_s"]
    ended = "not ended" if row["resolved_t_s"] is None else f"ended {at(row['resolved_t_s'])}"
    words.append(ended if began is None else f"began {at(began)}, {ended}")
    words += [f"{name} {row[name]}" for name in ("action", "outcome") if row[name]]
    if row["reported_to"]:
        words.append(f"reported to {row['reported_to']}")
    if row["missing"]:
        words.append(f"not recorded: {', '.join(row['missing'])}")
    return ", ".join(words) + (f" ({row['by']})" if row["by"] else "")


def _rescue(row: Mapping[str, Any]) -> str:
    given = row.get("what") or row.get("drug") or "rescue"
    words = [f"Rescue: {given}"]
    if row.get("dose_mg") is not None:
        words.append(f"{row['dose_mg']:g} mg")
    if row.get("volume_mL") is not None:
        strength = row.get("concentration_mg_per_mL")
        words.append(f"{row['volume_mL']:g} mL" + (f" of {strength:g} mg/mL" if strength is not None else ""))
    words += [str(row[name]) for name in ("dose", "route", "reason") if row.get(name)]
    words.append(f"standing order {row['order']}" if row.get("order") else "no standing order named")
    if row.get("asked_and_denied"):
        words.append(f"asked and denied: {'; '.join(row['asked_and_denied'])}")
    if row.get("read_back_by"):
        words.append(f"read back to {row['read_back_by']}")
    return ", ".join(words) + (f" ({row['by']})" if row.get("by") else "")


def _duty(duty: Mapping[str, Any]) -> str:
    when = "" if duty["within_days"] is None else f", within {duty['within_days']} days"
    return f"{duty['title']}{when}. {duty['text']}"


def _yes_no(value: bool | None, yes: str, no: str, unknown: str) -> str:
    return unknown if value is None else (yes if value else no)
