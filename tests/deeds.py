"""What people, devices and monitors do in a crowd: each function reads first, and returns the act to be done."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from types import SimpleNamespace
from typing import Any

from limen.clinic.accounts.models import User
from limen.clinic.audit.act import acting
from limen.clinic.audit.models import AuditEntry
from limen.clinic.courses.actions import open_course, sign_plan, write_plan
from limen.clinic.courses.models import Course, Plan
from limen.clinic.emergency.actions import start_emergency
from limen.clinic.patients.actions import register_patient
from limen.clinic.sessions import actions as session_actions
from limen.clinic.sessions.export import export_session
from limen.clinic.sessions.ingest import Measured, device_of, take_batch
from limen.clinic.sessions.models import (
    AlarmRecord,
    AlarmSnapshot,
    Device,
    DeviceAssociation,
    LiveEvent,
    Sample,
    SampleBatch,
    Session,
    SessionEvent,
)
from limen.clinic.sessions.sse import Scope
from limen.clinic.sessions.tail import newest_id
from limen.clinic.sessions.watching import OvertakenError, Watcher
from limen.clinic.sites.models import Chair, Site
from limen.clinic.stock import actions as stock_actions
from limen.clinic.stock import queries
from limen.clinic.stock.models import LedgerEntry, Vial
from limen.session.replay import replay
from live_room import Room, furnish

Act = Callable[[], Any]


# --- the room --------------------------------------------------------------------------------------------------------


def room(slug: str) -> Act:
    """A site with a nurse, a second nurse, a pharmacist, a medical director and four chairs."""

    def act() -> None:
        made = furnish(slug)
        made.person(f"{slug}-second", "nurse")
        made.person(f"{slug}-pharmacist", "pharmacist")
        made.person(f"{slug}-prescriber", "prescriber")

    return act


def _room(slug: str) -> Room:
    site = Site.objects.get(slug=slug)
    chairs = list(Chair.objects.filter(site=site).order_by("name"))
    return Room(site, _person(slug, "nurse"), _person(slug, "director"), chairs)


def _person(slug: str, role: str) -> User:
    return User.objects.get(username=f"{slug}-{role}")


def signed(slug: str, number: int = 1) -> Act:
    """A signed plan for a vial of 50 mg/mL."""

    def act() -> str:
        plan = _room(slug).signed_plan(number)
        _for_strong_vials(plan)
        return str(plan.pk)

    return act


def _for_strong_vials(plan: Plan) -> None:
    with acting(by="test", action="test.strength", site=plan.site):
        Plan.objects.filter(pk=plan.pk).update(concentration_mg_per_mL=50.0)


def begun(slug: str, number: int = 1) -> Act:
    """A session that runs, with its device; its plan is for a vial of 50 mg/mL."""

    def act() -> dict[str, str]:
        session, device, token = _room(slug).begun(number)
        _for_strong_vials(session.plan)
        return {"session": str(session.pk), "device": device.name, "token": token}

    return act


def facts_of_a_course(slug: str) -> Act:
    """A course with everything on record that a released plan needs."""

    def act() -> str:
        from clinic.test_courses import answer_everything

        place = _room(slug)
        patient = register_patient(
            by=place.nurse,
            site=place.site,
            mrn="H-1",
            family_name="Okafor",
            given_name="Ada",
            birth_date=date(1984, 3, 2),
            sex="female",
        )
        answer_everything(SimpleNamespace(nurse=place.nurse), patient)
        prescriber = _person(slug, "prescriber")
        made = open_course(
            by=prescriber, patient=patient, indication="trd", product="racemic", route="iv", protocol="TRD-IV"
        )
        return str(made.pk)

    return act


# --- acts ------------------------------------------------------------------------------------------------------------


def write(slug: str, course: str) -> Act:
    """Write a plan, as ``courses.actions`` does; answers its id."""
    row = Course.objects.select_related("patient__site", "site").get(pk=course)
    by = _person(slug, "prescriber")
    return lambda: str(write_plan(by=by, course=row, protocol="TRD-IV", concentration_mg_per_mL=50.0).pk)


def copy_of_draft(plan: str) -> Act:
    """A second draft beside the first, as two prescribers leave who write at the same moment."""

    def act() -> str:
        row = Plan.objects.select_related("site").get(pk=plan)
        with acting(by="test", action="test.copy", site=row.site):
            row.pk, row._state.adding = None, True
            row.pk = Plan._meta.pk.get_default()
            row.save()
        return str(row.pk)

    return act


def sign(slug: str, plan: str) -> Act:
    row = Plan.objects.select_related("site").get(pk=plan)
    by = _person(slug, "prescriber")
    return lambda: sign_plan(by=by, plan=row).status


def create(slug: str, plan: str, chair: int = 0) -> Act:
    place = _room(slug)
    row = Plan.objects.select_related("site").get(pk=plan)
    return lambda: str(session_actions.create_session(by=place.nurse, plan=row, chair=place.chairs[chair]).pk)


def tap(slug: str, session: str, deed: str, role: str = "nurse", **arguments: Any) -> Act:
    """An act of ``sessions.actions`` by name; answers the number of its event."""
    row = _session(session)
    by = _person(slug, role)
    if "to" in arguments:
        arguments["to"] = _person(slug, arguments["to"])
    if "device" in arguments:
        arguments["device"] = Device.objects.get(site=row.site, name=arguments["device"])
    function = getattr(session_actions, deed)

    def act() -> int | None:
        made = function(by=by, session=row, **arguments)
        return made.seq if isinstance(made, SessionEvent) else None

    return act


def press(slug: str, session: str, role: str, key: str) -> Act:
    """The emergency control on the page of a chair; answers the emergency's id."""
    row, by = _session(session), _person(slug, role)
    return lambda: str(start_emergency(by=by, site=row.site, session=row, key=key).pk)


def receive(slug: str, label: str, content_mg: int, key: str) -> Act:
    by = _person(slug, "pharmacist")
    site = Site.objects.get(slug=slug)
    vial = {
        "product": "racemic",
        "strength_mg_per_mL": "50",
        "volume_mL": str(content_mg / 50),
        "lot": "6K114",
        "expiry": date(2099, 3, 31),
    }
    return lambda: stock_actions.receive(by=by, site=site, label=label, key=key, **vial).position


def draw(slug: str, session: str, label: str, amount_mg: str, key: str, by: str = "nurse") -> Act:
    """One nurse draws, the other sees it."""
    row, vial = _session(session), Vial.objects.get(site__slug=slug, label=label)
    people = {name: _person(slug, name) for name in ("nurse", "second")}
    witness = people["second" if by == "nurse" else "nurse"]
    return lambda: (
        stock_actions.draw(
            by=people[by], session=row, vial=vial, amount_mg=amount_mg, witness=witness, key=key
        ).position
    )


def count(slug: str, label: str, amount_mg: str, key: str) -> Act:
    by = _person(slug, "pharmacist")
    vial = Vial.objects.select_related("site").get(site__slug=slug, label=label)
    return lambda: stock_actions.count(by=by, vial=vial, amount_mg=amount_mg, key=key).position


def send(token: str, batch: str, values: list[list[Any]], age_s: float = 0.0) -> Act:
    """A device's message, of values measured ``age_s`` ago."""
    device = device_of(token)
    assert device is not None
    samples = [Measured(seq, signal, value, age_s=age_s) for seq, signal, value in values]
    return lambda: take_batch(device=device, batch_key=batch, samples=samples)["stored"]


def watch(session: str, visits: int) -> Act:
    """A monitor of its own at one session, so many visits without a pause."""
    row, watcher = _session(session), Watcher()

    def act() -> None:
        for _ in range(visits):
            with suppress(OvertakenError):
                watcher.visit(row)

    return act


def _session(key: str) -> Session:
    return Session.objects.select_related("site", "plan", "course", "patient", "chair").get(pk=key)


# --- what stands -----------------------------------------------------------------------------------------------------


def events(session: str) -> Act:
    """Every event: number, kind, key."""
    rows = SessionEvent.objects.filter(session_id=session).order_by("seq")
    return lambda: [list(row) for row in rows.values_list("seq", "kind", "key")]


def header(session: str) -> Act:
    """What the session's row says."""
    row = _session(session)
    on = DeviceAssociation.objects.filter(session=row, ended_at=None).count()
    owner = row.owner.username if row.owner else None
    ended = row.ended_at.isoformat() if row.ended_at else None
    return lambda: {"status": row.status, "owner": owner, "ended_at": ended, "devices": on}


def stored(session: str) -> Act:
    """Samples, batches and what pages were told of them."""
    rows = Sample.objects.filter(session_id=session).order_by("id")
    return lambda: {
        "samples": [list(row) for row in rows.values_list("seq", "signal", "value")],
        "batches": SampleBatch.objects.filter(device__associations__session_id=session).count(),
        "told": LiveEvent.objects.filter(session_id=session, kind="samples").count(),
    }


def alarms(session: str) -> Act:
    """The alarm records, and whether a replay of the export agrees with them."""
    rows = list(AlarmRecord.objects.filter(session_id=session).order_by("seq"))

    def act() -> dict[str, Any]:
        recorded = [row.data for row in rows]
        return {
            "seqs": [row.seq for row in rows],
            "raised": [row.data["alarm"]["rule"] for row in rows if row.kind == "raised"],
            "agrees": recorded == list(replay(export_session(session)).changes),
        }

    return act


def book(slug: str) -> Act:
    """The site's book: positions, chain, balance, and the audit rows that belong to its lines."""
    site = Site.objects.get(slug=slug)
    lines = LedgerEntry.objects.filter(site=site).order_by("position")
    audit = AuditEntry.objects.filter(site_id=str(site.pk), outcome="done", action__startswith="stock.")
    return lambda: {
        "positions": list(lines.values_list("position", flat=True)),
        "lines": [[row.kind, str(row.amount_mg), row.key] for row in lines],
        "verify": queries.site_verify(site),
        "vials": queries.site_balance(site)["vials"],
        "audited": sorted(row["position"] for row in audit.values_list("detail", flat=True) if "position" in row),
    }


def plans(course: str) -> Act:
    """How many plans of a course stand in which state."""
    return lambda: sorted(Plan.objects.filter(course_id=course).values_list("status", flat=True))


def tail(slug: str, count: int) -> Act:
    """What a page hears that listens while others write: the ids, in the order heard, until there are so many."""
    scope = Scope("site_id", Site.objects.get(slug=slug).pk)
    last = newest_id()

    def act() -> list[int]:
        heard: list[int] = []
        until = time.monotonic() + 30
        newest = last
        while len(heard) < count and time.monotonic() < until:
            for row in scope.rows_after(newest):
                newest = row["id"]
                heard.append(newest)
        return heard

    return act


def live_ids(slug: str) -> Act:
    """The ids of all live events of a site."""
    return lambda: list(LiveEvent.objects.filter(site__slug=slug).order_by("id").values_list("id", flat=True))


def watched_to(session: str) -> Act:
    """Whether the monitor has taken the second in which the newest sample came."""
    row = Sample.objects.filter(session_id=session).order_by("-id").first()
    snapshot = AlarmSnapshot.objects.get(session_id=session)
    return lambda: row is not None and (snapshot.tick_t_s or 0.0) >= row.received_t_s
