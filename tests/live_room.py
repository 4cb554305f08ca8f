"""A site with a running session and a device on it, for tests of the live path."""

from __future__ import annotations

import copy
import datetime as dt
import functools
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.utils import timezone

from limen.clinic.accounts.models import Membership, User
from limen.clinic.audit.act import acting
from limen.clinic.courses.models import Course, Plan, ScreeningResult
from limen.clinic.patients.models import Patient
from limen.clinic.sessions.actions import associate_device, create_session, start_session
from limen.clinic.sessions.devices import bootstrap_device
from limen.clinic.sessions.ingest import new_token, token_hash
from limen.clinic.sessions.models import AlarmSnapshot, Device, DeviceAssociation, Session
from limen.clinic.sites.models import Chair, Site
from limen.clinic.sites.zones import today
from limen.pharmacology.forecast import forecast
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose

PASSWORD = "a long enough secret"
HEADER = {
    "protocol": "TRD-IV",
    "patient": {"age_years": 42, "sex": "female", "weight_kg": 70, "height_cm": 168},
    "baseline": {"sbp_mmHg": 128, "dbp_mmHg": 78, "hr_per_min": 72, "spo2_pct": 98},
    "limits": None,
    "streams": {"HR": {"period_s": 1}, "SPO2": {"period_s": 1}, "RR": {"period_s": 1}},
}


@dataclass
class Room:
    """One site and what stands in it."""

    site: Site
    nurse: User
    director: User
    chairs: list[Chair]

    def person(self, username: str, role: str) -> User:
        user = User.objects.create_user(
            username, PASSWORD, display_name=username.title(), initials=username[:2].upper()
        )
        with acting(by="test", action="test.member", site=self.site):
            Membership.objects.create(user=user, role=role)
        return user

    def signed_plan(self, number: int = 1, facts: list[dict[str, Any]] | None = None) -> Plan:
        with acting(by="test", action="test.plan", site=self.site):
            patient = Patient.objects.create(
                mrn=f"{20400 + number}",
                family_name="Iversen",
                given_name=f"Maren {number}",
                birth_date=dt.date(1984, 2, 4),
                sex="female",
            )
            course = Course.objects.create(
                patient=patient,
                indication="trd",
                product="racemic",
                route="iv",
                setting="clinic",
                protocol="TRD-IV",
                status="active",
            )
            screening = ScreeningResult.objects.create(
                course=course,
                case={"facts": FACTS if facts is None else facts},
                result={},
                verdict="eligible",
                knowledge_release="test",
                on=today(self.site),
            )
            return Plan.objects.create(
                course=course,
                screening=screening,
                protocol="TRD-IV",
                result={**copy.deepcopy(PLAN), "forecast": expected()},
                on=today(self.site),
                status=Plan.Status.SIGNED,
                signed_by=self.director,
                signed_at=timezone.now(),
            )

    def running(self, number: int = 1, *, ago_s: float = 60.0) -> Session:
        """A session that started some time ago, past every check of the start itself."""
        plan = self.signed_plan(number)
        with acting(by="test", action="test.session", site=self.site):
            session = Session.objects.create(
                course=plan.course,
                patient=plan.course.patient,
                plan=plan,
                chair=self.chairs[number - 1],
                number=1,
                status=Session.Status.RUNNING,
                header=HEADER,
                started_at=timezone.now() - dt.timedelta(seconds=ago_s),
                owner=self.nurse,
            )
            AlarmSnapshot.objects.create(session=session)
            return session

    def begun(self, number: int = 1) -> tuple[Session, Device, str]:
        """A session started by the nurse through every check, with a device on it."""
        session = create_session(by=self.nurse, plan=self.signed_plan(number), chair=self.chairs[number - 1])
        device, token = bootstrap_device(by="test", site=self.site, name=f"chair-{number}")
        associate_device(by=self.nurse, session=session, device=device)
        start_session(by=self.nurse, session=session)
        session.refresh_from_db()
        return session, device, token

    def device(self, session: Session | None, name: str = "chair-1", *, ago_s: float = 60.0) -> tuple[Device, str]:
        token = new_token()
        with acting(by="test", action="test.device", site=self.site):
            device = Device.objects.create(name=name, kind="monitor", token_hash=token_hash(token))
            if session:
                begin = timezone.now() - dt.timedelta(seconds=ago_s)
                DeviceAssociation.objects.create(device=device, session=session, started_at=begin)
        return device, token


FACTS = [
    {"key": f"{part}.{key}", "value": value, "taken_at": None, "source": "test"}
    for part, values in (("patient", HEADER["patient"]), ("vitals", HEADER["baseline"]))
    for key, value in values.items()  # type: ignore[attr-defined]
]
PLAN: dict[str, Any] = {
    "protocol": "TRD-IV",
    "released": True,
    "dose": {
        "dose_mg": 35.0,
        "dose_mg_per_kg": 0.5,
        "weight_basis": "actual",
        "duration_min": 40,
        "rate_mg_per_h": 52.5,
        "syringe": {"concentration_mg_per_mL": 1.0, "volume_mL": 35.0, "rate_mL_per_h": 52.5, "diluent": "NaCl 0.9 %"},
        "steps": [
            {
                "kind": "infusion",
                "at_min": 0,
                "dose_mg": 35.0,
                "duration_min": 40,
                "rate_mg_per_h": 52.5,
                "volume_mL": 35.0,
                "rate_mL_per_h": 52.5,
            }
        ],
    },
    "forecast": {},
    "monitoring": [],
    "discharge": [],
}


@functools.cache
def expected() -> dict[str, Any]:
    """The forecast that the signed plan carries."""
    patient = PatientProfile(age_years=42, sex="female", weight_kg=70, height_cm=168)
    made = forecast([Dose(35.0, "iv", 0.0, 40.0)], patient, "racemic", 240.0, 4.0, n=20, rng=np.random.default_rng(1))
    return made.to_json()


def furnish(slug: str = "harbour", chairs: int = 4) -> Room:
    """A site with a nurse, a medical director and four chairs, or more."""
    site = Site(name="Harbour Clinic", slug=slug, timezone="Europe/Zurich")
    with acting(by="test", action="test.site", site=site):
        site.save()
        made = [Chair.objects.create(name=f"Chair {number}") for number in range(1, chairs + 1)]
    room = Room(site, None, None, made)  # type: ignore[arg-type]
    room.nurse = room.person(f"{slug}-nurse", "nurse")
    room.director = room.person(f"{slug}-director", "medical-director")
    return room


def batch(device: str, key: str, samples: list[tuple[int, str, float | None]], **more: Any) -> dict[str, Any]:
    """An ingest message; ``samples`` are (seq, signal, value), measured as they are sent."""
    values = [{"seq": seq, "t_s": 1000.0, "signal": signal, "value": value} for seq, signal, value in samples]
    return {"device": device, "batch": key, "sent_s": 1000.0, "samples": values, **more}


def post(client: Any, token: str, body: Any) -> Any:
    """Send an ingest message."""
    data = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.post(
        "/api/ingest", data, content_type="application/json", headers={"authorization": f"Bearer {token}"}
    )


def signed_in(user: User) -> str:
    """A session cookie of this person."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    return str(store.session_key)


def build(chairs: int) -> dict[str, Any]:
    """A whole room in the database of this process's settings, and what a test outside of it needs to know."""
    room = furnish(chairs=max(4, chairs))
    sessions, tokens = [], []
    for number in range(1, chairs + 1):
        session, _, token = room.begun(number)
        sessions.append(str(session.pk))
        tokens.append(token)
    return {"cookie": signed_in(room.nurse), "sessions": sessions, "tokens": tokens, "user": room.nurse.username}
