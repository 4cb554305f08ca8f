"""The monitoring form of nasal esketamine for one session: what the clinic wrote down for it, and the form to read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limen.clinic.notes.models import SessionNote
from limen.clinic.patients import queries as patients
from limen.clinic.sessions.models import Session
from limen.clinic.sessions.record import header_of, state_of
from limen.clinic.sites.zones import local
from limen.clinic.stock.book import rows
from limen.session.rems import applies


def recorded_rems(session: Session) -> dict[str, Any]:
    """What the clinic wrote down for this session; nothing is taken from an earlier one."""
    patient, site = session.patient, session.site
    day = local(session.started_at, site).date() if session.started_at else None
    facts = patients.newest_facts(patient)
    enrolled = facts.get("facts.rems_patient_enrolled")
    asked = facts.get("history.medications")
    today = (
        asked is not None
        and day is not None
        and asked.effective_at is not None
        and local(asked.effective_at, site).date() == day
    )
    lots = sorted({row.vial.lot for row in rows(site).filter(session=session) if row.vial.lot})
    note = SessionNote.objects.filter(session=session, kind=SessionNote.Kind.NOTE).select_related("signed_by").first()
    return {
        "first_name": patient.given_name or None,
        "last_name": patient.family_name or None,
        "birth_date": patient.birth_date.isoformat(),
        "first_treatment": not _given_before(session) if session.started_at is not None else None,
        "enrolled": enrolled.value if enrolled is not None and isinstance(enrolled.value, bool) else None,
        "medicines": [row.name for row in patients.medications(patient) if row.status == "active"] if today else None,
        "provider_name": session.owner.display_name if session.owner else None,
        "setting_name": site.name,
        "date": day.isoformat() if day else None,
        "lot": ", ".join(lots) or None,
        "signed_by": note.signed_by.display_name if note is not None else None,
        "signed_on": local(note.signed_at, site).date().isoformat() if note is not None else None,
    }


def _given_before(session: Session) -> bool:
    """Whether an earlier session gave a dose of a product of the form: another product is another treatment."""
    earlier = Session.objects.filter(
        patient=session.patient, started_at__lt=session.started_at, events__kind="dose.given"
    ).distinct()
    for row in earlier.order_by("-started_at"):
        state = state_of(row)
        if state.doses and applies(header_of(row), state):
            return True
    return False


def signed_form(form: Mapping[str, Any], session: Session) -> dict[str, Any]:
    """The form as it was frozen with the note, with the signature that came after it."""
    known = recorded_rems(session)
    groups = []
    for group in form["groups"]:
        fields = [
            {**row, "value": known[row["field"]], "said": str(known[row["field"]]), "why": None}
            if group["id"] == "sign" and known.get(row["field"])
            else row
            for row in group["fields"]
        ]
        groups.append({**group, "fields": fields})
    still = [
        f"{group['title']}: {row['title']}, {row['why']}"
        for group in groups
        for row in group["fields"]
        if row["value"] is None
    ]
    return {**form, "groups": groups, "missing": still}
