"""A whole floor: any number of chairs, each at another minute of its session, with monitors that send."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from datetime import timedelta
from typing import Any

import httpx

from limen.clinic.audit.act import acting
from limen.clinic.courses.models import Plan
from limen.clinic.sessions.actions import create_session
from limen.clinic.sessions.models import Session, SessionEvent
from limen.clinic.sessions.record import settle, state_of
from limen.clinic.sites.actions import declare_rescue_stock, sign_standing_order
from limen.clinic.sites.zones import today
from limen.knowledge.standing_orders import get_order
from live_room import Room, furnish, signed_in

# minutes since the start, of chair 1, 2, 3, ...: a stagger of 13 minutes, and the fifth begins again
MINUTES = (52.0, 39.0, 26.0, 13.0, 3.0)
STREAMS = {"HR": {"period_s": 1}, "SPO2": {"period_s": 1}, "RR": {"period_s": 1}}


def seated(room: Room, number: int, minutes_min: float) -> Session:
    """A session ``minutes_min`` into its time: baseline, pump started in the third minute, seen every ten minutes."""
    session = room.running(number, ago_s=60.0 * minutes_min)
    events: list[tuple[float, str, dict[str, Any]]] = [
        (0.0, "session.started", {}),
        (0.0, "owner.changed", {"to": room.nurse.display_name}),
        (60.0, "observation.recorded", {"moaas": 5, "dissociation": 0, "distress": 0}),
    ]
    if minutes_min > 3:
        pump = {"dose_mg": 35.0, "duration_min": 40, "concentration_mg_per_mL": 1.0}
        events.append((180.0, "infusion.started", pump))
    for minute in range(13, int(minutes_min), 10):
        seen = {"moaas": 5 if minute < 30 else 4, "dissociation": min(3, minute // 10)}
        events.append((60.0 * minute + 20.0, "observation.recorded", seen))
    with acting(by="test", action="test.events", site=room.site):
        for seq, (t_s, kind, data) in enumerate(events):
            by = room.nurse.display_name
            SessionEvent.objects.create(session=session, seq=seq, kind=kind, t_s=t_s, by=by, data=data)
        settle(session, state_of(session, at_t_s=60.0 * minutes_min))
    return session


def build_floor(chairs: int, in_use: int) -> dict[str, Any]:
    """A floor with ``chairs`` places of which ``in_use`` hold a session, and a second nurse."""
    room = furnish(chairs=chairs)
    second = room.person("nora-second", "nurse")
    sessions, tokens = [], []
    for number in range(1, in_use + 1):
        minutes_min = MINUTES[(number - 1) % len(MINUTES)] + (number - 1) // len(MINUTES)
        session = seated(room, number, minutes_min)
        _, token = room.device(session, f"chair-{number}", ago_s=60.0 * minutes_min)
        sessions.append(str(session.pk))
        tokens.append(token)
    return {
        "cookie": signed_in(room.nurse),
        "second": signed_in(second),
        "second_id": str(second.pk),
        "sessions": sessions,
        "tokens": tokens,
        "user": room.nurse.username,
    }


class Monitors:
    """A bedside monitor at each chair, sending once a second; what it sends can be changed meanwhile."""

    def __init__(self, url: str, tokens: list[str]) -> None:
        self.url, self.tokens = url, tokens
        self.values = [
            {"HR": 68.0 + number % 9, "SPO2": 97.0 + number % 3, "RR": 13.0 + number % 4}
            for number in range(len(tokens))
        ]
        self.silent: set[int] = set()
        self.cuffs: dict[int, tuple[float, float]] = {
            number: (124.0 + 3 * (number % 5), 78.0 + number % 5) for number in range(len(tokens))
        }
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Monitors:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=20)

    def cuff(self, number: int, systolic: float, diastolic: float) -> None:
        """The next message of this chair carries a reading of the cuff."""
        self.cuffs[number] = (systolic, diastolic)

    def _run(self) -> None:
        second = 0
        with httpx.Client(base_url=self.url, timeout=10.0, trust_env=False) as client:
            while not self._stop.wait(1.0):
                second += 1
                for number, token in enumerate(self.tokens):
                    if number not in self.silent:
                        self._send(client, number, token, second)

    def _send(self, client: httpx.Client, number: int, token: str, second: int) -> None:
        values: dict[str, float] = dict(self.values[number])
        cuff = self.cuffs.pop(number, None)
        if cuff:
            values |= {"NIBP_SYS": cuff[0], "NIBP_DIA": cuff[1]}
        samples = [{"seq": second, "t_s": 1000.0 + second, "signal": name, "value": v} for name, v in values.items()]
        body = {"device": f"chair-{number + 1}", "batch": f"b{second}", "sent_s": 1000.0 + second, "samples": samples}
        with suppress(httpx.HTTPError):
            client.post(
                "/api/ingest",
                content=json.dumps(body),
                headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
            )


def at_once(kind: str, doses_mg: float, at_min: tuple[float, ...], **more: Any) -> dict[str, Any]:
    """The dose of a plan without a pump, in the shape of the contract."""
    steps = [
        {"kind": kind, "at_min": at, "dose_mg": doses_mg, "duration_min": 0.0, "volume_mL": more.get("volume_mL")}
        for at in at_min
    ]
    return {"dose_mg": doses_mg * len(at_min), "duration_min": 0.0, "syringe": None, "steps": steps, **more}


# protocol, product, route, dose, minutes since the start, minutes at which a dose was given
ROUTES: list[tuple[str, str, str, dict[str, Any], float, tuple[float, ...]]] = [
    ("ESK-TRD", "esketamine-nasal", "in", at_once("device", 28.0, (0.0, 5.0, 10.0), devices=3), 12.0, (4.0, 9.5)),
    ("TRD-SC", "racemic", "sc", at_once("bolus", 35.0, (0.0,), volume_mL=0.7), 30.0, (5.0,)),
    ("TRD-PO", "racemic", "po", at_once("oral", 100.0, (0.0,)), 4.0, ()),
]


def seated_at_once(room: Room, number: int) -> Session:
    """A session without a pump: the devices of a spray with one still to come, an injection, a tablet not yet given."""
    protocol, product, route, dose, minutes_min, given_min = ROUTES[number - 2]
    session = room.running(number, ago_s=60.0 * minutes_min)
    with acting(by="test", action="test.plan", site=room.site):
        course, plan = session.course, session.plan
        course.product, course.route, course.protocol = product, route, protocol
        course.save()
        Plan.objects.filter(pk=plan.pk).update(protocol=protocol, result={**plan.result, "dose": dose})
        session.header = {**session.header, "protocol": protocol, "product": product, "route": route}
        session.save()
        events: list[tuple[float, str, dict[str, Any]]] = [
            (0.0, "session.started", {}),
            (0.0, "owner.changed", {"to": room.nurse.display_name}),
            (60.0, "observation.recorded", {"moaas": 5, "dissociation": 0, "distress": 0}),
            *(
                (60.0 * minute, "dose.given", {"dose_mg": dose["steps"][0]["dose_mg"], "route": route})
                for minute in given_min
            ),
        ]
        for seq, (t_s, kind, data) in enumerate(events):
            by = room.nurse.display_name
            SessionEvent.objects.create(session=session, seq=seq, kind=kind, t_s=t_s, by=by, data=data)
        session.refresh_from_db()
        settle(session, state_of(session, at_t_s=60.0 * minutes_min))
    return session


def sign_agitation(room: Room) -> None:
    """Midazolam for agitation, 1 to 2 mg: the order whose dose is a range, and what the site holds of it."""
    order = get_order("midazolam-agitation")
    vial = {"drug": "midazolam", "routes": ["iv"], "concentration_mg_per_mL": 5.0}
    declare_rescue_stock(by=room.director, site=room.site, items=[vial])
    ends = today(room.site) + timedelta(days=300)
    terms = {"expires_on": ends, "interval_min": 10.0}
    sign_standing_order(by=room.director, site=room.site, order=order.id, digest=order.digest, **terms)


def build_routes() -> dict[str, Any]:
    """Four chairs of four routes, a fifth that waits to be started, and a plan that waits for its chair."""
    room = furnish(chairs=6)
    second = room.person("nora-second", "nurse")
    sign_agitation(room)
    sessions, tokens = [], []
    for number in range(1, 5):
        session = seated(room, 1, MINUTES[2]) if number == 1 else seated_at_once(room, number)
        _, token = room.device(session, f"chair-{number}", ago_s=600.0)
        sessions.append(str(session.pk))
        tokens.append(token)
    waiting = create_session(by=room.nurse, plan=room.signed_plan(5), chair=room.chairs[4])
    free = room.signed_plan(6)
    return {
        "cookie": signed_in(room.nurse),
        "second": signed_in(second),
        "director": signed_in(room.director),
        "sessions": [*sessions, str(waiting.pk)],
        "tokens": tokens,
        "course": str(free.course_id),
        "user": room.nurse.username,
    }
