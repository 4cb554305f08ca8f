"""Taking back and putting right: undo at once, amend with a reason, end an adverse event. Every version stays."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from limen.clinic.accounts.permissions import Permission
from limen.clinic.audit.act import action
from limen.clinic.sessions.clock import lock, session_time_s
from limen.clinic.sessions.models import Session, SessionEvent
from limen.clinic.sessions.record import ENVELOPE, append, done_before, events_of, header_of, rules_of
from limen.errors import InputError, RefusedError
from limen.session.events import parse_event
from limen.session.grading import GRADED, grades
from limen.session.state import corrected

if TYPE_CHECKING:
    from limen.clinic.accounts.models import User

UNDO_S = 10.0
ON_THE_WAY_S = 5.0  # from the tap to the server, and the page's clock
REASON_LENGTH = 10
# What a person wrote down. What a pump did is put right by the next pump event, and who is in charge by a hand-over.
WRITTEN = ("observation.recorded", "symptom.reported", "rescue.given", "adverse-event.recorded", "dose.given")


@action(Permission.SESSION_RECORD, on="session")
def undo(*, by: User, session: Session, entry: str, key: str | None = None, late_s: float = 0.0) -> SessionEvent:
    """Take the own entry back within ten seconds: stored, and no longer counted.

    Raises
    ------
    InputError
        If there is no such entry of this kind.
    RefusedError
        If another person wrote it, it is older, or it has been taken back.
    """
    session = lock(session)
    known = done_before(session, "entry.corrected", key)
    if known is not None:
        return known
    row = _entry(session, entry)
    if row.by != by.display_name:
        raise RefusedError(f"{row.by} wrote this", where="entry", hint="Take it back with a reason")
    age_s = session_time_s(session) - late_s - float(row.data.get("received_t_s", row.t_s))
    if age_s > UNDO_S + ON_THE_WAY_S:
        raise RefusedError(
            f"written {age_s:.0f} s ago", where="entry", allowed=f"{UNDO_S:g} s", hint="Put it right with a reason"
        )
    data = {"entry": entry, "reason": f"undone within {UNDO_S:g} s"}
    return append(session, "entry.corrected", by=by.display_name, data=data, key=key, late_s=late_s)


@action(Permission.SESSION_RECORD, on="session")
def amend(
    *,
    by: User,
    session: Session,
    entry: str,
    changes: Mapping[str, Any] | None,
    reason: str,
    key: str | None = None,
    late_s: float = 0.0,
) -> SessionEvent:
    """Put an entry right, or take it back where ``changes`` is none. The first version stays, with who, when and why.

    Raises
    ------
    InputError
        If the reason says too little, or a change is impossible, none at all, or one of who wrote it and when.
    RefusedError
        If a changed value is critical and was not shown back, or the entry has been taken back.
    """
    session = lock(session)
    known = done_before(session, "entry.corrected", key)
    if known is not None:
        return known
    row = _entry(session, entry)
    if len(reason.strip()) < REASON_LENGTH:
        raise InputError("the reason says too little", where="reason", allowed=f"at least {REASON_LENGTH} letters")
    if changes is not None:
        _refuse_idle(session, row, changes)
    fixed = None if changes is None else shown_back(session, dict(changes), kept=late_s > 0.0)
    data = {"entry": entry, "reason": reason.strip(), **({} if fixed is None else {"changes": fixed})}
    return append(session, "entry.corrected", by=by.display_name, data=data, key=key, late_s=late_s)


@action(Permission.SESSION_RECORD, on="session")
def resolve_event(
    *, by: User, session: Session, entry: str, outcome: str = "", key: str | None = None, late_s: float = 0.0
) -> SessionEvent:
    """An adverse event is over: its clock stops now.

    Raises
    ------
    InputError
        If the entry is no adverse event.
    RefusedError
        If it has been taken back, or is over: another page's tap would move its end.
    """
    session = lock(session)
    known = done_before(session, "entry.corrected", key)
    if known is not None:
        return known
    row = _entry(session, entry)
    if row.kind != "adverse-event.recorded":
        raise InputError(f"is a {row.kind}", where="entry", allowed="an adverse event")
    stands = next(event for event in corrected(events_of(session)) if event.id == entry)
    if getattr(stands, "resolved_t_s", None) is not None:
        raise RefusedError("this is over already", where="entry", hint="Put its end right with a reason")
    changes: dict[str, Any] = {"resolved_t_s": round(session_time_s(session) - late_s, 3)}
    if outcome.strip():
        changes["outcome"] = outcome.strip()
    data = {"entry": entry, "reason": "the event is over", "changes": changes}
    return append(session, "entry.corrected", by=by.display_name, data=data, key=key, late_s=late_s)


def shown_back(session: Session, values: dict[str, Any], *, kept: bool = False) -> dict[str, Any]:
    """The values of an observation, where every critical one was shown back to the person and confirmed.

    ``confirmed`` names them; ``unconfirmed`` those that the page saved by itself because nobody answered. A kept tap is
    not refused: it is marked.

    Raises
    ------
    RefusedError
        Names the value, its limit and what to do.
    """
    graded = {key: value for key, value in values.items() if key in GRADED}
    parse_event(
        {"t_s": 0, "kind": "observation.recorded", **graded}, where="observation.recorded"
    )  # the impossible first
    found = grades(values, rules_of(session), header_of(session).baseline_values())
    critical = [grade for grade in found if grade.level == "critical"]
    asked = {*(values.get("confirmed") or ()), *(values.get("unconfirmed") or ())}
    open_ones = [grade for grade in critical if grade.key not in asked]
    if not open_ones:
        return values
    if kept:
        return {
            **values,
            "unconfirmed": sorted({grade.key for grade in open_ones} | set(values.get("unconfirmed") or ())),
        }
    first = open_ones[0]
    raise RefusedError(
        f"{first.key} {first.value:g} is critical ({first.step.rule}, limit {first.step.limit:g})",
        where=first.key,
        allowed="the same value once more, confirmed",
        hint=f"{first.step.do}. Confirm the value or correct it",
    )


def _entry(session: Session, entry: str) -> SessionEvent:
    seq = entry[1:] if re.fullmatch(r"e[0-9]{1,9}", entry) else ""
    row = SessionEvent.objects.filter(session=session, seq=int(seq), kind__in=WRITTEN).first() if seq else None
    if row is None:
        raise InputError(f"no entry {entry!r} to put right", where="entry", allowed=", ".join(WRITTEN))
    last = (
        SessionEvent.objects.filter(session=session, kind="entry.corrected", data__entry=entry).order_by("-seq").first()
    )
    if last is not None and last.data.get("changes") is None:
        # Else what a page of yesterday's minute still shows would count again: its milligrams, its harm, its alarms.
        raise RefusedError(
            f"{last.by} has taken this back",
            where="entry",
            allowed="an entry that stands",
            hint="Write it down anew where it did happen",
        )
    return row


def _refuse_idle(session: Session, row: SessionEvent, changes: Mapping[str, Any]) -> None:
    """Refuse changes of the envelope, and changes that leave the entry as it stands."""
    for name in ENVELOPE:
        if name in changes:
            raise InputError(
                "who wrote it and when is not changed",
                where=f"changes.{name}",
                allowed="what was written",
                hint="Take it back and write it down anew",
            )
    stands = next(event for event in corrected(events_of(session)) if event.id == f"e{row.seq}")
    merged = {**stands.model_dump(exclude_none=True), **changes}
    if parse_event(merged, where="changes") == stands:
        raise InputError(
            "changes nothing", where="changes", allowed="at least one other value, or none at all to take it back"
        )
