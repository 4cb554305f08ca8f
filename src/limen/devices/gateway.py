"""The one way from a device to the clinic: numbered samples in batches, kept until the clinic says it has them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import httpx

from limen.devices.clocks import DeviceClock, SteadyClock, boot_id
from limen.devices.spool import Spool, Waiting
from limen.errors import InputError, RefusedError
from limen.simulator.samples import SIGNALS, Sample

# Answers after which the same batch may be sent again, and after which its values must be looked at one by one.
_LATER = (408, 425, 429)
_MALFORMED = (400, 413, 422)
_NOT_HERE = (404, 409)
_TOO_LARGE = 413
_AHEAD_S = 2.0
_OLDEST_S = 24 * 3600.0  # what is older the clinic does not take

Values = list[tuple[str, float | None]]
"""Signals with their values, each in its signal's unit."""
TimedValues = list[tuple[float, Values]]
"""Seconds on the gateway's clock, with the values of that moment."""


class GatewayRefusedError(RefusedError):
    """The clinic will not take this batch; sending it again would not help.

    ``status_code`` 404 and 409 mean not for this patient or session; 401 that the token is unknown.
    """

    def __init__(self, what: str, *, where: str = "", allowed: str = "", status_code: int = 0) -> None:
        super().__init__(what, where=where, allowed=allowed)
        self.status_code = status_code


class Gateway:
    """Sends samples to ``POST {url}/api/ingest`` and never blocks its device for longer than one time-out.

    A batch is sent again until the clinic confirms it by its key: whatever else answers on the way (a proxy, a sign-in
    page, a server of another name) has neither taken nor refused it. Sequence numbers make that harmless: the clinic
    stores a number once. They start at the wall clock's milliseconds or after the last number in the spool, whichever
    is later, so that a device that restarts never reuses one.

    Parameters
    ----------
    url : str
        Root of the clinic.
    token : str
        The device's secret, given once when the device was registered.
    device : str
        The device's name.
    session : str, optional
        The session the device believes it serves; the clinic refuses the batch if it is another.
    spool : Spool, optional
        Where unsent samples wait; in memory only by default.
    client : httpx.Client, optional
        For tests.
    clock : callable, optional
        Seconds since the epoch. Only differences of it reach the clinic; by default one that nobody can set.
    wall : callable
        What this machine's clock shows; the clinic compares it with its own.

    Attributes
    ----------
    device_ahead_s : float or None
        How far the device's own clock is ahead of this machine's, where a driver measured it.
    taken, refused : int
        Values that the clinic has taken, and that it will never take from here.
    ageless : int
        Values kept from before a restart whose age nobody can tell any more; they were not sent, and count as lost.
    """

    def __init__(
        self,
        url: str,
        token: str,
        device: str,
        *,
        session: str | None = None,
        spool: Spool | None = None,
        client: httpx.Client | None = None,
        clock: Callable[[], float] | None = None,
        wall: Callable[[], float] = time.time,
        timeout_s: float = 3.0,
        batch_size: int = 500,
    ) -> None:
        self.device = device
        self.session = session
        self.spool = Spool() if spool is None else spool
        self.problem = ""
        self.taken = self.refused = 0
        self.ageless = 0
        self.device_ahead_s: float | None = None
        self.next_try_s = -math.inf
        self._client = client or httpx.Client(timeout=timeout_s, trust_env=False)
        self._url = url.rstrip("/") + "/api/ingest"
        self._token = token
        self._wall = wall
        self._clock = clock or self._steady()
        self._device_clock = DeviceClock(self.spool.device_ahead_s)
        self._batch_size = self._most = batch_size
        self._seq = max(int(self._clock() * 1000), self.spool.last_seq)
        self._batch: tuple[str, list[Waiting]] | None = None
        self._backoff_s = 0.0
        self._drop_ageless()

    def _steady(self) -> SteadyClock:
        """A clock that goes on with the times in the spool, where they are of this start of the machine."""
        boot = boot_id()
        clock = SteadyClock(self.spool.offset_s if boot and boot == self.spool.boot else None, wall=self._wall)
        self.spool.mark_clock(boot, clock.offset_s)
        return clock

    def _drop_ageless(self) -> None:
        """A value kept from before a restart with a clock that was set back: its age is unknown, and not 0."""
        latest_s = self._clock() + _AHEAD_S
        self.ageless = self.spool.drop(lambda entry: entry.sample.t_s > latest_s)

    def offer(self, values: Values, *, measured_at_s: float | None = None, patient: str | None = None) -> None:
        """Queue the values of one moment.

        Parameters
        ----------
        values : list of (signal, value)
            Each signal once; the value in the signal's unit, ``None`` where the sensor gave none.
        measured_at_s : float, optional
            When it was measured, on this gateway's clock; now by default.
        patient : str, optional
            The patient that the device itself names; the clinic refuses what is of another.
        """
        self.offer_message([(self._clock() if measured_at_s is None else measured_at_s, values)], patient=patient)

    def offer_message(self, moments: TimedValues, *, patient: str | None = None, message: str | None = None) -> None:
        """Queue all that came in one message, in a single step: after a crash all of it is there, or none.

        Parameters
        ----------
        moments : list of (seconds on this gateway's clock, values)
        message : str, optional
            Names the message; ``spool.has`` knows it from then on.
        """
        unknown = [signal for _, values in moments for signal, _ in values if signal not in SIGNALS]
        if unknown:
            raise InputError(f"unknown signal {unknown[0]!r}", where="signal", allowed=", ".join(SIGNALS))
        for signal, value in (pair for _, values in moments for pair in values):
            if value is not None and not math.isfinite(value):  # in the spool it would stop every batch behind it
                raise InputError(
                    f"{signal} {value!r} is not a number", where=signal, allowed="a finite number, or none"
                )
        samples = []
        for t_s, values in moments:
            self._seq += 1
            samples += [Sample(t_s, self._seq, signal, value) for signal, value in values]
        self.spool.add(samples, patient, message)

    def now_s(self) -> float:
        """This gateway's clock."""
        return self._clock()

    def late_s(self, stamp_s: float) -> float:
        """How long a message that came now was on its way, by its device's own stamp: where it waited, its values aged.

        What is known of that clock is kept with the spool, for what waits longest is what came while nobody listened.
        """
        late_s = self._device_clock.late_s(stamp_s, self._clock())
        if self._device_clock.ahead_s is not None:
            self.spool.mark_device(self._device_clock.ahead_s)
        return late_s

    def clock_ahead_s(self, now_s: float) -> float | None:
        """How far the device's clock is ahead of one that shows ``now_s`` now, as far as its messages told."""
        ahead_s = self._device_clock.ahead_s
        return None if ahead_s is None else round(ahead_s + self._clock() - now_s, 3)

    def flush(self) -> int:
        """Send what waits, oldest first; returns how many samples the clinic took.

        Returns at the first failure and waits longer before each new try (0.5 to 10 s). ``problem`` then says why.

        Raises
        ------
        GatewayRefusedError
            If the clinic refuses the batch for what it is (unknown token, device or session). Nothing is dropped.
        """
        before = self.taken
        while len(self.spool) and self._clock() >= self.next_try_s:
            self._batch = self._batch or self._new_batch()
            if self._batch is None:
                break
            key, entries = self._batch
            try:
                if not self._post(key, entries):
                    break
            except GatewayRefusedError as problem:
                if len(entries) == 1 or not _one_bad_value(problem):
                    raise
                self._batch, self._batch_size = None, len(entries) // 2  # find the value that spoils the rest
                continue
            self._done(entries)
            self.taken += len(entries)
            self._batch_size = min(self._most, 2 * self._batch_size)
        return self.taken - before

    def set_aside(self, problem: GatewayRefusedError) -> int:
        """Drop the batch that the clinic refused, and nothing else; returns how many samples went.

        The clinic keeps what it refused for its patient or session; what it cannot read at all counts as lost.
        """
        if self._batch is None:
            return 0
        entries = self._batch[1]
        if problem.status_code in _MALFORMED:
            gone = {entry.key for entry in entries}
            self.spool.drop(lambda entry: entry.key in gone)
        self._done(entries)
        self.refused += len(entries)
        return len(entries)

    def close(self) -> None:
        """Close the connection; unsent samples stay in the spool."""
        self._client.close()
        self.spool.close()

    def _done(self, entries: list[Waiting]) -> None:
        self.spool.taken(entries)
        self._batch = None
        self._backoff_s, self.next_try_s, self.problem = 0.0, -math.inf, ""

    def _new_batch(self) -> tuple[str, list[Waiting]] | None:
        oldest_s = self._clock() - _OLDEST_S
        entries = self.spool.head(self._batch_size)
        if any(entry.sample.t_s < oldest_s for entry in entries):  # else each would be refused one by one
            self.spool.drop(lambda entry: entry.sample.t_s < oldest_s)
            entries = self.spool.head(self._batch_size)
        if not entries:
            return None
        first, last = entries[0].sample, entries[-1].sample
        return f"{first.seq}.{first.signal}-{last.seq}.{last.signal}", entries

    def _post(self, key: str, entries: list[Waiting]) -> bool:
        samples = [entry.sample for entry in entries]
        body: dict[str, Any] = {
            "device": self.device,
            "session": self.session,
            "patient": entries[0].patient,
            "batch": key,
            "sent_s": self._clock(),
            "clock_s": self._wall() + (self.device_ahead_s or 0.0),
            "lost": self.spool.dropped,
            "samples": [
                {"seq": sample.seq, "t_s": sample.t_s, "signal": sample.signal, "value": sample.value}
                for sample in samples
            ],
        }
        try:
            answer = self._client.post(self._url, json=body, headers={"Authorization": f"Bearer {self._token}"})
        except httpx.HTTPError as problem:
            return self._wait(f"the clinic does not answer ({type(problem).__name__})")
        said = _said(answer)
        if answer.is_success and said.get("batch") == key:
            return True
        if answer.status_code in _LATER or answer.status_code >= 500:
            return self._wait(f"the clinic answered {answer.status_code}")
        if isinstance(said.get("error"), dict):
            raise _refusal(answer.status_code, said["error"])
        if answer.status_code == _TOO_LARGE:
            raise _refusal(answer.status_code, {"what": "the way to the clinic takes no message so large"})
        return self._wait(f"{self._url} is answered by something else than the clinic ({answer.status_code})")

    def _wait(self, problem: str) -> bool:
        self.problem = problem
        self._backoff_s = min(10.0, max(0.5, 2.0 * self._backoff_s))
        self.next_try_s = self._clock() + self._backoff_s
        return False


def goes_on(problem: GatewayRefusedError) -> bool:
    """Whether a refusal is about these values and not about the device: the rest may still be sent."""
    return problem.status_code in (*_NOT_HERE, *_MALFORMED)


def _one_bad_value(problem: GatewayRefusedError) -> bool:
    return problem.status_code in _MALFORMED or problem.where == "samples.seq"


def _said(answer: httpx.Response) -> dict[str, Any]:
    """The answer as the clinic writes it; empty where it is no JSON object."""
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _refusal(status_code: int, error: dict[str, Any]) -> GatewayRefusedError:
    what, where, allowed = (str(error.get(key) or "") for key in ("what", "where", "allowed"))
    return GatewayRefusedError(
        what or f"the clinic answered {status_code}", where=where, allowed=allowed, status_code=status_code
    )
