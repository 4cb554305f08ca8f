"""``limen monitor``: once a second, every live session; a sign of life; nothing lost or doubled over a kill."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from django.db import DataError, Error, IntegrityError, ProgrammingError, connection
from django.db.models import F, Q
from django.utils import timezone

import limen
from limen.clinic.audit.act import acting
from limen.clinic.sessions.health import forget_held
from limen.clinic.sessions.models import Heartbeat, LiveEvent, Session
from limen.clinic.sessions.watching import BY, OvertakenError, Watcher
from limen.clinic.sites.models import Site

PERIOD_S = 1.0
PATIENCE = "2s"  # of the monitor, on PostgreSQL, with a row that somebody holds: the other chairs wait behind it
GAP_S = 0.002  # between two chairs, on SQLite: whoever waits for its one lock asks every millisecond
PRUNE_EVERY_S = 3600.0
KEEP_LIVE_EVENTS = timedelta(days=1)
LAST_TICKS = timedelta(minutes=1)  # the second of the discharge itself is still to be taken
LIVE = (Session.Status.RUNNING, Session.Status.RECOVERY)
_LOG = logging.getLogger(__name__)


def run(stop: threading.Event | None = None, *, monotonic: Callable[[], float] = time.monotonic) -> None:
    """Watch until ``stop`` is set, or the process is told to end.

    Rounds count from the start, so a slow one does not shift the later ones; one that is missed is caught up tick by
    tick. Between two rounds each session is visited when a second of its own has ended: a value that arrived at its
    beginning does not wait for the round as well.
    """
    ended = stop or threading.Event()
    if stop is None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
    monitor = Monitor()
    begin_s = monotonic()
    rounds = 0
    while not ended.is_set():
        monitor.round()
        rounds = max(rounds + 1, int((monotonic() - begin_s) / PERIOD_S) + 1)
        next_round_s = begin_s + rounds * PERIOD_S
        while not ended.is_set() and (left_s := next_round_s - monotonic()) > 0.0:
            ended.wait(min(left_s, monitor.wait_s()))
            monitor.between()
    monitor.farewell()


class Monitor:
    """One monitor process."""

    def __init__(self) -> None:
        self.watcher = Watcher()
        self.greeted: set[UUID] = set()
        self.sessions: list[Session] = []
        self._prune_at_s = time.monotonic() + PRUNE_EVERY_S

    def round(self) -> None:
        """Visit every live session once, then give the sign of life. A session in trouble does not stop the others."""
        try:
            be_impatient()
            just_over = Q(ended_at__gte=timezone.now() - LAST_TICKS)
            watched = Session.objects.select_related("site").defer("header", "rules_snapshot")
            self.sessions = list(watched.filter(Q(status__in=LIVE) | just_over))
            with one_sync_a_round():
                for session in self.sessions:
                    self._visit(session)
            self.watcher.forget({session.pk for session in self.sessions})
            beat()
            if time.monotonic() >= self._prune_at_s:
                self._prune_at_s = time.monotonic() + PRUNE_EVERY_S
                prune()
        except Error:
            # No sign of life: every page says NOT MONITORED. The next round begins with a new connection.
            _LOG.exception("monitor: the database did not answer")
            connection.close()

    def wait_s(self) -> float:
        """Seconds until the next second of a session ends; a round's time where none is watched."""
        known = [self.watcher.due_s[session.pk] for session in self.sessions if session.pk in self.watcher.due_s]
        return max(0.0, min(known, default=time.monotonic() + PERIOD_S) - time.monotonic())

    def between(self) -> None:
        """Visit the sessions whose second has ended since they were visited last."""
        now_s = time.monotonic()
        due = [session for session in self.sessions if self.watcher.due_s.get(session.pk, now_s + 1.0) <= now_s]
        if not due:
            return
        try:
            with one_sync_a_round():
                for session in due:
                    self._visit(session)
        except Error:
            _LOG.exception("monitor: the database did not answer")
            connection.close()
            self.sessions = []  # until the next round, which begins with a new connection

    def _visit(self, session: Session) -> None:
        if connection.vendor == "sqlite" and not connection.in_atomic_block:
            time.sleep(GAP_S)
        try:
            if session.status in LIVE and session.pk not in self.greeted:
                self.watcher.greet(session, "monitor.started")
                self.greeted.add(session.pk)
            while self.watcher.visit(session):
                pass
        except OvertakenError as problem:
            _LOG.info("monitor: %s", problem)
        except Exception as problem:
            if isinstance(problem, Error) and not _of_one_session(problem):
                raise
            # Its ticks stand still, and its pages say NOT MONITORED by their age; the other chairs go on.
            _LOG.exception("monitor: session %s could not be watched", session.pk)
            self.watcher.known.pop(session.pk, None)

    def farewell(self) -> None:
        """Write down, for each session still live, that the watching stopped on purpose."""
        for session in Session.objects.select_related("site").filter(status__in=LIVE, pk__in=self.greeted):
            self.watcher.greet(session, "monitor.stopped", reason="the monitor process was ended")


def be_impatient() -> None:
    """Wait for no chair's row longer than the others can be left alone; its own ticks are caught up later."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [PATIENCE])


def _of_one_session(problem: Error) -> bool:
    """Whether the database answers, and what failed is the rows of one session: refused ones, or a lock not given."""
    if isinstance(problem, DataError | IntegrityError | ProgrammingError):
        return True
    # SQLite has one lock and one disk for all. On PostgreSQL a deadlock or a row that is held ends one statement.
    return connection.vendor != "sqlite" and not connection.in_atomic_block and connection.is_usable()


@contextmanager
def one_sync_a_round() -> Iterator[None]:
    """On SQLite, let the sign of life at the round's end bring the whole round to the disk, in one wait for it.

    What the monitor writes follows from samples and events, which are on the disk before they are acknowledged: after a
    power cut in mid-round the same ticks are taken again, with the same result.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=NORMAL")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=FULL")


def beat() -> None:
    """The sign of life."""
    site = Site.objects.first() or Site()
    with acting(by=BY, action="sessions.beat", site=site, audited=False):
        fields = {"at": timezone.now(), "pid": os.getpid(), "version": limen.__version__}
        if not Heartbeat.objects.filter(name="monitor").update(**fields, counter=F("counter") + 1):
            Heartbeat.objects.create(name="monitor", **fields)


def prune() -> None:
    """Forget what live pages have long heard; the rows it was made from stay."""
    before = timezone.now() - KEEP_LIVE_EVENTS
    for site in Site.objects.all():
        with acting(by=BY, action="sessions.prune", site=site, audited=False):
            LiveEvent.objects.filter(site=site, created_at__lt=before).delete()
            forget_held()
