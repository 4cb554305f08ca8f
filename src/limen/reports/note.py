"""The session note as a printed record: the note's data, put in the order and words of a page.

``content`` is what the clinic freezes when a note is signed::

    {"issuer", "title", "aside": [..], "identity": [[label, value], ..], "started_at": ISO | null, "zone": "UTC",
     "note": build_note(..), "account": reconciliation | null, "pump": account of the pump | null, "calls": [..],
     "emergencies": [..], "devices": {name: words}, "clock_turned_s", "marks": [..], "product_version",
     "knowledge_release"}

Screen and paper are made from the same ``Document``, so they cannot say different things.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from limen.ledger import decimal_mg, show_mg
from limen.reports.document import Document, Part, Signature, Table
from limen.reports.figures.clock import Clock
from limen.reports.figures.session import session_figure
from limen.reports.note_course import (
    alarm_part,
    correction_line,
    device_part,
    dose_lines,
    emergency_parts,
    event_line,
    leaving_lines,
    words_of,
)
from limen.reports.note_harm import form_part, harm_part, owed_part
from limen.reports.paper import pdf, render
from limen.reports.words import label, within

_SEEN = ("Time", "BP mmHg", "HR /min", "RR /min", "SpO2 %", "MOAA/S", "Dissociation 0–4", "By")
_BY_HAND = "*"
_SIGNALS = {"HR": "heart rate", "SPO2": "SpO2", "RR": "breathing rate"}
_IN_PAGE_HEAD = ("header", "who")
_ELSEWHERE = {"given_mg", "waste_mg"}
_IN_LINES = frozenset(
    {
        "asked_t_s",
        "ready",
        "unmet",
        "discharged_t_s",
        "let_go_by",
        "left_all_the_same",
        "ended_t_s",
        "ended_by",
        "ended_because",
    }
)


def render_note_typst(
    content: Mapping[str, Any], *, signatures: Sequence[Signature] = (), seal: str = "", status: str = ""
) -> str:
    """The typst source of a note."""
    return render(note_document(content, signatures=signatures, seal=seal, status=status))


def note_pdf(
    content: Mapping[str, Any],
    *,
    signatures: Sequence[Signature] = (),
    seal: str = "",
    status: str = "",
    fonts: Path | None = None,
) -> bytes:
    """The PDF of a note."""
    return pdf(render_note_typst(content, signatures=signatures, seal=seal, status=status), fonts=fonts)


def note_document(
    content: Mapping[str, Any], *, signatures: Sequence[Signature] = (), seal: str = "", status: str = ""
) -> Document:
    """A note as a document.

    Parameters
    ----------
    seal : str
        The hash of the signed content; empty on a draft.
    status : str
        What stands across the top of a draft.
    """
    note = content["note"]
    clock = Clock(content.get("started_at"), content.get("zone") or "UTC")
    parts = {part["part"]: part for part in note["parts"]}
    listed = [
        _plain(parts, "pre_check", "Before", clock, narrow=True),
        _given(note, parts, clock),
        _drawn(content),
        _seen(note, clock),
        _also_seen(note, clock),
        alarm_part(note, content.get("calls") or (), clock),
        *emergency_parts(content.get("emergencies") or (), clock),
        harm_part(note, clock.at),
        owed_part(note),
        Part("Events", lines=tuple(event_line(row, clock) for row in note["events"]), paragraphs=_none(note["events"])),
        device_part(note, content.get("devices") or {}, clock),
        _account(content.get("account"), content.get("pump"), parts, clock),
        _differences(note, clock),
        _leaving(note, parts, clock),
        _next(note, parts, clock),
        _plain(parts, "therapy", "Therapy", clock),
        form_part(note),
        _corrections(note, clock),
        _written(content, parts, clock),
        _missing(note),
        Part("Unverified values used", marks=tuple(content.get("marks") or ())) if content.get("marks") else None,
    ]
    return Document(
        issuer=content["issuer"],
        title=content["title"],
        aside=tuple(content.get("aside") or ()),
        status=status,
        identity=tuple((name, value) for name, value in content["identity"]),
        parts=tuple(part for part in listed if part is not None),
        signatures=tuple(signatures),
        origin=_origin(content),
        seal=seal,
    )


def _recorded(
    part: Mapping[str, Any] | None, clock: Clock, but: frozenset[str] = frozenset()
) -> tuple[tuple[str, str], ...]:
    fields = part["fields"] if part else []
    return tuple(
        (label(field["field"]), words_of(field["field"], field["value"], clock))
        for field in fields
        if field["value"] is not None and field["field"] not in _ELSEWHERE | but
    )


def _plain(parts: Mapping[str, Any], key: str, title: str, clock: Clock, *, narrow: bool = False) -> Part | None:
    rows = _recorded(parts.get(key), clock)
    if not rows and not narrow:
        return None
    return Part(title, rows=rows, paragraphs=() if rows else ("Nothing recorded.",), narrow=narrow)


def _given(note: Mapping[str, Any], parts: Mapping[str, Any], clock: Clock) -> Part:
    given = next((field["value"] for field in parts["given"]["fields"] if field["field"] == "given_mg"), None)
    figure = "Nothing given" if given is None else f"{show_mg(decimal_mg(given))} mg given"
    rows = (*_recorded(parts.get("order"), clock), *_recorded(parts.get("given"), clock))
    return Part("Ordered and given", figure=figure, rows=rows, lines=dose_lines(note, clock), narrow=True)


def _leaving(note: Mapping[str, Any], parts: Mapping[str, Any], clock: Clock) -> Part:
    """How the patient was and left; what stood against it is told in lines, not twice."""
    rows = _recorded(parts.get("discharge"), clock, but=_IN_LINES if note.get("leaving") else frozenset())
    lines = leaving_lines(note, clock)
    return Part("Leaving", rows=rows, lines=lines, paragraphs=() if rows or lines else ("Nothing recorded.",))


def _next(note: Mapping[str, Any], parts: Mapping[str, Any], clock: Clock) -> Part:
    rows = _recorded(parts.get("after"), clock)
    due = tuple(f"{item['rule']}: {item['text']}." for item in (note.get("leaving") or {}).get("afterwards", ()))
    return Part("Next", rows=rows, paragraphs=due or (() if rows else ("Nothing recorded.",)))


def _written(content: Mapping[str, Any], parts: Mapping[str, Any], clock: Clock) -> Part:
    """Who wrote, and by which clock every time of this note was taken."""
    rows = (*_recorded(parts.get("audit"), clock), ("Clock", f"{clock.words}, the server's"))
    turned_s = content.get("clock_turned_s")
    if turned_s:
        way = "back" if turned_s > 0 else "forward"
        rows = (
            *rows,
            ("Clock set", f"{way} by {abs(turned_s):g} s in the session: times here count on from the start"),
        )
    return Part("Written", rows=rows)


def _drawn(content: Mapping[str, Any]) -> Part | None:
    figure = session_figure(content["note"], started_at=content.get("started_at"), zone=content.get("zone") or "UTC")
    return None if figure is None else Part(figure.title, picture=figure)


def _seen(note: Mapping[str, Any], clock: Clock) -> Part:
    rows = [
        (
            row["t_s"],
            (
                clock.at(row["t_s"]),
                _pressure(row),
                *(_number(row, name) for name in ("hr_per_min", "rr_per_min", "spo2_pct", "moaas", "dissociation")),
                _who(row, clock),
            ),
        )
        for row in note["vitals"]
    ]
    table = Table(_SEEN, tuple(cells for _, cells in sorted([*rows, *_blind(note, clock)], key=lambda row: row[0])))
    words = [*_owed(note, clock)]
    if any(row.get("written") for row in note["vitals"]):
        words.append(f"{_BY_HAND} written down by a person; every other value is the monitor's at that moment.")
    if not table.rows:
        return Part("Seen", paragraphs=("No observation and no pressure recorded.", *words))
    return Part("Seen", tables=(table,), paragraphs=tuple(words))


def _also_seen(note: Mapping[str, Any], clock: Clock) -> Part | None:
    """What the observations say beside the columns of their table: each with its time and who wrote it."""
    rows = [row for row in note["vitals"] if row.get("also")]
    told = [event_line({**row, "kind": "observation.recorded", "detail": row["also"]}, clock) for row in rows]
    lines: list[tuple[str, str]] = []
    for words, same in groupby(told, key=itemgetter(1)):
        times = [at for at, _ in same]
        again = f"; the same at each of {len(times)} until {times[-1]}" if len(times) > 1 else ""
        lines.append((times[0], words.removeprefix("Observed: ") + again))
    return Part("Also observed", lines=tuple(lines)) if lines else None


def _who(row: Mapping[str, Any], clock: Clock) -> str:
    words = [str(row.get("by") or ("not said" if row.get("written") else "device"))]
    if row.get("written_t_s") is not None:
        words.append(f"written {clock.at(row['written_t_s'])}")
    if row.get("unconfirmed"):
        words.append(f"NOT CONFIRMED: {', '.join(within(name) for name in row['unconfirmed'])}")
    return ", ".join(words)


def _owed(note: Mapping[str, Any], clock: Clock) -> list[str]:
    """How many observations were due, done, late and never made; those never made with their times."""
    due = note.get("observations_due") or {}
    last_t_s = (note.get("trends") or {}).get("until_t_s", math.inf)
    owed = [entry for entry in due.get("entries") or () if entry["status"] != "coming" and entry["due_t_s"] <= last_t_s]
    if not owed:
        return []
    done = sum(entry["status"] in {"done", "late-done"} for entry in owed)
    late = sum(entry["status"] == "late-done" for entry in owed)
    never = [clock.at(entry["due_t_s"]) for entry in owed if entry["status"] in {"missed", "due"}]
    words = f"Observations due up to the end: {len(owed)}, done {done}, {late} of them late"
    return [f"{words}; not made: {len(never)}, due at {', '.join(never)}." if never else f"{words}."]


def _blind(note: Mapping[str, Any], clock: Clock) -> list[tuple[float, tuple[str, ...]]]:
    """A line across the table wherever a monitor that had given a signal gave none."""
    spans: dict[tuple[str, str], tuple[float, list[str]]] = {}
    for signal, seen in ((note.get("trends") or {}).get("signals") or {}).items():
        for begin, end in seen.get("gaps", ()):
            ends = (clock.at(begin, seconds=True), clock.at(end, seconds=True))
            spans.setdefault(ends, (begin, []))[1].append(_SIGNALS.get(signal, signal))
    return [
        (begin, (clock.at(begin), f"No {', '.join(names)} from the monitor, {first} to {last}"))
        for (first, last), (begin, names) in spans.items()
    ]


def _pressure(row: Mapping[str, Any]) -> str:
    systolic, diastolic = row.get("sbp_mmHg"), row.get("dbp_mmHg")
    if systolic is None and diastolic is None:
        return "–"
    hand = _BY_HAND if {"sbp_mmHg", "dbp_mmHg"} & set(row.get("written") or ()) else ""
    return f"{_plain_number(systolic)}/{_plain_number(diastolic)}{hand}"


def _number(row: Mapping[str, Any], name: str) -> str:
    return _plain_number(row.get(name)) + (_BY_HAND if name in (row.get("written") or ()) else "")


def _plain_number(value: Any) -> str:
    return "–" if value is None else f"{value:g}"


def _none(rows: Sequence[Any]) -> tuple[str, ...]:
    return () if rows else ("None.",)


def _account(
    account: Mapping[str, Any] | None, pump: Mapping[str, Any] | None, parts: Mapping[str, Any], clock: Clock
) -> Part | None:
    waste = _recorded(parts.get("waste"), clock)
    read = tuple(f"Pump: {row['said']}." for row in (pump or {}).get("rows", ()))
    read += tuple(f"Pump: {words}." for words in ((pump or {}).get("pump") or {}).get("notes", ()))
    if account is None:
        return Part("Drug", rows=waste, paragraphs=read) if waste or read else None
    closing = (
        f"{account['drawn_mg']} mg drawn = {account['given_mg']} given + {account['wasted_mg']} wasted + "
        f"{account['returned_mg']} returned"
    )
    vials = ", ".join(account["vials"])
    if account["open_mg"] == "0.0":
        title = f"Vial {vials} closes to 0.0 mg" if account["vials"] else "Nothing was drawn up"
    else:
        title = f"Vial {vials}: {account['open_mg']} mg not accounted for"
        closing += f"; {account['open_mg']} mg open"
    notes = [
        f"{item['what']}: {item['expected_mg']} and {item['actual_mg']} mg, difference {item['difference_mg']} mg; "
        + ("; ".join(item["explained_by"]) or ("equal to 0.1 mg" if item.get("explained") else "not explained"))
        for item in account["differences"]
        if item["difference_mg"] != "0.0"
    ]
    return Part(title, paragraphs=(f"{closing}.", *notes, *read), rows=waste)


def _explained(row: Mapping[str, Any], clock: Clock) -> str:
    """What explains a difference; a time in it as the clock's."""
    if row.get("explained_t_s") is None:
        return str(row["explained_by"])
    word, _, reason = str(row["explained_by"]).partition(": ")
    words = f"{word.partition(' at ')[0]} at {clock.at(row['explained_t_s'])}"
    return f"{words}: {reason}" if reason else words


def _differences(note: Mapping[str, Any], clock: Clock) -> Part | None:
    said_lines = []
    for row in note["differences"]:
        if "cannot_compare" in row:
            said_lines.append(f"{row['what']}: cannot be compared, {row['cannot_compare']}")
            continue
        first, second, apart = (show_mg(decimal_mg(row[name])) for name in ("first_mg", "second_mg", "difference_mg"))
        said_lines.append(f"{row['what']}: {first} and {second} mg, difference {apart} mg; {_explained(row, clock)}")
    return Part("Differences", paragraphs=tuple(said_lines)) if said_lines else None


def _corrections(note: Mapping[str, Any], clock: Clock) -> Part | None:
    lines = tuple(correction_line(row, clock) for row in note["corrections"])
    return Part("Corrections", lines=lines) if lines else None


def later_part(rows: Sequence[Mapping[str, Any]], clock: Clock, *, answered: bool) -> Part | None:
    """What was written after a note was signed, and so is not in it."""
    if not rows:
        return None
    lines = tuple(correction_line(row, clock) if "entry" in row else event_line(row, clock) for row in rows)
    title = "Written after this signature" + ("" if answered else ": add an addendum")
    return Part(title, paragraphs=("What was signed does not tell of this.",), lines=lines)


def _missing(note: Mapping[str, Any]) -> Part | None:
    names = [entry.partition(": ") for entry in note["missing"]]
    by_part: dict[str, list[str]] = {}
    for title, _, name in names:
        by_part.setdefault(title, []).append(within(name))
    words = [f"{title}: {', '.join(found)}" for title, found in by_part.items()]
    return Part("Not recorded", paragraphs=("; ".join(words) + ".",)) if words else None


def _origin(content: Mapping[str, Any]) -> str:
    count = next(
        (
            field["value"]
            for part in content["note"]["parts"]
            if part["part"] == "audit"
            for field in part["fields"]
            if field["field"] == "events"
        ),
        None,
    )
    written = f"Written from {count} session events. " if count is not None else ""
    version = content.get("product_version") or "not recorded"
    release = content.get("knowledge_release") or "not recorded"
    return f"{written}Limen {version}, knowledge {release}. It advises; a licensed person decides."
