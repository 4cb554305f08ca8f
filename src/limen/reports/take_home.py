"""The patient's own record of a session: what was given, how it went, what to do until tomorrow, in plain words.

It is made from the same content as the session note, and says less; what the clinic did not write down is a line to
fill in by hand, never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limen.ledger import decimal_mg, show_mg
from limen.reports.document import Document, Part
from limen.reports.figures.clock import Clock

_ROUTES = {
    "iv": "into a vein",
    "im": "into a muscle",
    "sc": "under the skin",
    "in": "into the nose",
    "nasal": "into the nose",
    "po": "by mouth",
    "sl": "under the tongue",
    "buccal": "inside the cheek",
    "pr": "into the bowel",
}
_DRUGS = {
    "racemic": "ketamine",
    "s-ketamine": "S-ketamine",
    "esketamine-nasal": "esketamine nasal spray",
}
_LINE = "______________________________"


def take_home_document(content: Mapping[str, Any], *, status: str = "") -> Document:
    """The paper a patient leaves with.

    Parameters
    ----------
    content : mapping
        What a session note is printed from (see ``limen.reports.note``).
    status : str
        What stands across the top, while the session is not over.
    """
    note = content["note"]
    clock = Clock(content.get("started_at"), content.get("zone") or "UTC")
    fields = {(part["part"], field["field"]): field["value"] for part in note["parts"] for field in part["fields"]}
    parts = [
        Part("What you were given", paragraphs=tuple(_given(note, fields, clock))),
        Part("How it went", paragraphs=tuple(_went(note, clock))),
        Part("Until tomorrow", paragraphs=tuple(_until(note, fields))),
        Part(
            "If you feel unwell, or have thoughts of harming yourself",
            paragraphs=("Call at once. In danger, call the emergency number of your country.",),
            rows=(("The clinic's number", _LINE), ("Your emergency number", _LINE)),
        ),
        Part("What comes next", rows=_next(fields), paragraphs=tuple(_calls(note))),
    ]
    return Document(
        issuer=content["issuer"],
        title="Your own record of today",
        aside=tuple(content.get("aside") or ())[:1],
        status=status,
        identity=tuple((name, value) for name, value in content["identity"][:3]),
        parts=tuple(parts),
        origin="Made from what was written down in your session. The clinic keeps a longer note; you may ask for it.",
        large=True,
    )


def _given(note: Mapping[str, Any], fields: Mapping[tuple[str, str], Any], clock: Clock) -> list[str]:
    given = fields.get(("given", "given_mg"))
    if given is None:
        return ["No ketamine was given to you today."]
    product = fields.get(("order", "product"))
    drug = _DRUGS.get(str(product), str(product) if product else "ketamine")
    routes = str(fields.get(("given", "route")) or "")
    ways = [_ROUTES.get(route, route) for route in routes.split("; ") if route]
    start, stop = fields.get(("given", "start_t_s")), fields.get(("given", "stop_t_s"))
    words = " ".join([f"{show_mg(decimal_mg(round(given, 4)))} mg of {drug}", " and ".join(ways)]).strip()
    if start is not None:
        at = f"at {clock.at(start)}" if stop is None or stop == start else f"from {clock.at(start)} to {clock.at(stop)}"
        words = f"{words}, {at}"
    told = [f"{words}."]
    if fields.get(("given", "devices")):
        count = fields["given", "devices"]
        told.append(f"That is {count} spray device{'s' if count != 1 else ''}.")
    early = [row["detail"].get("reason") for row in note["events"] if row["kind"] == "infusion.stopped"]
    if early and early[-1]:
        told.append(f"The drip was stopped: {early[-1]}.")
    for row in note["harm"]["rescues"]:
        what = row.get("what") or row.get("drug") or row.get("order") or "a further drug"
        why = f", for {row['reason']}" if row.get("reason") else ""
        told.append(f"Also, at {clock.at(row['t_s'])}: {what}{why}.")
    return told


def _went(note: Mapping[str, Any], clock: Clock) -> list[str]:
    told = []
    pressures = [row for row in note["vitals"] if row["sbp_mmHg"] is not None and row["dbp_mmHg"] is not None]
    if pressures:
        top = max(pressures, key=lambda row: row["sbp_mmHg"])
        words = " ".join(
            f"{name} {row['sbp_mmHg']:g} over {row['dbp_mmHg']:g} at {clock.at(row['t_s'])}{end}"
            for name, row, end in (("first", pressures[0], ","), ("highest", top, ","), ("last", pressures[-1], "."))
        )
        told.append(f"Your blood pressure was {words}")
    else:
        told.append("No blood pressure was written down.")
    said = [
        f"{row['detail']['text']} ({clock.at(row['t_s'])})"
        for row in note["events"]
        if row["kind"] == "symptom.reported"
    ]
    if said:
        told.append(f"You told us of: {'; '.join(said)}.")
    for row in note["harm"]["events"]:
        text = row["text"] or row["title"]
        over = (
            f", over by {clock.at(row['resolved_t_s'])}"
            if row["resolved_t_s"] is not None
            else ", not over when written"
        )
        told.append(f"We wrote down: {text}{over}.")
    if any(row["kind"] == "emergency.started" for row in note["events"]):
        told.append("An emergency was called during your session. Ask us about it if you wish.")
    left = (note.get("leaving") or {}).get("left")
    if left is not None and not left["ready"]:
        told.append(
            "You left before everything we ask for was met: " + "; ".join(one["because"] for one in left["unmet"]) + "."
        )
    return told


def _until(note: Mapping[str, Any], fields: Mapping[tuple[str, str], Any]) -> list[str]:
    due = [item["text"] for item in (note.get("leaving") or {}).get("afterwards", ()) if item["rule"] == "DIS-4"]
    told = [f"{text}." for text in due] or ["Ask us before you drive, use machines or sign anything."]
    escort = fields.get(("who", "escort_name"))
    told.append(f"{escort} went with you." if escort else "Nobody is written down as having gone with you.")
    return told


def _next(fields: Mapping[tuple[str, str], Any]) -> tuple[tuple[str, str], ...]:
    again = fields.get(("after", "next_on"))
    mood = fields.get(("discharge", "next_cssrs_on"))
    rows = [("Your next visit", str(again) if again else _LINE)]
    if mood:
        rows.append(("Questions about your safety", str(mood)))
    return tuple(rows)


def _calls(note: Mapping[str, Any]) -> list[str]:
    due = [item for item in (note.get("leaving") or {}).get("afterwards", ()) if item["rule"] == "DIS-7"]
    return ["We call you tonight or tomorrow."] if due else []
