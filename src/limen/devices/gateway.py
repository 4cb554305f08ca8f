"""The one way from a device to the clinic: numbered samples in batches, kept until the clinic says it has them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import httpx

from limen.devices.spool import Spool
from limen.errors import InputError, RefusedError
from limen.simulator.samples import SIGNALS, Sample


class GatewayRefusedError(RefusedError):
    """The clinic will not take this batch; sending it again would not help.

    ``status_code`` 409 means not now (no open session at this device's chair); others mean never.
    """

    def __init__(self, what: str, *, where: str = "", allowed: str = "", status_code: int = 0) -> None:
        super().__init__(what, where=where, allowed=allowed)
        self.status_code = status_code


class Gateway:
    """Sends samples to ``POST {url}/api/ingest`` and never blocks its device for longer than one time-out.

    A batch is sent again until the clinic confirms it. Sequence numbers make that harmless: the clinic stores a number
    once. They start at the wall clock's milliseconds, so that a device that restarts never reuses one.

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
    clock : callable
        Seconds since the epoch; only differences reach the clinic, so a wrong clock does no harm.
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
        clock: Callable[[], float] = time.time,
        timeout_s: float = 3.0,
        batch_size: int = 500,
    ) -> None:
        self.device = device
        self.session = session
        self.spool = Spool() if spool is None else spool
        self.problem = ""
        self.next_try_s = -math.inf
        self._client = client or httpx.Client(timeout=timeout_s, trust_env=False)
        self._url = url.rstrip("/") + "/api/ingest"
        self._token = token
        self._clock = clock
        self._batch_size = batch_size
        self._seq = int(clock() * 1000)
        self._batch: tuple[str, list[Sample]] | None = None
        self._backoff_s = 0.0

    def offer(self, values: list[tuple[str, float | None]], *, measured_at_s: float | None = None) -> None:
        """Queue the values of one moment; ``measured_at_s`` on this device's clock, now by default."""
        unknown = [signal for signal, _ in values if signal not in SIGNALS]
        if unknown:
            raise InputError(f"unknown signal {unknown[0]!r}", where="signal", allowed=", ".join(SIGNALS))
        self._seq += 1
        taken_at_s = self._clock() if measured_at_s is None else measured_at_s
        self.spool.add([Sample(taken_at_s, self._seq, signal, value) for signal, value in values])

    def flush(self) -> int:
        """Send what waits, oldest first; returns how many samples the clinic took.

        Returns at the first failure and waits longer before each new try (0.5 to 10 s). ``problem`` then says why.

        Raises
        ------
        GatewayRefusedError
            If the clinic refuses the batch for what it is (unknown token, device or session). Nothing is dropped.
        """
        sent = 0
        while len(self.spool) and self._clock() >= self.next_try_s:
            key, samples = self._batch or self._new_batch()
            self._batch = (key, samples)
            if not self._post(key, samples):
                break
            self.spool.taken(samples)
            self._batch = None
            self._backoff_s, self.next_try_s, self.problem = 0.0, -math.inf, ""
            sent += len(samples)
        return sent

    def discard(self) -> int:
        """Drop what waits, after the clinic refused it; returns how many samples went."""
        waiting = self.spool.head(len(self.spool))
        self.spool.taken(waiting)
        self._batch = None
        return len(waiting)

    def close(self) -> None:
        """Close the connection; unsent samples stay in the spool."""
        self._client.close()

    def _new_batch(self) -> tuple[str, list[Sample]]:
        samples = self.spool.head(self._batch_size)
        first, last = samples[0], samples[-1]
        return f"{first.seq}.{first.signal}-{last.seq}.{last.signal}", samples

    def _post(self, key: str, samples: list[Sample]) -> bool:
        body: dict[str, Any] = {
            "device": self.device,
            "session": self.session,
            "batch": key,
            "sent_s": self._clock(),
            "samples": [
                {"seq": sample.seq, "t_s": sample.t_s, "signal": sample.signal, "value": sample.value}
                for sample in samples
            ],
        }
        try:
            answer = self._client.post(self._url, json=body, headers={"Authorization": f"Bearer {self._token}"})
        except httpx.HTTPError as problem:
            return self._wait(f"the clinic does not answer ({type(problem).__name__})")
        if answer.is_success:
            return True
        if answer.status_code in (408, 425, 429) or answer.status_code >= 500:
            return self._wait(f"the clinic answered {answer.status_code}")
        raise _refusal(answer)

    def _wait(self, problem: str) -> bool:
        self.problem = problem
        self._backoff_s = min(10.0, max(0.5, 2.0 * self._backoff_s))
        self.next_try_s = self._clock() + self._backoff_s
        return False


def _refusal(answer: httpx.Response) -> GatewayRefusedError:
    try:
        error = answer.json()["error"]
        what, where, allowed = (str(error.get(key) or "") for key in ("what", "where", "allowed"))
    except (ValueError, KeyError, TypeError, AttributeError):
        what, where, allowed = f"the clinic answered {answer.status_code}", str(answer.url), ""
    return GatewayRefusedError(what, where=where, allowed=allowed, status_code=answer.status_code)
