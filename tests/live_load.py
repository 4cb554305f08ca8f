"""Many chairs for many hours: what is stored, how memory and database grow, and how soon a page hears of a value."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from live_processes import House

# Where each signal lies on an ordinary day, and where it goes now and then for half a minute.
USUAL = {"HR": (66, 90), "PULSE": (66, 90), "SPO2": (95, 99), "RR": (12, 18), "ETCO2": (35, 42), "TEMP": (36.2, 37.2)}
STRANGE = {"HR": (125, 140), "SPO2": (84, 90), "RR": (5, 8)}
STRANGE_S = 30
SIGNALS = tuple(USUAL)
START = dt.datetime(2026, 11, 22, 8, 0, 0, tzinfo=dt.UTC)
MEASURE_S = 600
EVERY_S = 10  # a gateway sends what it measured in this time; the monitor takes each of its seconds one by one


def room_of(chairs: int) -> dict[str, Any]:
    """A room with so many running sessions, in this process's database."""
    from limen.clinic.audit.act import acting
    from limen.clinic.sites.models import Chair
    from live_room import furnish, signed_in

    room = furnish()
    with acting(by="test", action="test.chairs", site=room.site):
        room.chairs += [Chair.objects.create(name=f"Chair {number}") for number in range(5, chairs + 1)]
    begun = [room.begun(number) for number in range(1, chairs + 1)]
    return {
        "begun": begun,
        "cookie": signed_in(room.nurse),
        "sessions": [str(session.pk) for session, _, _ in begun],
        "tokens": [token for _, _, token in begun],
        "user": room.nurse.username,
    }


def build(chairs: int) -> dict[str, Any]:
    """The same for a test outside of this process."""
    return {key: value for key, value in room_of(chairs).items() if key != "begun"}


def resident_mb() -> float:
    """Memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def database_mb() -> float:
    """Size of the database, as its engine says it."""
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_database_size(current_database())")
            return float(cursor.fetchone()[0]) / 2**20
        cursor.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        return float(cursor.fetchone()[0]) / 2**20


def day_of(seed: int) -> Callable[[str, int], float]:
    """The value of each signal of one patient at each second; a few times an hour one of them is strange."""
    rng = random.Random(seed)
    strange = {(rng.choice(list(STRANGE)), rng.randrange(2 * 24 * 60)) for _ in range(6 * 24)}

    def value(signal: str, at_s: int) -> float:
        spot = (signal, at_s // STRANGE_S)
        return round(rng.uniform(*(STRANGE if spot in strange else USUAL)[signal]), 1)

    return value


def long_day(chairs: int, seconds: int, *, report: str = "") -> dict[str, Any]:
    """So many chairs at 1 Hz with six signals; every second watched, each ten minutes measured."""
    import time_machine
    from django.db import connection

    from limen.clinic.sessions.ingest import Measured, take_batch
    from limen.clinic.sessions.models import AlarmRecord, AlarmSnapshot, Sample
    from limen.clinic.sessions.watching import Watcher

    if connection.vendor == "sqlite":
        connection.cursor().execute("PRAGMA synchronous=OFF")  # what is measured here is not the disk
    days = [day_of(number) for number in range(chairs)]
    offered = 0
    hours: list[dict[str, float]] = []
    with time_machine.travel(START, tick=False) as clock:
        begun = room_of(chairs)["begun"]
        empty_mb = database_mb()
        watcher = Watcher()
        for now_s in range(EVERY_S, seconds + 1, EVERY_S):
            clock.shift(EVERY_S)
            for (session, device, _), value in zip(begun, days, strict=True):
                samples = [
                    Measured(now_s - age, signal, value(signal, now_s - age), float(age))
                    for age in reversed(range(EVERY_S))
                    for signal in SIGNALS
                ]
                offered += len(samples)
                take_batch(device=device, batch_key=f"b{now_s}", samples=samples)
                while watcher.visit(session):
                    pass
            if now_s % MEASURE_S == 0 or now_s == seconds:
                row = {
                    "hour": round(now_s / 3600, 3),
                    "resident_mb": round(resident_mb(), 1),
                    "database_mb": round(database_mb() - empty_mb, 1),
                }
                hours.append(row)
                if report:
                    with Path(report).open("a") as file:
                        file.write(json.dumps({**row, "offered": offered, "at": time.time()}) + "\n")
        ticks = list(AlarmSnapshot.objects.values_list("tick_t_s", flat=True))
        raised = AlarmRecord.objects.filter(kind="raised").count()
    return {
        "offered": offered,
        "stored": Sample.objects.filter(signal__in=SIGNALS).count(),
        "distinct": Sample.objects.values("device", "seq", "signal").distinct().count(),
        "least_watched_s": min(ticks),
        "alarms_raised": raised,
        "database_mb": round(database_mb() - empty_mb, 1),
        "hours": hours,
    }


def furnished(house: House, chairs: int) -> None:
    """Build so many chairs in the house's own database."""
    house.facts = house.ask(f"import live_load; print(json.dumps(live_load.build({chairs})))")


def live_long(house: House, chairs: int, seconds: int, report: str = "") -> dict[str, Any]:
    """The long day, in a process with a database of its own on disk."""
    code = f"import live_load; print(json.dumps(live_load.long_day({chairs}, {seconds}, report={report!r})))"
    return dict(house.ask(code))


def say(what: str, figures: Any) -> None:
    sys.stderr.write(f"{what}: {figures}\n")
