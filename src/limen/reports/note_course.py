"""The parts of a note on what was done: doses, events, alarms with their calls, emergencies, devices, leaving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from limen.ledger import decimal_mg, show_mg
from limen.reports.document import Part
from limen.reports.figures.clock import Clock
from limen.reports.words import said, within

Row = Mapping[str, Any]
_TITLES = {
    "owner.offered": "Hand-over offered",
    "owner.changed": "In charge from here",
    "owner.declined": "Hand-over not taken",
    "patient.called": "The patient called",
    "call.answered": "Somebody went to the patient",
    "emergency.step": "Emergency, done",
    "discharge.asked": "Asked whether the patient may leave",
    "discharged": "The patient left",
    "device.associated": "Device put on",
    "device.lost": "Device lost",
    "limits.changed": "Own limits set",
    "observation.recorded": "Observed",
    "alarm.acknowledged": "Alarm answered",
    "audio.paused": "Sound of the alarms held back",
    "monitor.started": "The monitor began to watch",
    "monitor.stopped": "The monitor stopped watching",
}
_CALLS = {"come": "please come", "ok": "all is well"}
# Said elsewhere in the note, or of no use to a reader.
_UNSAID = {"streams", "order_version"}
_CALL_WORDS = {"called": "called", "delivered": "shown to", "accepted": "going:", "nobody": "no screen showed it"}
# The monitor is never this far behind; a session whose end it has not reached was not watched to its end.
_UNWATCHED_S = 60.0
_PEOPLE = (("called", "called"), ("shown", "shown"), ("going", "going"))


def words_of(name: str, value: Any, clock: Clock) -> str:
    """A value as a page says it; a time of the session as the clock's."""
    if name.endswith("_t_s") and isinstance(value, int | float):
        return clock.at(float(value), seconds=True)
    return said(name, value)


def dose_lines(note: Row, clock: Clock) -> tuple[tuple[str, str], ...]:
    """Every rate with what went in at it, every pause, every dose at once."""
    lines = []
    for row in note.get("doses") or ():
        amount = show_mg(decimal_mg(round(row["dose_mg"], 4)))
        if "rate_mg_per_h" not in row:
            devices = f", {row['devices']} device{'s' if row['devices'] > 1 else ''}" if row.get("devices") else ""
            words = f"{amount} mg at once, {row['route']}{devices}" + (f" ({row['by']})" if row.get("by") else "")
        else:
            until = "still running" if row["until_t_s"] is None else f"to {clock.at(row['until_t_s'], seconds=True)}"
            rate = f"{row['rate_mg_per_h']:g} mg/h" if row["rate_mg_per_h"] > 0 else "paused"
            words = f"{rate} {until}" + (f", {amount} mg" if row["rate_mg_per_h"] > 0 else "")
        lines.append((clock.at(row["t_s"], seconds=True), words))
    return tuple(lines)


def event_line(row: Row, clock: Clock) -> tuple[str, str]:
    """One event as a line of the story, with who wrote it down and, if much later, when."""
    kind = str(row["kind"])
    words = _TITLES.get(kind) or kind.replace(".", " ").replace("-", " ")
    detail = row["detail"]
    if kind == "patient.called":
        told = _CALLS.get(detail.get("signal"), "")
    elif kind in {"owner.offered", "owner.changed"}:
        told = str(detail.get("to") or "nobody named")
    elif kind == "rescue.given":
        told = str(detail.get("what") or detail.get("drug") or "")
    elif kind == "device.associated":
        told = str(detail.get("device") or "not named")
    elif kind == "emergency.step":
        told = str(detail.get("what"))
    elif kind == "limits.changed" and not detail.get("limits"):
        words = "Own limits taken off, the rules' limits hold"
        told = str(detail.get("reason") or "")
    elif kind == "audio.paused":
        told = _held_back(detail)
    elif kind == "alarm.acknowledged":
        told = _answered(detail, clock)
    elif kind in {"monitor.started", "monitor.stopped"}:
        told = str(detail.get("note") or detail.get("reason") or "")
    else:
        told = ", ".join(
            f"{within(name)} {words_of(name, value, clock)}" for name, value in detail.items() if name not in _UNSAID
        )
    later = f", written down {clock.at(row['written_t_s'])}" if row.get("written_t_s") is not None else ""
    by = f" ({row['by']}{later})" if row.get("by") else (f" ({later[2:]})" if later else "")
    return clock.at(row["t_s"]), f"{words[:1].upper()}{words[1:]}" + (f": {told}" if told else "") + by


def correction_line(row: Row, clock: Clock) -> tuple[str, str]:
    """What one entry was and became, by whom and why."""
    was = ", ".join(f"{within(name)} {words_of(name, value, clock)}" for name, value in (row["was"] or {}).items())
    now = ", ".join(f"{within(name)} {words_of(name, value, clock)}" for name, value in (row["is"] or {}).items())
    change = f"{was} entered in error" if row["in_error"] else f"{was} replaced by {now}"
    why = f", “{row['reason']}”" if row.get("reason") else ", no reason written"
    what = str(row.get("kind") or row["entry"]).replace(".", " ").replace("-", " ")
    if row.get("entry_t_s") is not None:
        what += f" of {clock.at(row['entry_t_s'])}" + (f" by {row['entry_by']}" if row.get("entry_by") else "")
    return clock.at(row["t_s"]), f"{row.get('by') or 'not said'}: {what}, {change}{why}"


def _answered(detail: Row, clock: Clock) -> str:
    """Which alarm was answered, by what it was about and when it began; its id names rule, signal and tier beside."""
    key, _, raised = str(detail.get("alarm") or "").rpartition("@")
    _, _, about = key.partition("/")
    _, _, about = about.partition("/")
    condition = about.rpartition("/")[0] or str(detail.get("condition") or detail.get("signal") or "")
    begun = f" of {clock.at(float(raised), seconds=True)}" if condition and raised.replace(".", "", 1).isdigit() else ""
    return ", ".join(
        words for words in (condition + begun or str(detail.get("alarm") or ""), str(detail.get("note") or "")) if words
    )


def _held_back(detail: Row) -> str:
    """For how long the sound was held back, and how long was asked for where the rules allow less."""
    asked_s, held_s = detail.get("duration_s"), detail.get("held_s")
    if held_s is None:
        return "" if asked_s is None else f"asked for {asked_s:g} s"
    asked = f", asked for {asked_s:g} s" if asked_s is not None and asked_s != held_s else ""
    return f"for {held_s:g} s{asked}"


def alarm_part(note: Row, calls: Sequence[Row], clock: Clock) -> Part:
    """Every alarm with its end, who saw it, and who was called for it."""
    lines = []
    for row in note["alarms"]:
        ended = f"to {clock.at(row['ended_t_s'], seconds=True)}" if row["ended_t_s"] is not None else "not ended"
        words = f"{row['priority']}, {row['kind']}: {row['because']}; {ended}"
        if row.get("acknowledged_t_s") is not None:
            by = row.get("acknowledged_by") or "not said"
            words += f"; seen {clock.at(row['acknowledged_t_s'], seconds=True)} by {by}"
        mine = [call for call in calls if call["alarm"] == row.get("id")]
        called = [
            " ".join(
                part
                for part in (_CALL_WORDS[call["kind"]], call["who"] or "", clock.at(call["t_s"], seconds=True))
                if part
            )
            for call in mine
        ]
        lines.append((clock.at(row["t_s"], seconds=True), "; ".join([words, *called])))
    told = _watched(note, clock) or (() if lines else ("None.",))
    return Part("Alarms", lines=tuple(lines), paragraphs=told)


def _watched(note: Row, clock: Clock) -> tuple[str, ...]:
    """No alarm is good news only where somebody watched."""
    until_t_s = note.get("watched_until_t_s")
    last_t_s = (note.get("trends") or {}).get("until_t_s")
    if until_t_s is None or last_t_s is None or until_t_s >= last_t_s - _UNWATCHED_S:
        return ()
    if until_t_s < 0:
        return ("No alarm was judged: the monitor did not watch this session.",)
    return (f"Watched only up to {clock.at(until_t_s, seconds=True)}: no alarm was judged after that.",)


def emergency_parts(emergencies: Sequence[Row], clock: Clock) -> list[Part]:
    """Each emergency: who pressed, who was called and came, which role and step was whose, how it ended."""
    parts = []
    for row in emergencies:
        lines = [(row["started_at"], f"Started by {row['started_by']}")]
        for person in row["people"]:
            lines += [(person[key], f"{person['name']} {word}") for key, word in _PEOPLE if key in person]
            if "shown" not in person:
                lines.append(
                    (person.get("called") or row["started_at"], f"{person['name']}: no screen showed the call")
                )
        lines += [(step["at"], f"{what} ({step['by']})") for what, step in row["steps"].items()]
        ended = row["ended_at"]
        lines.append((ended, f"Ended: {row['outcome'] or 'no outcome written'}") if ended else ("", "Not ended"))
        taken = [f"{role}: {name}" for role, name in row["roles"].items()]
        taken += [f"chair {chair} taken by {name}" for chair, name in row["chairs_taken"].items()]
        timed = sorted(lines, key=lambda line: line[0] or "~")
        parts.append(
            Part(
                "Emergency",
                paragraphs=(f"Roles: {'; '.join(taken)}." if taken else "No role was taken by name.",),
                lines=tuple((_wall(at, clock), words) for at, words in timed),
            )
        )
    return parts


def _wall(at: str, clock: Clock) -> str:
    return datetime.fromisoformat(at).astimezone(clock.zone).strftime("%H:%M:%S") if at else "–"


def device_part(note: Row, more: Mapping[str, str], clock: Clock) -> Part | None:
    """From when to when each device was on, what is known of its clock, and of values it sent that were not taken."""
    lines = []
    for row in note.get("devices") or ():
        signals = ", ".join(row["signals"]) or "signals not said"
        words = f"{row['device']}: {signals}" + (f" ({row['by']})" if row["by"] else "")
        if row["until_t_s"] is not None:
            because = f": {row['lost_because']}" if row["lost_because"] else ""
            words += f"; lost {clock.at(row['until_t_s'], seconds=True)}{because}"
        begin = "–" if row["from_t_s"] is None else clock.at(row["from_t_s"], seconds=True)
        lines.append((begin, words))
    if not lines and not more:
        return None
    told = tuple(f"{name}: {words}." for name, words in sorted(more.items()))
    return Part("Devices", lines=tuple(lines), paragraphs=told or ("No clock of a device was compared.",))


def leaving_lines(note: Row, clock: Clock) -> tuple[tuple[str, str], ...]:
    """Each time somebody asked, and each reason against; then who let the patient go, and against what."""
    leaving = note.get("leaving")
    if not leaving:
        return ()
    lines = [
        (
            clock.at(row["t_s"]),
            f"Asked by {row['by'] or 'not said'}: " + ("ready." if row["ready"] else f"not ready. {_unmet(row)}"),
        )
        for row in leaving["asked"]
    ]
    left = leaving["left"]
    if left is not None:
        who = left["by"] or "not said"
        words = f"Left, let go by {who}" if left["ready"] else f"LEFT THOUGH NOT READY, let go by {who}. {_unmet(left)}"
        if not left["ready"]:
            words += f" Reason: {left['reason'] or 'none written'}."
        elif left["reason"]:
            words += f". {left['reason']}"
        lines.append((clock.at(left["t_s"]), words))
    if leaving["ended"] is not None:
        ended = leaving["ended"]
        why = ended["reason"] or "no reason written"
        lines.append((clock.at(ended["t_s"]), f"Ended without discharge by {ended['by'] or 'not said'}: {why}"))
    if leaving["earliest_t_s"] is not None:
        because = leaving["earliest_because"]
        lines.append((clock.at(leaving["earliest_t_s"]), f"Earliest by the minimum time: {because}"))
    return tuple(lines)


def _unmet(row: Row) -> str:
    return "Not met: " + "; ".join(f"{entry['rule']} {entry['because']}" for entry in row["unmet"]) + "."
