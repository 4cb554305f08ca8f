"""``limen twin``: the forecast of every patient in a chair, made anew when something was seen or the pump was touched.

A process of its own, beside the monitor: a forecast takes a second of work, and no alarm may wait for it. What it says
enters the session's record as an event, so that a replay judges by the same band. When it stands still, the last
forecast stays with its age, and no alarm is lost but that of a patient who leaves the band.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
from django.db import DatabaseError, connection

from limen.care.leaving import leaving_after
from limen.clinic.audit.act import acting
from limen.clinic.sessions.clock import lock, session_now_s
from limen.clinic.sessions.earlier import earlier_of
from limen.clinic.sessions.models import Sample, Session
from limen.clinic.sessions.monitor import LIVE
from limen.clinic.sessions.planned import plan_of
from limen.clinic.sessions.record import append, events_of, header_of, rules_of
from limen.errors import InputError
from limen.knowledge.monitoring import MonitoringRules
from limen.pharmacology.individual.observations import Observation, observations_from_json
from limen.pharmacology.individual.prior import Prior
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose
from limen.session.forecast_event import ForecastUpdated
from limen.session.given import given_doses
from limen.session.header import SessionHeader
from limen.session.state import SessionState, fold
from limen.session.ticks import begin_watch
from limen.session.twin import Reading, Subject, twin, twin_prior
from limen.session.twin_event import updated

BY = "forecast"
PERIOD_S = 2.0
PATIENTS = 300  # of each model
SEED = 1
KEPT_PRIORS = 16
HEART_EVERY_S = 300.0
HEART_WINDOW_S = 30.0  # on each side; the middle value of it is one reading
LEVEL_PCT = 99.0
_PATIENT = ("age_years", "sex", "weight_kg", "height_cm", "ancestry")
_ENVELOPE = {"t_s", "received_t_s", "id", "by", "note", "kind"}
_LOG = logging.getLogger(__name__)


def run(stop: threading.Event | None = None, *, monotonic: Callable[[], float] = time.monotonic) -> None:
    """Forecast until ``stop`` is set, or the process is told to end."""
    ended = stop or threading.Event()
    if stop is None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
    forecaster = Forecaster()
    while not ended.is_set():
        began_s = monotonic()
        forecaster.round()
        ended.wait(max(0.1, PERIOD_S - (monotonic() - began_s)))


@dataclass(slots=True)
class Forecaster:
    """One process. All it knows can be lost: what counts is in the record."""

    seen: dict[UUID, Any] = field(default_factory=dict)
    priors: OrderedDict[Any, Prior] = field(default_factory=OrderedDict)

    def round(self) -> None:
        """Visit every live session once. A session in trouble does not stop the others."""
        try:
            sessions = list(
                Session.objects.select_related("site", "course", "plan").filter(status__in=LIVE).defer("rules_snapshot")
            )
        except DatabaseError:
            _LOG.exception("twin: the database did not answer")
            connection.close()
            return
        for session in sessions:
            try:
                self.visit(session)
            except DatabaseError:
                _LOG.exception("twin: session %s could not be written", session.pk)
                connection.close()
            except Exception:  # noqa: BLE001  whatever it is, the other chairs must go on
                _LOG.exception("twin: session %s could not be forecast", session.pk)
        live = {session.pk for session in sessions}
        for key in self.seen.keys() - live:
            del self.seen[key]

    def visit(self, session: Session) -> bool:
        """Forecast one session anew, if anything is new; whether it was."""
        if session.started_at is None:
            return False
        header, rules, events = header_of(session), rules_of(session), events_of(session)
        now_s = session_now_s(session)
        state = fold(header, events, at_t_s=max(now_s, *(event.known_t_s for event in events), 0.0))
        doses = given_doses(state)
        if not doses or state.dose_start_t_s is None:
            return False
        hearts_to = int((now_s - HEART_WINDOW_S - state.dose_start_t_s) // HEART_EVERY_S)
        cuffs = _cuffs(session, header, rules, state.dose_start_t_s)
        observed = tuple(
            (entry.t_s, entry.moaas, entry.dissociation, entry.sbp_mmHg, entry.hr_per_min)
            for entry in state.observations
        )
        escort = state.latest.get("escort")
        news = (doses, len(cuffs), max(0, hearts_to), observed, tuple(sorted(_own(state))), escort and escort.value)
        if self.seen.get(session.pk) == news:
            return False
        readings = [*cuffs, *_by_hand(state), *_hearts(session, header, rules, state.dose_start_t_s, hearts_to)]
        event = self._forecast(session, header, rules, state, doses, readings, now_s)
        with acting(by=BY, action="sessions.forecast", site=session.site, audited=False):
            held = lock(session)
            if held.status not in LIVE:
                return False
            body = event.model_dump(mode="json", exclude=_ENVELOPE)
            append(held, event.kind, by=BY, data=body)
        self.seen[session.pk] = news
        return True

    def _forecast(
        self,
        session: Session,
        header: SessionHeader,
        rules: MonitoringRules,
        state: SessionState,
        doses: Sequence[Dose],
        readings: Sequence[Reading],
        now_s: float,
    ) -> ForecastUpdated:
        try:
            subject = _subject(session, header, rules, state, doses)
            prior = self._prior(subject, doses)
            found = twin(prior, subject, state, readings)
            return updated(found, subject, now_t_s=now_s, level_pct=LEVEL_PCT, rng=np.random.default_rng(SEED))
        except InputError as problem:
            # Outside what the models were made for: said once, and the session goes on without a forecast.
            return ForecastUpdated(t_s=now_s, bands={}, said=f"No forecast: {problem}")

    def _prior(self, subject: Subject, doses: Sequence[Dose]) -> Prior:
        before = tuple(dict.fromkeys(item.session for item in subject.earlier))
        key = (subject.product, subject.setting, subject.patient, subject.perpetrators, tuple(doses), before)
        if key in self.priors:
            self.priors.move_to_end(key)
        else:
            while len(self.priors) >= KEPT_PRIORS:
                self.priors.popitem(last=False)
            self.priors[key] = twin_prior(subject, doses, n=PATIENTS, rng=np.random.default_rng(SEED))
        return self.priors[key]


def _subject(
    session: Session, header: SessionHeader, rules: MonitoringRules, state: SessionState, doses: Sequence[Dose]
) -> Subject:
    patient = header.patient or {}
    escort = state.latest.get("escort")
    product = header.product or session.course.product
    planned = plan_of(session).get("forecast") or {}
    return Subject(
        product=product,
        patient=PatientProfile(**{key: patient.get(key) for key in _PATIENT}),
        baseline=header.baseline_values(),
        leaving=leaving_after(
            product,
            [dose.route for dose in doses],
            escort=bool(escort.value) if escort is not None and escort.value is not None else None,
        ),
        setting=session.course.setting or None,
        perpetrators=tuple(planned.get("with") or ()),
        limits=_limits(header, rules, state),
        earlier=_earlier(session),
    )


def _earlier(session: Session) -> tuple[Observation, ...]:
    """Peaks of this patient's earlier sessions."""
    entries = [item.observation for item in earlier_of(session.plan) if not item.of_this]
    return observations_from_json({"observations": entries})[0]


def _own(state: SessionState) -> list[tuple[str, float | None]]:
    return [(signal, pair.high) for signal, pair in state.limits.items()]


def _limits(header: SessionHeader, rules: MonitoringRules, state: SessionState) -> dict[str, float]:
    """The upper limit of pressure and heart rate that asks for a pause: the patient's own, or the rules'."""
    watch, _ = begin_watch(header, rules)
    found: dict[str, float] = {}
    for signal_id in ("NIBP_SYS", "HR"):
        own = state.limits.get(signal_id)
        if own is not None:
            if own.high is not None:
                found[signal_id] = own.high
            continue
        steps = [
            limit.limit
            for limit in rules.limits
            if limit.signal == watch.followed(signal_id)
            and limit.tier == "hold"
            and limit.when in ("at-or-over", "over")
            and not limit.with_symptom
        ]
        if steps:
            found[signal_id] = min(steps)
    return found


def _cuffs(session: Session, header: SessionHeader, rules: MonitoringRules, from_s: float) -> list[Reading]:
    watch, _ = begin_watch(header, rules)
    rows = Sample.objects.filter(session=session, signal="NIBP_SYS", t_s__gt=from_s).order_by("t_s", "id")
    return [
        Reading(t_s, "NIBP_SYS", value)
        for t_s, value in rows.values_list("t_s", "value")
        if value is not None and watch.readable("NIBP_SYS", value)
    ]


def _by_hand(state: SessionState) -> list[Reading]:
    """Pressures and heart rates that a person wrote down."""
    found = [Reading(entry.t_s, "NIBP_SYS", entry.sbp_mmHg) for entry in state.observations if entry.sbp_mmHg]
    return found + [Reading(entry.t_s, "HR", entry.hr_per_min) for entry in state.observations if entry.hr_per_min]


def _hearts(
    session: Session, header: SessionHeader, rules: MonitoringRules, from_s: float, count: int
) -> list[Reading]:
    """Every five minutes one heart rate: the middle value of a minute."""
    watch, _ = begin_watch(header, rules)
    found = []
    for number in range(1, count + 1):
        at_s = from_s + number * HEART_EVERY_S
        rows = Sample.objects.filter(
            session=session, signal="HR", t_s__gte=at_s - HEART_WINDOW_S, t_s__lte=at_s + HEART_WINDOW_S
        ).values_list("value", flat=True)
        values = sorted(value for value in rows if value is not None and watch.readable("HR", value))
        if values:
            found.append(Reading(at_s, "HR", values[len(values) // 2]))
    return found
