"""IEEE 11073 SDC consumer: the metrics of a monitor or pump as it reports them. It reads; it calls no operation.

The library that speaks SDC is an extra, loaded only when a device is listened to.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from limen.devices.gateway import Gateway, Values
from limen.devices.runner import send
from limen.errors import InputError
from limen.knowledge.devices import Metric, device_rules
from limen.simulator.samples import SIGNALS
from limen.units import convert

Report = Callable[[str], None]
VALID = ("Vld", "Vldated")  # whatever else a device says of its value, it is no value
MEASURED = (None, "Real")  # a valid number may be made to test or to show the device
_MDC = (None, "", "urn:oid:1.2.840.10004.1.1.1.0.0.1")  # how SDC names the nomenclature
_RETRY_S = 5.0
_LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class Channel:
    """One metric of a device that is charted: what it is, and the unit that it comes in."""

    metric: Metric
    unit: str

    def value(self, number: Any, validity: str | None, mode: str | None = None) -> float | None:
        """The value in the signal's unit; ``None`` where the device has none that it calls valid, and measured."""
        if number is None or validity not in VALID or mode not in MEASURED:
            return None
        return convert(float(number), self.unit, SIGNALS[self.metric.signal or ""])


def channel_of(
    code: str | None, system: str | None, unit: str | None, unit_system: str | None = None
) -> Channel | str | None:
    """What a metric's codes say: a channel, the reason why it is not charted, or nothing for a metric nobody knows.

    Examples
    --------
    >>> channel_of("150456", None, "262688").metric.signal
    'SPO2'
    >>> channel_of("150456", None, "266016")
    "MDC_PULS_OXIM_SAT_O2: unit 'mmHg' does not measure the same as %"
    """
    if system not in _MDC or not code or not code.isascii() or not code.isdigit():
        return None
    metric = device_rules().metric(int(code))
    if metric is None:
        return None
    if metric.signal is None:
        return f"{metric.ref}: {metric.why}"
    known = device_rules().unit(int(unit)) if unit and unit.isdigit() and unit_system in _MDC else None
    if known is None:
        return f"{metric.ref}: unit {unit!r} is not in the table"
    try:
        convert(1.0, known, SIGNALS[metric.signal])
    except InputError as problem:
        return f"{metric.ref}: {problem.what}"
    return Channel(metric, known)


@dataclass(slots=True)
class Consumer:
    """Takes what one device reports and hands it to its gateway."""

    gateway: Gateway
    report: Report
    wall: Callable[[], float] = time.time
    channels: dict[str, Channel] = field(default_factory=dict)
    patient: str | None = None
    _taken: dict[str, float] = field(default_factory=dict)

    def describe(self, descriptors: Mapping[str, Any]) -> None:
        """Read what the device can measure: metric handles to their descriptors."""
        found: dict[str, Channel] = {}
        for handle, descriptor in sorted(descriptors.items()):
            kind, unit = descriptor.Type, getattr(descriptor, "Unit", None)
            channel = channel_of(
                getattr(kind, "Code", None),
                getattr(kind, "CodingSystem", None),
                getattr(unit, "Code", None),
                getattr(unit, "CodingSystem", None),
            )
            if isinstance(channel, Channel):
                found[handle] = channel
            elif channel is not None:
                self.report(f"{self.gateway.device}, not charted: {channel}")
        self.channels = self._once(found)

    def _once(self, found: dict[str, Channel]) -> dict[str, Channel]:
        """One metric for each signal: the lowest rank; two of one rank are both left, for one of them is wrong."""
        by_signal: dict[str, list[str]] = {}
        for handle, channel in found.items():
            by_signal.setdefault(channel.metric.signal or "", []).append(handle)
        kept: dict[str, Channel] = {}
        for signal, handles in by_signal.items():
            best = min(found[handle].metric.rank for handle in handles)
            first = [handle for handle in handles if found[handle].metric.rank == best]
            if len(first) == 1:
                kept[first[0]] = found[first[0]]
            else:
                self.report(f"{self.gateway.device}, not charted: {signal} is given {len(first)} times")
        return kept

    def take(self, states: Mapping[str, Any]) -> None:
        """Take one report: metric handles to their new states. The same reading reported again is not taken twice."""
        news = [
            (channel, reading, _determined_s(reading))
            for handle, state in sorted(states.items())
            if (channel := self.channels.get(handle)) is not None
            and (reading := getattr(state, "MetricValue", None)) is not None
            and self._is_news(handle, _determined_s(reading))
        ]
        if not news:
            return
        stamps = [at_s for _, _, at_s in news if at_s is not None]
        newest_s = max(stamps, default=0.0)
        came_s = self.gateway.now_s() - (self.gateway.late_s(newest_s) if stamps else 0.0)
        self.gateway.device_ahead_s = self.gateway.clock_ahead_s(self.wall())
        moments: dict[float, Values] = {}
        for channel, reading, at_s in news:
            age_s = 0.0 if at_s is None else round(newest_s - at_s, 3)
            moments.setdefault(came_s - age_s, []).append((channel.metric.signal or "", self._value(channel, reading)))
        self.gateway.offer_message(sorted(moments.items()), patient=self.patient)

    def _is_news(self, handle: str, determined_s: float | None) -> bool:
        if determined_s is None:
            return True
        before, self._taken[handle] = self._taken.get(handle), determined_s
        return before != determined_s

    def _value(self, channel: Channel, reading: Any) -> float | None:
        validity, mode = (_word(reading.MetricQuality, name) for name in ("Validity", "Mode"))
        try:
            return channel.value(reading.Value, validity, mode)
        except InputError as problem:  # one number that is none takes no other of its report with it
            self.report(f"{self.gateway.device}, not charted: {channel.metric.ref}: {problem}")
            return None

    def who(self, contexts: Mapping[str, Any], *, whole: bool = False) -> None:
        """Read which patient the device believes it is on, where it says so.

        ``whole``: these are all its contexts, so what they no longer name it no longer believes.
        """
        if whole:
            self.patient = None
        for state in contexts.values():
            if type(state).__name__ != "PatientContextStateContainer":
                continue
            associated = str(getattr(state.ContextAssociation, "value", state.ContextAssociation)) == "Assoc"
            names = [entry.Extension for entry in state.Identification or [] if entry.Extension]
            if associated:
                self.patient = names[0] if names else None
            elif names and self.patient in names:
                self.patient = None


def _word(quality: Any, name: str) -> str | None:
    """What a device says of a reading's quality, where it says anything."""
    found = getattr(quality, name, None)
    return None if found is None else str(getattr(found, "value", found))


def _determined_s(reading: Any) -> float | None:
    """When a reading was taken, by the device's clock, where it says so."""
    at_s = getattr(reading, "DeterminationTime", None)
    return None if at_s is None else float(at_s)


def load_library() -> Any:
    """The library that speaks SDC.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        import sdc11073.consumer.consumerimpl
        import sdc11073.definitions_sdc
        import sdc11073.mdib.consumermdib
    except ImportError:
        raise InputError(
            "this Limen has no SDC", where="device sdc", allowed="the extra sdc", hint="pip install 'limen[sdc]'"
        ) from None
    return sdc11073


def follow(
    consumer: Consumer,
    address: str,
    *,
    certificates: Path | None = None,
    stopped: Callable[[], bool],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Stay with the device at an address until ``stopped``; a connection that breaks is made again.

    Parameters
    ----------
    address : str
        ``http://`` or ``https://``, host, port and path of the device.
    certificates : Path, optional
        Folder with ``userkey.pem``, ``usercert.pem`` and ``cacert.pem``; a device outside a test wants them.
    """
    library = load_library()
    if not address.startswith(("http://", "https://")):
        raise InputError(f"address {address!r:.60}", where="--address", allowed="http(s)://HOST:PORT/PATH")
    said = sent = ""
    while not stopped():
        link = _connected(library, consumer, address, certificates)
        if isinstance(link, str):
            if link != said:
                consumer.report(link)
            said = link
            sent = _pass_on(consumer, sent, stopped, sleep, for_s=_RETRY_S)
            continue
        said = ""
        consumer.report(f"{consumer.gateway.device}: connected, {len(consumer.channels)} metrics charted")
        try:
            while link.is_connected and not stopped():
                sent = _pass_on(consumer, sent, stopped, sleep, for_s=_LOOK_S)
        finally:
            link.stop_all(unsubscribe=link.is_connected)
        if not stopped():
            consumer.report(f"{consumer.gateway.device}: the connection broke")
    send(consumer.gateway)


def _pass_on(
    consumer: Consumer, said: str, stopped: Callable[[], bool], sleep: Callable[[float], None], *, for_s: float
) -> str:
    """Send on what waits for a while, and say what is wrong once; returns the last that was said."""
    waited = 0.0
    while waited < for_s and not stopped():
        _, word = send(consumer.gateway)
        if word != said:
            consumer.report(f"{consumer.gateway.device}: {word or 'the clinic takes its values'}")
            said = word
        sleep(_LOOK_S)
        waited += _LOOK_S
    return said


def _connected(library: Any, consumer: Consumer, address: str, certificates: Path | None) -> Any:
    """A running link, or why there is none."""
    from sdc11073 import certloader
    from sdc11073 import observableproperties as observed
    from sdc11073.consumer.consumerimpl import SdcConsumer
    from sdc11073.definitions_sdc import SdcV1Definitions
    from sdc11073.mdib.consumermdib import ConsumerMdib

    try:
        secret = certloader.mk_ssl_contexts_from_folder(certificates) if certificates is not None else None
    except OSError as problem:
        raise InputError(
            f"cannot read the certificates: {problem.strerror or problem}", where=str(certificates), allowed="a folder"
        ) from None
    link = SdcConsumer(address, SdcV1Definitions, secret, force_ssl_connect=secret is not None)
    try:
        link.start_all()
        mdib: Any = ConsumerMdib(link)
        mdib.init_mdib()
    except Exception as problem:  # noqa: BLE001  the library raises its own, the network's and the parser's
        link.stop_all(unsubscribe=False)
        return f"{consumer.gateway.device}: no connection to {address} ({type(problem).__name__})"
    consumer.describe({entry.Handle: entry for entry in mdib.descriptions.objects if entry.is_metric_descriptor})
    consumer.who({entry.Handle: entry for entry in mdib.context_states.objects}, whole=True)
    bind: Any = observed.strongbind
    bind(mdib, metrics_by_handle=consumer.take, context_by_handle=consumer.who)
    return link
