"""A listener for HL7 v2 ORU^R01 over MLLP: each message is safe on disk before it is acknowledged. It only listens."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from itertools import count, groupby
from threading import Lock

import hl7.mllp

from limen.devices.gateway import Gateway, GatewayRefusedError
from limen.devices.hl7_fields import between_s, decoded
from limen.devices.hl7_oru import (
    INTERNAL,
    NO_KEY,
    TYPE,
    UNKNOWN,
    AckCode,
    Charted,
    Hl7RefusedError,
    Reading,
    acknowledgement,
    read_header,
    read_oru,
)
from limen.devices.runner import send

Report = Callable[[str], None]
Cuff = tuple[dict[str, Charted], datetime]
"""What the cuff had measured, with the time of the message that said so, by the device's clock."""
CUFF = ("NIBP_SYS", "NIBP_DIA", "NIBP_MEAN")
CUFF_LEAST_S = 30.0  # no cuff takes a second reading sooner
_SAME_S = 0.5
LONGEST_BYTES = 1_000_000
LOOK_S = 0.2
UNKNOWN_S = 10.0  # until a device is tried again that the clinic did not know


@dataclass(slots=True)
class Counts:
    """What came of the messages so far."""

    accepted: int = 0
    repeated: int = 0
    refused: int = 0
    values: int = 0
    left: int = 0


@dataclass(slots=True)
class Listener:
    """Takes messages for known devices and hands their values to the gateways.

    Parameters
    ----------
    gateways : mapping
        What a device calls itself -> its gateway.
    zone : tzinfo, optional
        The zone of time stamps that say none.
    """

    gateways: Mapping[str, Gateway]
    report: Report
    zone: tzinfo | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    counts: Counts = field(default_factory=Counts)
    _cuffs: dict[str, Cuff] = field(default_factory=dict)
    _answers: count[int] = field(default_factory=lambda: count(1))
    _turn: Lock = field(default_factory=Lock)

    def answer(self, text: str) -> str:
        """Take one message; the acknowledgement says what became of it."""
        try:
            message = read_header(text)
            reading = read_oru(message, self.zone)
            with self._turn:  # the same message on two connections is one message
                return self._take(text, reading)
        except Hl7RefusedError as problem:
            self.counts.refused += 1
            self.report(f"refused {problem.code}: {problem}")
            return self._said(text, problem.code, (("E", problem.error, problem.where, _words(problem)),))

    def _take(self, text: str, reading: Reading) -> str:
        name, gateway = self._gateway(reading)
        warnings = tuple(
            ("W", UNKNOWN, left.where, f"{left.name}: {left.why}") for left in reading.left if left.problem
        )
        for _, _, where, words in warnings:
            self.report(f"{gateway.device}, not charted: {where} {words}")
        if gateway.spool.has(reading.key):
            self.counts.repeated += 1
            return self._kept(text, gateway, warnings)
        if not reading.values and warnings:
            raise Hl7RefusedError(
                "AE", UNKNOWN, f"nothing of it can be charted: {warnings[0][3]}", where=warnings[0][2]
            )
        came_s = gateway.now_s() - self._late_s(gateway, reading)
        oldest_first = sorted(self._news(name, reading), key=lambda value: -value.age_s)
        moments = [
            (came_s - age_s, [(value.signal, value.value) for value in values])
            for age_s, values in groupby(oldest_first, key=lambda value: value.age_s)
        ]
        gateway.offer_message(moments, patient=reading.patient, message=reading.key)
        self.counts.accepted += 1
        self.counts.values += len(oldest_first)
        self.counts.left += len(reading.left)
        return self._kept(text, gateway, warnings)

    def _kept(self, text: str, gateway: Gateway, warnings: tuple[tuple[str, str, str, str], ...]) -> str:
        """``AA`` only once it is on disk. On a full disk the values go to the clinic from memory all the same."""
        if gateway.spool.safe():
            return self._said(text, "AA", warnings)
        self.report(f"{gateway.device}: {gateway.spool.problem}")
        words = "charted, and in memory only: the disk of the gateway takes nothing more. Send it again"
        return self._said(text, "AE", (*warnings, ("E", INTERNAL, "", words)))

    def _gateway(self, reading: Reading) -> tuple[str, Gateway]:
        """The device of the values; where they name none that is known, the sender's."""
        named = [name for name in reading.value_devices if name in self.gateways]
        if len(named) > 1:
            raise Hl7RefusedError(
                "AE", UNKNOWN, "values of two devices", where="OBX-18", allowed="one device a message"
            )
        if not named and reading.value_devices and not set(reading.value_devices) & set(reading.senders):
            others = ", ".join(reading.value_devices)
            raise Hl7RefusedError("AR", NO_KEY, f"values of device {others:.60}", where="OBX-18", allowed=self._known())
        for name in [*named, *reading.senders]:
            if name in self.gateways:
                return name, self.gateways[name]
        raise Hl7RefusedError(
            "AR",
            NO_KEY,
            f"device {'^'.join(reading.senders) or 'without a name':.60}",
            where="MSH-3",
            allowed=self._known(),
        )

    def _known(self) -> str:
        return "a device of this listener: " + ", ".join(sorted(self.gateways))

    def _late_s(self, gateway: Gateway, reading: Reading) -> float:
        """How long the message waited on its way; the difference of the clocks is told where it says its zone."""
        zoned = reading.sent_at.tzinfo is not None
        stamp_s = (reading.sent_at if zoned else reading.sent_at.replace(tzinfo=UTC)).timestamp()
        late_s = gateway.late_s(stamp_s)
        if zoned:  # without a zone nobody can say how far the clock is off
            gateway.device_ahead_s = gateway.clock_ahead_s(self.now().timestamp())
        return late_s

    def _news(self, name: str, reading: Reading) -> list[Charted]:
        """The values without the last reading of the cuff, which monitors repeat in every message until the next."""
        before = self._cuffs.get(name)
        cuff = {value.signal: value for value in reading.values if value.signal in CUFF}
        if not cuff:
            return list(reading.values)
        self._cuffs[name] = (cuff, reading.sent_at)
        again = before is not None and _again(before, (cuff, reading.sent_at))
        return [value for value in reading.values if not (again and value.signal in CUFF)]

    def _said(self, text: str, code: AckCode, errors: tuple[tuple[str, str, str, str], ...]) -> str:
        return acknowledgement(text, code, now=self.now(), control_id=f"L{next(self._answers)}", errors=errors)

    async def serve(self, reader: hl7.mllp.HL7StreamReader, writer: hl7.mllp.HL7StreamWriter) -> None:
        """One connection: message after message, each answered before the next is read."""
        peer = writer.get_extra_info("peername")
        try:
            while True:
                try:
                    block = await reader.readblock()
                except asyncio.IncompleteReadError:
                    return
                except (ValueError, hl7.mllp.InvalidBlockError) as problem:
                    self.report(f"{peer}: connection closed, not MLLP or too long ({type(problem).__name__})")
                    return
                writer.writeblock((await self._answered(block)).encode("utf-8"))
                await writer.drain()
        except (ConnectionError, TimeoutError):
            return
        finally:
            writer.close()

    async def _answered(self, block: bytes) -> str:
        try:
            text = decoded(block)
        except (UnicodeDecodeError, LookupError):
            self.counts.refused += 1
            self.report("refused AR: not in the character set that it names")
            plain = block.decode("ascii", "replace")
            words = "not in the character set that it names; allowed: UNICODE UTF-8, 8859/1 and its like"
            return self._said(plain, "AR", (("E", TYPE, "MSH-18", words),))
        try:
            return await asyncio.to_thread(self.answer, text)
        except Exception as problem:  # noqa: BLE001  the sender keeps the message where it hears that it was not taken
            self.report(f"internal error: {type(problem).__name__}: {problem}")
            return self._said(text, "AE", (("E", INTERNAL, "", "not taken, send it again"),))


async def listen(
    listener: Listener,
    host: str,
    port: int,
    *,
    stopped: asyncio.Event,
    ready: Callable[[int], None] = lambda port: None,
) -> None:
    """Listen, and send on what waits, until ``stopped`` is set.

    A device that the clinic does not know is said, and tried again; its values wait. The others go on.

    Raises
    ------
    GatewayRefusedError
        If the clinic knows none of the devices.
    """
    server = await hl7.mllp.start_hl7_server(listener.serve, host, port, limit=LONGEST_BYTES)
    ready(server.sockets[0].getsockname()[1])
    unknown: set[str] = set()
    every = listener.gateways.values()
    senders = [asyncio.create_task(_send_on(gateway, listener.report, unknown, len(every))) for gateway in every]
    waiter = asyncio.create_task(stopped.wait())
    try:
        done, _ = await asyncio.wait([waiter, *senders], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()  # where no token is known the listener ends with the clinic's words
    finally:
        server.close()
        for task in (waiter, *senders):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, GatewayRefusedError):
                await task
        for gateway in listener.gateways.values():
            with contextlib.suppress(GatewayRefusedError):
                await asyncio.to_thread(send, gateway)


async def _send_on(gateway: Gateway, report: Report, unknown: set[str], count_of_all: int) -> None:
    """Send on what waits; ``unknown`` names the devices whose token the clinic does not know now."""
    said = ""
    while True:
        wait_s = LOOK_S
        if len(gateway.spool):
            try:
                _, word = await asyncio.to_thread(send, gateway)
                unknown.discard(gateway.device)
            except GatewayRefusedError as problem:
                unknown.add(gateway.device)
                if len(unknown) == count_of_all:
                    raise
                word, wait_s = f"{problem}; its values are kept", UNKNOWN_S
            if word != said:
                report(f"{gateway.device}: {word or 'connected'}")
                said = word
        await asyncio.sleep(wait_s)


def _again(before: Cuff, now: Cuff) -> bool:
    """Whether it is the reading of the message before, by its own time; some stamp it with that of each message."""
    (earlier, earlier_sent_at), (cuff, sent_at) = before, now
    if any(signal not in earlier or earlier[signal].value != value.value for signal, value in cuff.items()):
        return False
    moved_s = between_s(sent_at, earlier_sent_at)
    if all(value.age_s == 0.0 for value in cuff.values()):
        return abs(moved_s) < CUFF_LEAST_S
    return all(abs(moved_s - (value.age_s - earlier[signal].age_s)) < _SAME_S for signal, value in cuff.items())


def _words(problem: Hl7RefusedError) -> str:
    return f"{problem.what}; allowed: {problem.allowed}" if problem.allowed else problem.what


__all__ = ["Counts", "Listener", "listen"]
