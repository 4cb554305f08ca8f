"""What went wrong in a session, judged: its adverse events, and what is owed for them."""

from __future__ import annotations

from typing import Any

from limen.care.adverse_events import Happened, Judged, duty_json, judge, session_duties, summary
from limen.session.harm_events import AdverseEventRecorded
from limen.session.header import SessionHeader
from limen.session.readiness import dose_route
from limen.session.state import SessionState


def happened(event: AdverseEventRecorded, state: SessionState | None = None) -> Happened:
    """One recorded event as the judgement takes it; with the dose of the session where it is given."""
    return Happened(
        text=event.text or "",
        code=event.code,
        severity=event.severity,
        serious=event.serious,
        action=event.action,
        outcome=event.outcome,
        onset_t_s=event.onset_t_s,
        ended_t_s=event.resolved_t_s,
        dose_start_t_s=None if state is None else state.dose_start_t_s,
        dose_end_t_s=None if state is None else state.end_t_s,
        reported_to=event.reported_to,
    )


def judged(header: SessionHeader, state: SessionState) -> tuple[Judged, ...]:
    """Every adverse event of a session, by the product that was given."""
    product, _ = dose_route(header, state)
    return tuple(judge(happened(event, state), product) for event in state.adverse_events)


def harm_rows(header: SessionHeader, state: SessionState) -> dict[str, Any]:
    """The part of a note on what went wrong: events, rescues, what is owed and what is not recorded."""
    product, _ = dose_route(header, state)
    found = judged(header, state)
    rows = [
        {
            "id": event.id,
            "t_s": event.t_s,
            "text": event.text,
            "onset_t_s": event.onset_t_s,
            "resolved_t_s": event.resolved_t_s,
            "action": event.action,
            "outcome": event.outcome,
            "reported_to": event.reported_to,
            "by": event.by,
            **one.to_json(),
        }
        for event, one in zip(state.adverse_events, found, strict=True)
    ]
    return {
        "events": rows,
        "rescues": [entry.model_dump(mode="json", exclude_none=True) for entry in state.rescues],
        "summary": summary(found),
        "session_duties": [duty_json(duty) for duty in session_duties(product)],
        "missing": [f"{row['title']}: {name}" for row in rows for name in row["missing"]],
        "problems": [f"{row['title']}: {problem}" for row in rows for problem in row["problems"]],
    }
