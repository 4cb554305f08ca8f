"""Sessions that run now: begun some minutes ago, watched since, and carried on by a virtual chair beside the server."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from django.utils import timezone

from limen.clinic.courses.models import Plan
from limen.clinic.demo.past import living
from limen.clinic.demo.people import Person
from limen.clinic.demo.treat import Staff, draw_up, meet, plan_today, prepare_day
from limen.clinic.sessions.actions import associate_device, create_session, record, start_session
from limen.clinic.sessions.ingest import Measured, take_batch
from limen.clinic.sessions.models import Device, Session
from limen.clinic.sessions.monitor import beat
from limen.clinic.sessions.watching import Watcher
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


class Seated:
    """A session begun a few minutes ago through the same doors as any other, and brought to now whenever asked.

    Turns this process's clock, so nothing may be served from it meanwhile.
    """

    def __init__(self, site: Site, staff: Staff, person: Person, chair: Chair, device: Device, seed: int) -> None:
        self.staff, self.device, self.sent = staff, device, 0
        self.watcher = Watcher(steady=lambda: timezone.now().timestamp())  # the turned clock: nothing leapt for it
        with living(timezone.now() - timedelta(minutes=RUNNING_FOR_MIN)) as clock:
            self.session = begin(site, staff, person, chair, device)
            self.at = clock.at
        dose = self.session.plan.result["dose"]
        self.chair = virtual_chair(person, dose["dose_mg"], dose["duration_min"], seed)

    def bring_to_now(self) -> None:
        """Let the monitor hear and watch every second up to this one."""
        now = timezone.now()
        with living(self.at) as clock:
            batches = 0
            while seconds := min(SEND_EVERY_S, int((now - clock.at).total_seconds())):
                clock.forward(seconds / 60)
                self._send(seconds)
                if batches % LOOK_EVERY == 0:
                    self._watch()
                batches += 1
            self._watch()
            beat()
            self.at = clock.at

    def _watch(self) -> None:
        """Take every second that is due, of this session alone: for one that is already at now the clock went back."""
        session = Session.objects.select_related("site").get(pk=self.session.pk)
        if not self.watcher.known:
            self.watcher.greet(session, "monitor.started")
        while self.watcher.visit(session):
            pass

    def _send(self, seconds: int) -> None:
        batch: list[Measured] = []
        for age_s in reversed(range(seconds)):
            self.sent += 1
            batch.extend(Measured(self.sent, sample.signal, sample.value, float(age_s)) for sample in self.chair.step())
        key = f"demo-{self.session.pk}-{self.sent}"
        take_batch(device=self.device, batch_key=key, samples=batch, named_device=self.device.name)
        if self.sent - seconds < OBSERVE_AT_MIN * 60 <= self.sent:
            seen = {"moaas": 5, "dissociation": 1}
            record(by=self.staff.nurse, session=self.session, kind="observation.recorded", data=seen)


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
