"""A clinic after years of work: one course is lived through the real actions, and many patients get their own copy.

Every copied row is written inside an act. The book is a chain of its own entries, sealed one after another.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import numpy as np
from django.db.models import Model
from django.utils import timezone

from limen.clinic.accounts.actions import bootstrap_user
from limen.clinic.audit.act import acting
from limen.clinic.courses.models import Course, Plan, ScreeningResult
from limen.clinic.demo import people
from limen.clinic.demo.accounts import ACCOUNTS
from limen.clinic.demo.past import living
from limen.clinic.demo.treat import Staff, draw_up, live_through, meet, plan_today, prepare_day
from limen.clinic.outcomes.models import QuestionnaireResponse
from limen.clinic.patients.models import ConditionRecord, Fact, MedicationRecord, Patient
from limen.clinic.sessions.actions import associate_device, create_session, record, start_session
from limen.clinic.sessions.devices import bootstrap_device
from limen.clinic.sessions.models import Device, Sample, Session, SessionEvent
from limen.clinic.sessions.watching import Watcher
from limen.clinic.sites.actions import bootstrap_chair, create_site
from limen.clinic.sites.models import Chair, Site
from limen.clinic.stock.actions import receive
from limen.clinic.stock.models import LedgerEntry, Vial
from limen.clinic.stock.queries import site_verify
from limen.ledger import Entry, Line, post

BUILDER = "bench"
CHAIRS = 4
LIVE_FOR = timedelta(minutes=30)
TODAY_BEFORE = 8
"""Sessions that are over and began within the last hours."""
CHUNK = 250
VIAL_MG = Decimal("500.000")
_EACH_TIME = ("patient.weight_kg", "vitals.sbp_mmHg", "vitals.dbp_mmHg", "scores.PHQ-9")

R = TypeVar("R", bound=Model)


@dataclass(frozen=True)
class Example:
    """One patient with one session, as the actions wrote it."""

    patient: Patient
    course: Course
    plan: Plan
    session: Session
    facts: list[Fact]
    conditions: list[ConditionRecord]
    medications: list[MedicationRecord]
    screenings: list[ScreeningResult]
    events: list[SessionEvent]
    responses: list[QuestionnaireResponse]
    lines: list[LedgerEntry]


def build(patients: int, rng: np.random.Generator) -> Site:
    """A site with ``patients`` patients, a day under way, and every chair taken."""
    site = create_site(by=BUILDER, name="Large clinic")
    staff = Staff(
        *(
            bootstrap_user(
                by=BUILDER,
                site=site,
                username=account.username,
                display_name=account.display_name,
                initials=account.initials,
                password=account.password,
                roles=list(account.roles),
            )
            for account in ACCOUNTS
        )
    )
    for number in range(1, CHAIRS + 1):
        bootstrap_chair(by=BUILDER, site=site, name=f"Chair {number}")
    example = _example(site, staff)
    _Copies(site, example, rng).write(patients)
    _live(site, staff, rng)
    verdict = site_verify(site)
    if not verdict["ok"]:
        raise RuntimeError(f"the copied book does not fit at entry {verdict['first_bad']}")
    return site


def _example(site: Site, staff: Staff) -> Example:
    with living((timezone.now() - timedelta(days=60)).replace(hour=9)) as clock:
        _receive(site, staff, "EX-1")
        live_through(site, staff, people.COMPLETED, 0, clock)
    session = Session.objects.select_related("patient", "course", "plan").get(site=site)
    of_patient = {"patient": session.patient}
    return Example(
        patient=session.patient,
        course=session.course,
        plan=session.plan,
        session=session,
        facts=list(Fact.objects.filter(**of_patient)),
        conditions=list(ConditionRecord.objects.filter(**of_patient)),
        medications=list(MedicationRecord.objects.filter(**of_patient)),
        screenings=list(ScreeningResult.objects.filter(course=session.course).order_by("created_at")),
        events=list(SessionEvent.objects.filter(session=session).order_by("seq")),
        responses=list(QuestionnaireResponse.objects.filter(**of_patient)),
        lines=list(LedgerEntry.objects.filter(session=session).order_by("position")),
    )


def _receive(site: Site, staff: Staff, label: str) -> Vial:
    return receive(
        by=staff.pharmacist,
        site=site,
        label=label,
        key=f"receive-{label}",
        product="racemic",
        strength_mg_per_mL="50",
        volume_mL="10",
        lot="B1",
        expiry=(timezone.now() + timedelta(days=500)).date(),
        supplier="Supplier",
        invoice=f"INV-{label}",
        witness=staff.second_nurse,
    )


def like(row: R, later: timedelta = timedelta(0), **changes: Any) -> R:
    """A new row like another one, its times moved."""
    values: dict[str, Any] = {}
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        if isinstance(value, datetime | date):
            value = value + later
        if field.primary_key:
            if not isinstance(value, uuid.UUID):
                continue
            value = uuid.uuid4()
        values[field.attname] = value
    for name, value in changes.items():
        values.pop(f"{name}_id", None)
        values[name] = value
    return type(row)(**values)


class _Copies:
    """Patients like the example, each with their own courses, sessions and lines in the book."""

    def __init__(self, site: Site, example: Example, rng: np.random.Generator) -> None:
        self.site = site
        self.example = example
        self.rng = rng
        self.chairs = list(Chair.objects.filter(site=site).order_by("name"))
        self.last = LedgerEntry.objects.filter(site=site).order_by("position").last()
        self.vial: Vial | None = None
        self.left_mg = Decimal(0)
        self.own: list[Entry] = []
        self.today = TODAY_BEFORE

    def write(self, count: int) -> None:
        for start in range(0, count, CHUNK):
            rows: dict[type[Model], list[Model]] = {}
            with acting(by=BUILDER, action="bench.copies", site=self.site):
                for number in range(start, min(start + CHUNK, count)):
                    for row in self._patient(number):
                        rows.setdefault(type(row), []).append(row)
                for model, made in rows.items():
                    model._default_manager.bulk_create(made, batch_size=500)

    def _patient(self, number: int) -> Iterator[Model]:
        """One patient: each row after those it points to."""
        example, rng = self.example, self.rng
        person = like(
            example.patient,
            mrn=f"B{number:05d}",
            family_name=f"{_NAMES[number % len(_NAMES)]}-{number:04d}",
            given_name=_NAMES[(number * 7) % len(_NAMES)],
            birth_date=date(1950, 1, 1) + timedelta(days=int(rng.integers(0, 50 * 365))),
        )
        yield person
        moved = timedelta(days=-int(rng.integers(0, 300)))
        for kind in (example.facts, example.conditions, example.medications):
            yield from (like(row, moved, patient=person) for row in kind)
        for index in range(1 if rng.random() < 0.7 else 2):
            yield from self._course(person, moved + timedelta(days=index * 30), int(rng.integers(2, 4)))

    def _course(self, person: Patient, moved: timedelta, sessions: int) -> Iterator[Model]:
        course = like(self.example.course, moved, patient=person, status=Course.Status.COMPLETED)
        yield course
        for number in range(1, sessions + 1):
            yield from self._session(person, course, moved + timedelta(days=3 * number), number)

    def _session(self, person: Patient, course: Course, moved: timedelta, number: int) -> Iterator[Model]:
        example = self.example
        if self.today and number == 1:
            self.today -= 1
            moved = timezone.now() - timedelta(hours=4) - (example.session.started_at or timezone.now())
        screenings = [like(row, moved, course=course) for row in example.screenings]
        yield from screenings
        plan = like(example.plan, moved, course=course, screening=screenings[-1], status=Plan.Status.SUPERSEDED)
        yield plan
        chair = self.chairs[number % CHAIRS]
        session = like(example.session, moved, course=course, patient=person, plan=plan, number=number, chair=chair)
        yield session
        yield from (like(row, moved, session=session) for row in example.events)
        yield from (like(row, moved, patient=person, course=course) for row in example.responses)
        if number > 1:
            yield from (like(row, moved, patient=person) for row in example.facts if row.kind in _EACH_TIME)
        yield from self._lines(session, moved)

    def _lines(self, session: Session, moved: timedelta) -> Iterator[Model]:
        drawn = sum((row.amount_mg for row in self.example.lines if row.kind == "draw"), Decimal(0))
        if self.vial is None or self.left_mg < drawn:
            received = LedgerEntry.objects.filter(site=self.site, kind="receive").select_related("vial").first()
            assert received is not None  # noqa: S101 - the example drew from it
            if self.vial is not None:
                rest = {"kind": "destroy", "amount_mg": self.left_mg, "reason": "rest of the vial", "data": {}}
                yield self._post(like(received, **rest), moved, self.vial, None)
            self.vial = like(received.vial, label=f"B-{uuid.uuid4().hex[:8]}")
            self.left_mg, self.own = VIAL_MG, []
            yield self.vial
            yield self._post(received, moved, self.vial, None)
        self.left_mg -= drawn
        for row in self.example.lines:
            yield self._post(row, moved, self.vial, session)

    def _post(self, row: LedgerEntry, moved: timedelta, vial: Vial, session: Session | None) -> LedgerEntry:
        assert self.last is not None  # noqa: S101 - the example's own lines stand before
        key = uuid.uuid4().hex
        made = like(row, moved, vial=vial, session=session, key=key, position=self.last.position + 1)
        line = Line(
            kind=row.kind,
            vial=vial.label,
            amount_mg=row.amount_mg,
            by=row.by,
            key=key,
            witness=row.witness or None,
            session=str(session.pk) if session else None,
            reason=row.reason or None,
            label=row.data.get("label") or {},
        )
        entry = post(self.own, line, at=made.at, position=made.position, prev_hash=self.last.hash)
        made.prev_hash, made.hash = entry.prev_hash, entry.hash
        self.own.append(entry)
        self.last = made
        return made


def _live(site: Site, staff: Staff, rng: np.random.Generator) -> None:
    """Every chair taken for half an hour, with a value a second from its monitor, watched second by second."""
    for number, chair in enumerate(Chair.objects.filter(site=site).order_by("name"), start=1):
        device, _ = bootstrap_device(by=BUILDER, site=site, name=f"chair-{number}")
        person = replace(people.LIVE, mrn=f"L{number}", family_name=f"Live-{number}")
        with living(timezone.now() - LIVE_FOR):
            _receive(site, staff, f"0-LIVE-{number}")
            patient, course = meet(site, staff, person)
            prepare_day(staff, person, patient, course)
            session = create_session(by=staff.nurse, plan=plan_today(staff, course), chair=chair)
            draw_up(staff, session)
            associate_device(by=staff.nurse, session=session, device=device)
            start_session(by=staff.nurse, session=session)
            record(by=staff.nurse, session=session, kind="observation.recorded", data={"moaas": 5, "dissociation": 0})
            record(by=staff.nurse, session=session, kind="infusion.started", data={})
        with acting(by=BUILDER, action="bench.samples", site=site):
            Sample.objects.bulk_create(_samples(session, device, rng), batch_size=500)
        watcher = Watcher()
        session.refresh_from_db()
        while watcher.visit(session):
            pass


def _samples(session: Session, device: Device, rng: np.random.Generator) -> Iterator[Sample]:
    seconds = int(LIVE_FOR.total_seconds())
    centre = {"HR": 74.0, "SPO2": 97.0, "RR": 14.0, "NIBP_SYS": 132.0, "NIBP_DIA": 82.0}
    for signal, middle in centre.items():
        every = 300 if signal.startswith("NIBP") else 1
        for t_s in range(0, seconds, every):
            yield Sample(
                session=session,
                device=device,
                seq=t_s,
                signal=signal,
                value=round(middle + float(rng.normal(0, 0.7)), 1),
                t_s=float(t_s),
                received_t_s=t_s + 0.2,
            )


_NAMES = (
    "Adler", "Baptiste", "Costa", "Dvorak", "Eriksen", "Fonseca", "Garcia", "Haddad", "Ivanov", "Jansen", "Kovacs",
    "Lindqvist", "Moreau", "Novak", "Okafor", "Petrov", "Quinn", "Rossi", "Sato", "Tanaka", "Ueda", "Varga", "Wrona",
    "Xu", "Yilmaz", "Zeman",
)  # fmt: skip
