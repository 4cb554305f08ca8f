"""The session note: a draft that follows the events, a signature that freezes it, and nothing that changes it after."""

from __future__ import annotations

import json

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic.orders import planned
from clinic.people import Clinic
from limen.clinic.accounts.models import User
from limen.clinic.accounts.policy import DeniedError
from limen.clinic.audit.act import acting
from limen.clinic.audit.models import AuditEntry
from limen.clinic.emergency.actions import start_emergency
from limen.clinic.emergency.models import EmergencyEntry
from limen.clinic.notes import actions
from limen.clinic.notes.content import draft, seal_of
from limen.clinic.notes.models import SessionNote
from limen.clinic.notes.queries import note_of
from limen.clinic.patients.actions import mark_history_taken, record_medication
from limen.clinic.patients.models import Patient
from limen.clinic.sessions.actions import end_session, halt, record, start_session
from limen.clinic.sessions.models import Session
from limen.clinic.stock import actions as stock
from limen.errors import InputError, RefusedError
from limen.reports.paper import pdf, render
from reports.pdf_text import pdf_pages


@pytest.fixture
def session(clinic: Clinic, patient: Patient, clock: time_machine.Coordinates) -> Session:
    """22 of 40 minutes of 35 mg, 50 mg drawn, the rest wasted, the session ended."""
    made = planned(clinic, patient)
    vial = stock.receive(
        by=clinic.pharmacist,
        site=clinic.site,
        label="HK2-0931",
        key="r",
        product="racemic",
        strength_mg_per_mL="50",
        volume_mL="10",
        lot="6K114",
        expiry=timezone.now().date().replace(year=2099),
    ).vial
    stock.draw(by=clinic.nurse, session=made, vial=vial, amount_mg="50.0", witness=clinic.second_nurse, key="d")
    start_session(by=clinic.nurse, session=made)
    record(by=clinic.nurse, session=made, kind="infusion.started", data={"dose_mg": 35.0, "duration_min": 40})
    clock.shift(15 * 60)
    seen = {"sbp_mmHg": 139, "dbp_mmHg": 83, "moaas": 5, "dissociation": 2}
    record(by=clinic.nurse, session=made, kind="observation.recorded", data=seen)
    clock.shift(7 * 60)
    halt(by=clinic.nurse, session=made, kind="infusion.stopped", data={"reason": "nausea <b>"})
    clock.shift(60)
    made.refresh_from_db()
    return made


def finish(clinic: Clinic, session: Session) -> Session:
    vial = session.ledger_entries.first().vial
    stock.waste(
        by=clinic.nurse,
        session=session,
        vial=vial,
        amount_mg="30.75",
        witness=clinic.pharmacist,
        reason="stopped early",
        key="w",
    )
    end_session(by=clinic.nurse, session=session, reason="taken over by the ward")
    session.refresh_from_db()
    return session


def words_of(session: Session) -> str:
    return " ".join(pdf_pages(pdf(render(note_of(session).document))))


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_draft_follows_the_events(clinic: Clinic, session: Session, clock: time_machine.Coordinates) -> None:
    assert "Draft, not signed" in words_of(session)
    assert "19.25 mg given" in words_of(session)
    assert "139/83" in words_of(session)
    assert "severe headache" not in words_of(session)
    clock.shift(60)
    record(by=clinic.nurse, session=session, kind="symptom.reported", data={"text": "severe headache"})
    assert "severe headache" in words_of(session)


def test_the_note_says_what_only_the_clinic_knows(clinic: Clinic, session: Session) -> None:
    page = words_of(finish(clinic, session))
    for words in (
        "Ada Okafor",
        "H-1001",
        "2 Mar 1984",
        "Harbour Clinic",
        "Paula Prescriber",
        "Lot 6K114",
        "Vial HK2-0931 closes to 0.0 mg",
        "50.0 mg drawn = 19.25 given + 30.75 wasted + 0.0 returned.",
        "Nina Nurse and Piet Pharmacist",
        "entries 2 to 4",
        "stopped at 22 min: nausea <b>",
    ):
        assert words in page, words


def test_a_note_is_signed_after_the_session_and_when_the_drug_closes(clinic: Clinic, session: Session) -> None:
    with pytest.raises(RefusedError, match="not over"):
        actions.sign_note(by=clinic.nurse, session=session)
    end_session(by=clinic.nurse, session=session, reason="taken over by the ward")
    session.refresh_from_db()
    with pytest.raises(RefusedError, match=r"30\.75 mg drawn up are not accounted for"):
        actions.sign_note(by=clinic.nurse, session=session)
    assert not SessionNote.objects.exists()


def test_a_signed_note_is_frozen_and_sealed(clinic: Clinic, session: Session) -> None:
    finish(clinic, session)
    signed = actions.sign_note(by=clinic.nurse, session=session, remarks="Escort late, patient calm.")
    assert signed.sha256 == seal_of(signed.content)
    assert signed.content["signed"]["username"] == "nina-nurse"
    view = note_of(session)
    assert view.whole
    page = words_of(session)
    assert "Draft" not in page
    assert "Nina Nurse, nurse" in page
    assert "Escort late, patient calm." in page
    assert f"seal {signed.sha256[:4]} {signed.sha256[4:8]} {signed.sha256[8:12]}" in page
    assert actions.sign_note(by=clinic.nurse, session=session).pk == signed.pk
    assert SessionNote.objects.count() == 1
    assert AuditEntry.objects.filter(action="notes.sign_note", outcome="done").exists()


def test_what_is_sealed_is_what_the_database_gives_back(clinic: Clinic, session: Session) -> None:
    finish(clinic, session)
    pk = actions.sign_note(by=clinic.nurse, session=session).pk
    again = SessionNote.objects.get(pk=pk)
    assert seal_of(again.content) == again.sha256
    assert seal_of(json.loads(json.dumps(again.content))) == again.sha256


def test_a_second_press_of_sign_is_no_error_and_loses_no_remark(clinic: Clinic, session: Session) -> None:
    finish(clinic, session)
    client, address = client_of(clinic.nurse), reverse("notes:sign", args=[session.pk])
    assert [client.post(address, {"remarks": "calm"}).status_code for _ in range(2)] == [302, 302]
    assert SessionNote.objects.filter(session=session).count() == 1
    refused = client.post(address, {"remarks": "vomited on the way home"})
    assert refused.status_code == 409
    page = refused.content.decode()
    assert "Add them as an addendum" in page
    assert "vomited on the way home</textarea>" in page


def test_a_second_person_countersigns_once(clinic: Clinic, session: Session) -> None:
    finish(clinic, session)
    signed = actions.sign_note(by=clinic.nurse, session=session)
    with pytest.raises(RefusedError, match="Nina Nurse has signed"):
        actions.sign_note(by=clinic.prescriber, session=session)
    with pytest.raises(RefusedError, match="you have signed"):
        actions.countersign(by=clinic.nurse, note_row=signed)
    first = actions.countersign(by=clinic.prescriber, note_row=signed)
    assert actions.countersign(by=clinic.prescriber, note_row=signed).pk == first.pk
    assert "Paula Prescriber, prescriber countersigned" in words_of(session)


def test_an_addendum_stands_under_the_note(clinic: Clinic, session: Session) -> None:
    finish(clinic, session)
    signed = actions.sign_note(by=clinic.nurse, session=session)
    with pytest.raises(InputError, match="nothing in it"):
        actions.add_addendum(by=clinic.nurse, note_row=signed, text="  ")
    added = actions.add_addendum(by=clinic.nurse, note_row=signed, text="Patient rang: slept well.")
    with pytest.raises(RefusedError, match="addendum"):
        actions.add_addendum(by=clinic.nurse, note_row=added, text="x")
    pressed_twice = actions.add_addendum(by=clinic.nurse, note_row=signed, text="Patient rang: slept well. ")
    assert pressed_twice.pk == added.pk
    by_another = actions.add_addendum(by=clinic.prescriber, note_row=signed, text="Patient rang: slept well.")
    assert by_another.pk != added.pk
    assert "Addendum by Nina Nurse, nurse" in words_of(session)
    assert "Patient rang: slept well." in words_of(session)
    assert SessionNote.objects.get(pk=signed.pk).sha256 == signed.sha256


@pytest.mark.parametrize("who", ["pharmacist", "stranger"])
def test_who_may_not_sign(clinic: Clinic, session: Session, who: str) -> None:
    finish(clinic, session)
    with pytest.raises(DeniedError):
        actions.sign_note(by=getattr(clinic, who), session=session)
    assert AuditEntry.objects.filter(outcome="denied", action="notes.sign_note").exists()


@pytest.mark.parametrize("sql", ["UPDATE notes_sessionnote SET sha256 = 'x'", "DELETE FROM notes_sessionnote"])
def test_the_database_refuses_to_change_a_signed_note(clinic: Clinic, session: Session, sql: str) -> None:
    finish(clinic, session)
    actions.sign_note(by=clinic.nurse, session=session)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_a_note_changed_behind_the_triggers_says_so(clinic: Clinic, session: Session) -> None:
    from limen.clinic.audit.triggers import drop_statements

    finish(clinic, session)
    signed = actions.sign_note(by=clinic.nurse, session=session)
    forged = json.dumps(signed.content | {"remarks": "nothing happened"})
    with connection.cursor() as cursor:
        for statement in drop_statements("notes_sessionnote", connection.vendor):
            cursor.execute(statement)
        cursor.execute("UPDATE notes_sessionnote SET content = %s", [forged])
    assert not note_of(session).whole
    assert "does not fit its seal" in words_of(session)


# --- pages -----------------------------------------------------------------------------------------------------------


def test_the_page_and_the_paper(clinic: Clinic, session: Session) -> None:
    client = client_of(clinic.nurse)
    page = client.get(reverse("notes:note", args=[session.pk]))
    assert page.status_code == 200
    text = page.content.decode()
    assert "19.25 mg given" in text
    assert "nausea &lt;b&gt;" in text
    assert "nausea <b>" not in text
    paper = client.get(reverse("notes:pdf", args=[session.pk]))
    assert paper["Content-Type"] == "application/pdf"
    assert "-draft.pdf" in paper["Content-Disposition"]
    assert "19.25 mg given" in " ".join(pdf_pages(paper.content))
    for address in ("notes:note", "notes:pdf"):
        assert client_of(clinic.stranger).get(reverse(address, args=[session.pk])).status_code == 404


def test_sign_and_add_by_form(clinic: Clinic, session: Session) -> None:
    nurse, prescriber = client_of(clinic.nurse), client_of(clinic.prescriber)
    sign, note = reverse("notes:sign", args=[session.pk]), reverse("notes:note", args=[session.pk])
    refused = nurse.post(sign, {"remarks": "calm"})
    assert refused.status_code == 409
    assert "not over" in refused.content.decode()
    assert "calm" in refused.content.decode()
    finish(clinic, session)
    assert client_of(clinic.pharmacist).post(sign, {}).status_code == 403
    assert nurse.post(sign, {"remarks": "calm"}).status_code == 302
    assert prescriber.post(sign, {}).status_code == 302
    addendum = reverse("notes:addendum", args=[session.pk])
    assert nurse.post(addendum, {"text": ""}).status_code == 400
    assert nurse.post(addendum, {"text": "slept well"}).status_code == 302
    text = nurse.get(note).content.decode()
    for words in ("calm", "slept well", "Paula Prescriber", "SHA-256 of the signed content"):
        assert words in text
    assert "draft" not in nurse.get(reverse("notes:pdf", args=[session.pk]))["Content-Disposition"]


def test_the_monitoring_form_is_filled_from_this_session_alone(
    clinic: Clinic, patient: Patient, clock: time_machine.Coordinates
) -> None:
    made = planned(clinic, patient)
    client = client_of(clinic.nurse)
    with acting(by="tests", action="tests.product", site=clinic.site):
        made.header = {**made.header, "product": "esketamine-nasal", "protocol": "ESK-TRD", "route": "in"}
        made.save()
    start_session(by=clinic.nurse, session=made)
    clock.shift(60)
    device = {"dose_mg": 28.0, "route": "in", "devices": 1, "note": "the plan of this test holds no device"}
    record(by=clinic.nurse, session=made, kind="dose.given", data=device)
    clock.shift(40 * 60)
    seen = {"sbp_mmHg": 139, "dbp_mmHg": 83, "moaas": 4, "dissociation": 2}
    record(by=clinic.nurse, session=made, kind="observation.recorded", data=seen)
    page = client.get(reverse("notes:rems", args=[made.pk])).content.decode()
    assert "139/83 mmHg" in page
    assert "medicines were not asked on the day" in page
    assert "<b>Missing</b>: the session is not over" in page
    assert "Ada" in page
    paper = client.get(reverse("notes:rems_pdf", args=[made.pk]))
    assert paper["Content-Type"] == "application/pdf"
    printed = " ".join(pdf_pages(paper.content))
    assert "139/83 mmHg, 40:00 after the first device, from" in printed
    assert "empty: the session is not over" in printed


def test_a_draft_follows_what_the_clinic_knows_beside_the_events(
    clinic: Clinic, session: Session, clock: time_machine.Coordinates
) -> None:
    emergency = start_emergency(by=clinic.nurse, site=clinic.site, key="k", session=session)
    people = {person["name"] for person in draft(session)["emergencies"][0]["people"] if "going" in person}
    assert clinic.second_nurse.display_name not in people
    with acting(by="tests", action="tests.going", site=clinic.site):
        # no event and no sample: only the entry of the emergency is new
        EmergencyEntry.objects.create(
            emergency=emergency, kind=EmergencyEntry.Kind.GOING, person=clinic.second_nurse, site=clinic.site
        )
    people = {person["name"] for person in draft(session)["emergencies"][0]["people"] if "going" in person}
    assert clinic.second_nurse.display_name in people
    assert f"{clinic.second_nurse.display_name} going" in " ".join(pdf_pages(pdf(render(note_of(session).document))))


def test_a_draft_follows_the_medicines_of_the_day(clinic: Clinic, patient: Patient) -> None:
    """Somebody looks at the draft; then the patient names a benzodiazepine: the form must not be signed with a no."""
    made = planned(clinic, patient)
    with acting(by="tests", action="tests.product", site=clinic.site):
        made.header = {**made.header, "product": "esketamine-nasal", "protocol": "ESK-TRD", "route": "in"}
        made.save()
    start_session(by=clinic.nurse, session=made)
    device = {"dose_mg": 28.0, "route": "in", "devices": 1, "note": "the plan of this test holds no device"}
    record(by=clinic.nurse, session=made, kind="dose.given", data=device)
    mark_history_taken(by=clinic.nurse, patient=patient, about="medications")
    made.refresh_from_db()

    def benzodiazepine() -> str:
        groups = draft(made)["note"]["rems"]["groups"]
        return next(row["said"] for group in groups for row in group["fields"] if row["field"] == "benzodiazepines")

    assert benzodiazepine() == "no"
    record_medication(by=clinic.nurse, patient=patient, name="lorazepam", dose="1 mg")
    assert benzodiazepine() == "yes: lorazepam"


def test_the_patient_leaves_with_an_own_record(clinic: Clinic, session: Session) -> None:
    client = client_of(clinic.nurse)
    page = client.get(reverse("notes:take_home", args=[session.pk])).content.decode()
    # 22 of 40 minutes of 35 mg
    assert "19.25 mg of ketamine into a vein" in page
    assert "Your session is not over: this may change." in page
    assert "nausea &lt;b&gt;" in page
    finish(clinic, session)
    paper = client.get(reverse("notes:take_home_pdf", args=[session.pk]))
    assert paper["Cache-Control"] == "no-store"
    printed = " ".join(pdf_pages(paper.content))
    assert "19.25 mg of ketamine into a vein" in printed
    assert "Your session is not over" not in printed


def test_another_product_has_no_monitoring_form(clinic: Clinic, session: Session) -> None:
    assert client_of(clinic.nurse).get(reverse("notes:rems", args=[session.pk])).status_code == 404
