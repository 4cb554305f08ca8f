"""Sessions that run now: begun some minutes ago, watched since, and carried on by a virtual chair beside the server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np
from django.utils import timezone

from limen.clinic.courses.models import Plan
from limen.clinic.demo.past import Clock, living
from limen.clinic.demo.people import Person
from limen.clinic.demo.treat import Staff, draw_up, meet, plan_today, prepare_day
from limen.clinic.sessions.actions import associate_device, create_session, record, start_session
from limen.clinic.sessions.ingest import Measured, take_batch
from limen.clinic.sessions.models import Device, Session
from limen.clinic.sessions.monitor import Monitor
from limen.clinic.sites.models import Chair, Site
from limen.pharmacology.forecast import forecast
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose
from limen.simulator.chair import VirtualChair
from limen.simulator.course import tabulated_course
from limen.simulator.patient import Vitals, draw_patient

RUNNING_FOR_MIN = 12
SEND_EVERY_S = 10  # a value is stale when it is older than this
LOOK_EVERY = 6  # batches: the monitor takes every second that is due, each with what was known by then
OBSERVE_AT_MIN = 10
BREATHS_PER_MIN = 14


def at_rest(person: Person) -> Vitals:
    """The vital signs of a person before the dose."""
    systolic, diastolic = person.pressure
    return Vitals(float(systolic), float(diastolic), 72.0, 98.0, float(BREATHS_PER_MIN))


def virtual_chair(person: Person, dose_mg: float, duration_min: float, seed: int) -> VirtualChair:
    """This person on a virtual chair, answering to this infusion."""
    profile = PatientProfile(age_years=40.0, sex=person.sex, weight_kg=person.weight_kg, height_cm=person.height_cm)
    expected = forecast(
        [Dose(dose_mg, "iv", 0.0, duration_min)], profile, until_min=360, every_min=1, wanted_effects=()
    )
    course = tabulated_course(expected.time_h, expected.outputs["ketamine_effect_site_ng_per_mL"].typical)
    rng = np.random.default_rng(seed)
    return VirtualChair(draw_patient(rng, at_rest(person)), rng, effect_site=course)


def seat(site: Site, staff: Staff, person: Person, chair: Chair, device: Device, seed: int) -> Session:
    """Begin a session a few minutes ago and bring it to now through the same doors as any other.

    Turns this process's clock, so nothing may be served from it meanwhile.
    """
    now = timezone.now()
    with living(now - timedelta(minutes=RUNNING_FOR_MIN)) as clock:
        session = begin(site, staff, person, chair, device)
        dose = session.plan.result["dose"]
        moments = _moments(virtual_chair(person, dose["dose_mg"], dose["duration_min"], seed))
        _watch(staff, session, device, moments, clock, until=now)
    return session


def begin(site: Site, staff: Staff, person: Person, chair: Chair, device: Device) -> Session:
    """A session that begins now: planned, drawn up, device on, first observation, pump started."""
    patient, course = meet(site, staff, person)
    prepare_day(staff, person, patient, course)
    return _begin(staff, plan_today(staff, course), chair, device)


def _begin(staff: Staff, plan: Plan, chair: Chair, device: Device) -> Session:
    session = create_session(by=staff.nurse, plan=plan, chair=chair)
    draw_up(staff, session)
    associate_device(by=staff.nurse, session=session, device=device)
    start_session(by=staff.nurse, session=session, key="demo-start")
    record(by=staff.nurse, session=session, kind="observation.recorded", data={"moaas": 5, "dissociation": 0})
    record(by=staff.nurse, session=session, kind="infusion.started", data={})
    return session


def _watch(
    staff: Staff, session: Session, device: Device, moments: Iterator[list[Measured]], clock: Clock, *, until: datetime
) -> None:
    monitor = Monitor()
    observed = False
    for number, values in enumerate(moments):
        if clock.at + timedelta(seconds=SEND_EVERY_S) > until:
            break
        clock.forward(SEND_EVERY_S / 60)
        take_batch(device=device, batch_key=f"demo-{session.pk}-{number}", samples=values, named_device=device.name)
        if number % LOOK_EVERY == 0:
            monitor.round()
        if not observed and number * SEND_EVERY_S >= OBSERVE_AT_MIN * 60:
            observed = True
            record(by=staff.nurse, session=session, kind="observation.recorded", data={"moaas": 5, "dissociation": 1})
    monitor.round()


def _moments(chair: VirtualChair) -> Iterator[list[Measured]]:
    seq = 0
    while True:
        batch: list[Measured] = []
        for second in range(SEND_EVERY_S):
            seq += 1
            age_s = float(SEND_EVERY_S - 1 - second)
            batch.extend(Measured(seq, sample.signal, sample.value, age_s) for sample in chair.step())
        yield batch
