"""What is written into a session after its note was signed: shown beside what was signed, which stays as it was."""

from __future__ import annotations

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from clinic.orders import planned
from clinic.people import Clinic
from limen.clinic.audit.act import acting
from limen.clinic.notes import actions
from limen.clinic.notes.content import seal_of
from limen.clinic.notes.models import SessionNote
from limen.clinic.notes.queries import note_of
from limen.clinic.patients.models import Patient
from limen.clinic.sessions.actions import end_session, record, start_session
from limen.clinic.sessions.correcting import resolve_event
from limen.clinic.sessions.models import Session
from limen.clinic.sessions.record import append
from reports.pdf_text import pdf_pages

TITLE = "Written after this signature"
ASK = f"{TITLE}: add an addendum"


@pytest.fixture
def session(clinic: Clinic, patient: Patient, clock: time_machine.Coordinates) -> Session:
    """An adverse event, the session's end, and the signature; the event stands open."""
    made = planned(clinic, patient)
    start_session(by=clinic.nurse, session=made)
    clock.shift(600)
    record(by=clinic.nurse, session=made, kind="adverse-event.recorded", data={"code": "nausea", "severity": 1})
    clock.shift(60)
    end_session(by=clinic.nurse, session=made, reason="taken over by the ward")
    made.refresh_from_db()
    actions.sign_note(by=clinic.nurse, session=made)
    clock.shift(300)
    return made


def event_of(session: Session) -> str:
    return f"e{session.events.get(kind='adverse-event.recorded').seq}"


def page_of(clinic: Clinic, session: Session) -> str:
    client = Client()
    client.force_login(clinic.nurse)
    return client.get(reverse("notes:note", args=[session.pk])).content.decode()


def paper_of(clinic: Clinic, session: Session, what: str = "notes:pdf") -> str:
    client = Client()
    client.force_login(clinic.nurse)
    return " ".join(pdf_pages(client.get(reverse(what, args=[session.pk])).content))


def test_nothing_written_after_is_nothing_said(clinic: Clinic, session: Session) -> None:
    assert TITLE not in page_of(clinic, session)
    assert note_of(session).document.status == ""


def test_an_event_resolved_after_the_signature_is_named_beside_what_was_signed(
    clinic: Clinic, session: Session
) -> None:
    before = SessionNote.objects.get(session=session)
    resolve_event(by=clinic.second_nurse, session=session, entry=event_of(session), outcome="resolved")
    for told in (page_of(clinic, session), paper_of(clinic, session)):
        assert ASK in told
        assert f"{clinic.second_nurse.display_name}: adverse event recorded of " in told
        assert "replaced by" in told
        assert "outcome resolved" in told
        assert "needs an addendum" in told
    after = SessionNote.objects.get(session=session)
    assert (after.content, after.sha256) == (before.content, before.sha256)
    assert after.sha256 == seal_of(after.content)
    assert note_of(session).whole
    assert TITLE not in paper_of(clinic, session, "notes:take_home_pdf")


def test_a_new_entry_is_named_in_the_notes_own_words(clinic: Clinic, session: Session) -> None:
    with acting(by="tests", action="tests.kept", site=clinic.site):
        # a tap that a page kept while it was cut off
        append(session, "symptom.reported", by="Nina Nurse", data={"text": "dizzy <b>"}, late_s=400.0)
    (part,) = [part for part in note_of(session).document.parts if part.title == ASK]
    ((at, words),) = part.lines
    assert words.startswith("Symptom reported: text dizzy <b> (Nina Nurse, written down ")
    assert at
    assert "dizzy &lt;b&gt;" in page_of(clinic, session)


def test_what_the_monitor_writes_by_itself_asks_for_nothing(clinic: Clinic, session: Session) -> None:
    with acting(by="tests", action="tests.monitor", site=clinic.site):
        append(session, "monitor.started", by="monitor")
        append(session, "monitor.stopped", by="monitor")
        append(session, "forecast.updated", by="twin", data={"bands": {}})
    assert TITLE not in page_of(clinic, session)


def test_an_addendum_answers_what_was_written_before_it(
    clinic: Clinic, session: Session, clock: time_machine.Coordinates
) -> None:
    resolve_event(by=clinic.nurse, session=session, entry=event_of(session))
    clock.shift(60)
    signed = SessionNote.objects.get(session=session)
    actions.add_addendum(by=clinic.nurse, note_row=signed, text="The nausea was over after ten minutes.")
    page = page_of(clinic, session)
    assert TITLE in page
    assert ASK not in page
    assert "needs an addendum" not in page
    clock.shift(60)
    with acting(by="tests", action="tests.more", site=clinic.site):
        append(session, "symptom.reported", by="Nina Nurse", data={"text": "dizzy"})
    assert ASK in page_of(clinic, session)
