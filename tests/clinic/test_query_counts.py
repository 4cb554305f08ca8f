"""How many questions a page asks the database does not depend on how many rows it shows."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.people import Clinic
from limen.clinic.audit.act import acting
from limen.clinic.courses.models import Course, Plan, ScreeningResult
from limen.clinic.outcomes.models import QuestionnaireResponse, Task
from limen.clinic.patients.actions import record_condition, record_facts, record_medication, register_patient
from limen.clinic.patients.models import Patient
from limen.clinic.sessions.models import Sample, Session, SessionEvent
from limen.clinic.sites.zones import today
from limen.clinic.stock.actions import lose, receive
from limen.clinic.stock.book import entries, rows
from limen.clinic.stock.models import LedgerEntry, Vial
from limen.clinic.stock.queries import site_states
from limen.ledger import fold
from live_room import HEADER, Room, furnish

LIST_AT_MOST = 6
CHART_AT_MOST = 14
BOARD_AT_MOST = 10
CHAIR_AT_MOST = 3
"""Beside the board's own questions: the events of an open session, its alarms, its cuffs."""


def asked(client: Client, path: str) -> list[str]:
    with CaptureQueriesContext(connection) as seen:
        answer = client.get(path)
        assert answer.status_code == 200
    return [query["sql"] for query in seen.captured_queries]


def make_patient(clinic: Clinic, number: int) -> Patient:
    return register_patient(
        by=clinic.nurse,
        site=clinic.site,
        mrn=f"H-{number}",
        family_name=f"Patient {number}",
        given_name="A",
        birth_date=dt.date(1980, 1, 1),
        sex="female",
    )


def treat(clinic: Clinic, patient: Patient, vial: Vial, sessions: int) -> None:
    """A course with its screening, sessions, questionnaires, a line in the book for each, and a task."""
    now = timezone.now()
    record_condition(by=clinic.nurse, patient=patient, text="Depression", code="F33.2", system="icd10")
    record_medication(by=clinic.nurse, patient=patient, name="sertraline")
    record_facts(by=clinic.nurse, patient=patient, values={"patient.weight_kg": 70.0, "patient.height_cm": 168.0})
    with acting(by="tests", action="tests.treat", site=clinic.site):
        course = Course.objects.create(
            patient=patient, indication="trd", product="racemic", route="iv", setting="clinic", protocol="TRD-IV"
        )
        screening = ScreeningResult.objects.create(
            course=course, case={}, result={}, verdict="eligible", knowledge_release="x", on=today(clinic.site)
        )
        for number in range(1, sessions + 1):
            plan = Plan.objects.create(
                course=course,
                screening=screening,
                protocol="TRD-IV",
                result={},
                on=today(clinic.site),
                status=Plan.Status.SUPERSEDED,
            )
            session = Session.objects.create(
                course=course,
                patient=patient,
                plan=plan,
                chair=clinic.chair,
                number=number,
                status=Session.Status.DISCHARGED,
                header=HEADER,
                started_at=now - dt.timedelta(days=number),
                ended_at=now - dt.timedelta(days=number),
            )
            QuestionnaireResponse.objects.create(
                patient=patient,
                course=course,
                session=session,
                instrument="PHQ-9",
                phase="before",
                answers={"items": [1] * 9},
                result={"total": 9, "band": "mild", "status": "complete", "change": None},
                by="tests",
            )
            LedgerEntry.objects.create(
                position=LedgerEntry.objects.count() + 1,
                kind="give",
                vial=vial,
                amount_mg="35.000",
                session=session,
                by="tests",
                key=f"give-{session.pk}",
                hash="x",
            )
        Task.objects.create(patient=patient, kind="call", title="Call", assigned_role="nurse")


@pytest.fixture
def reader(browser: Client) -> Client:
    """The nurse after a first page: the first one notes when she was seen."""
    browser.get("/patients/")
    return browser


@pytest.fixture
def vial(clinic: Clinic) -> Vial:
    with acting(by="tests", action="tests.vial", site=clinic.site):
        made: Vial = Vial.objects.create(label="V-1", product="racemic")
    return made


def test_list_of_patients_asks_the_same_for_one_and_for_many(clinic: Clinic, reader: Client, vial: Vial) -> None:
    treat(clinic, make_patient(clinic, 1), vial, 1)
    few = asked(reader, "/patients/")
    for number in range(2, 8):
        treat(clinic, make_patient(clinic, number), vial, 2)
    many = asked(reader, "/patients/")
    assert len(many) == len(few) <= LIST_AT_MOST, "\n".join(many)


def test_chart_asks_the_same_for_one_course_and_for_many(clinic: Clinic, reader: Client, vial: Vial) -> None:
    patient = make_patient(clinic, 1)
    treat(clinic, patient, vial, 1)
    few = asked(reader, f"/patients/{patient.pk}/")
    for _ in range(3):
        treat(clinic, patient, vial, 3)
    many = asked(reader, f"/patients/{patient.pk}/")
    assert len(many) == len(few) <= CHART_AT_MOST, "\n".join(many)


def test_chart_reads_what_was_given_from_the_book(clinic: Clinic, reader: Client, vial: Vial) -> None:
    patient = make_patient(clinic, 1)
    treat(clinic, patient, vial, 2)
    sessions = reader.get(f"/patients/{patient.pk}/").context["sessions"]
    assert [f"{session.given_mg:.3f}" for session in sessions] == ["35.000", "35.000"]


def receive_vials(clinic: Clinic, *labels: str) -> None:
    for label in labels:
        receive(
            by=clinic.pharmacist,
            site=clinic.site,
            label=label,
            key=f"receive-{label}",
            product="racemic",
            strength_mg_per_mL="50",
            volume_mL="10",
            lot="A",
            expiry=today(clinic.site) + dt.timedelta(days=300),
            supplier="Supplier",
            invoice=label,
            witness=clinic.nurse,
        )


def test_stock_asks_the_same_for_one_vial_and_for_many(clinic: Clinic) -> None:
    client = Client()
    client.force_login(clinic.pharmacist)
    receive_vials(clinic, "V-1")
    client.get("/stock/")
    few = asked(client, "/stock/")
    receive_vials(clinic, "V-2", "V-3", "V-4", "V-5")
    with_new = asked(client, "/stock/")
    many = asked(client, "/stock/")
    assert len(many) == len(few) < len(with_new) == len(few) + 1, "\n".join(many)


def test_folded_stock_is_the_whole_book_folded(clinic: Clinic) -> None:
    receive_vials(clinic, "V-1", "V-2")
    assert site_states(clinic.site) == fold(entries(rows(clinic.site)))
    with transaction.atomic():
        lose(by=clinic.pharmacist, vial=Vial.objects.get(label="V-1"), amount_mg="5", reason="broken", key="lost")
        assert site_states(clinic.site)["V-1"].lost_mg == 5
        transaction.set_rollback(True)
    assert site_states(clinic.site)["V-1"].lost_mg == 0, "what was rolled back never happened"
    lose(by=clinic.pharmacist, vial=Vial.objects.get(label="V-1"), amount_mg="7", reason="broken", key="lost")
    assert site_states(clinic.site)["V-1"].lost_mg == 7
    assert site_states(clinic.site) == fold(entries(rows(clinic.site)))


@pytest.fixture
def room(db) -> Room:
    return furnish()


@pytest.fixture
def board(room: Room) -> Client:
    client = Client()
    client.force_login(room.nurse)
    client.get("/patients/")
    return client


def test_plan_page_shows_the_kept_forecast_and_makes_none(room: Room, board: Client, monkeypatch) -> None:
    plan = room.signed_plan()
    whole = {"limits": {}, "findings": [], "blocked_by": [], "missing": [], "asked": {}, "evidence": {}, "course": []}
    with acting(by="tests", action="tests.plan", site=room.site):
        plan.result = whole | plan.result
        plan.save()
    course = plan.course
    for name in ("limen.clinic.courses.forecasts.forecast", "limen.clinic.courses.actions.make_plan"):
        monkeypatch.setattr(name, refuse)
    answer = board.get(f"/courses/{course.pk}/plan/")
    assert answer.status_code == 200
    assert answer.context["plan"]["forecast"]["time_h"]


def refuse(*_: object, **__: object) -> None:
    raise AssertionError("a page that is read computes nothing anew")


@pytest.mark.parametrize("path", ["/board/", "/live/board/state"])
def test_board_asks_little_for_each_chair_in_use(room: Room, board: Client, path: str) -> None:
    room.running(1)
    asked(board, path)  # the first look also reads what never changes: the session's rules, the plan's result
    one = asked(board, path)
    for number in (2, 3, 4):
        room.running(number)
    asked(board, path)
    four = asked(board, path)
    assert len(one) <= BOARD_AT_MOST + CHAIR_AT_MOST, "\n".join(one)
    assert len(four) <= len(one) + 3 * CHAIR_AT_MOST, "\n".join(four)


def test_board_asks_once_about_a_session_that_is_over(room: Room, board: Client) -> None:
    room.running(1)
    asked(board, "/board/")
    before = asked(board, "/board/")
    over = [finish(room, number) for number in (2, 3, 4)]
    asked(board, "/board/")
    after = asked(board, "/board/")
    assert len(after) == len(before), "\n".join(after)
    with acting(by="tests", action="tests.correction", site=room.site):
        SessionEvent.objects.create(session=over[0], seq=2, kind="monitor.stopped", t_s=61.0, by="tests")
    assert len(asked(board, "/board/")) > len(after), "an entry that came later is not counted"
    assert len(asked(board, "/board/")) == len(after)


def test_board_reads_no_more_rows_of_questions_for_more_samples(room: Room, board: Client) -> None:
    session = room.running(1)
    device, _ = room.device(session)
    asked(board, "/board/")
    few = asked(board, "/board/")
    with acting(by="tests", action="tests.samples", site=room.site):
        Sample.objects.bulk_create(
            Sample(session=session, device=device, seq=t, signal="HR", value=70.0, t_s=t, received_t_s=t)
            for t in range(60)
        )
    assert len(asked(board, "/board/")) == len(few)


def finish(room: Room, number: int) -> Session:
    session = room.running(number)
    with acting(by="tests", action="tests.finish", site=room.site):
        SessionEvent.objects.create(session=session, seq=0, kind="session.started", t_s=0.0, by="tests")
        SessionEvent.objects.create(session=session, seq=1, kind="session.ended", t_s=60.0, by="tests")
        session.status, session.ended_at = Session.Status.ENDED, timezone.now()
        session.save()
    return session
