"""HL7 v2 ORU^R01 of a monitor or pump (IHE PCD-01) -> values of our signals, or a refusal with its reason.

Nothing is guessed. A value whose code and name disagree, whose unit is unknown, that is given twice, or that its device
marks as another patient's is not charted, and the answer says so; the other values of the message are.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Literal

import hl7

from limen.devices.hl7_fields import between_s, part, read_time, repetitions, stamp, whole
from limen.errors import InputError
from limen.knowledge.devices import Metric, device_rules
from limen.simulator.samples import SIGNALS
from limen.units import convert

AckCode = Literal["AA", "AE", "AR"]
OLDEST_S = 24 * 3600.0
AHEAD_S = 2.0

# HL7 table 0357, what is wrong.
REQUIRED, TYPE, UNKNOWN, MESSAGE, PROCESSING, VERSION, NO_KEY, INTERNAL = (
    "101^Required field missing",
    "102^Data type error",
    "103^Table value not found",
    "200^Unsupported message type",
    "202^Unsupported processing id",
    "203^Unsupported version id",
    "204^Unknown key identifier",
    "207^Application internal error",
)


class Hl7RefusedError(InputError):
    """A message of which nothing is charted. ``code`` AR: not for us at all; AE: for us, and wrong."""

    def __init__(self, code: AckCode, error: str, what: str, *, where: str, allowed: str = "") -> None:
        super().__init__(what, where=where, allowed=allowed)
        self.code = code
        self.error = error


@dataclass(frozen=True, slots=True)
class Charted:
    """One value that is charted.

    Attributes
    ----------
    value : float or None
        In the unit of ``signal``; ``None`` where the device says it has none.
    age_s : float
        How long before the message it was measured, both by the device's clock.
    as_sent : str
        The value and unit as they came.
    """

    signal: str
    value: float | None
    age_s: float
    as_sent: str


@dataclass(frozen=True, slots=True)
class Left:
    """One value that is not charted, and why. ``problem``: somebody should look at it."""

    name: str
    why: str
    where: str
    problem: bool = True


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message says.

    Attributes
    ----------
    senders : tuple of str
        Every name that the message gives its device: application, its unique id, the devices of its values.
    sent_at : datetime
        By the device's clock; naive where the message says no zone and none is configured.
    key : str
        Names this message with its content: the same again is a repeat.
    """

    control_id: str
    senders: tuple[str, ...]
    value_devices: tuple[str, ...]
    patient: str
    sent_at: datetime
    key: str
    values: tuple[Charted, ...]
    left: tuple[Left, ...] = field(default=())


def read_header(text: str) -> hl7.Message:
    """The message, parsed and for us: its type, version, processing id and profile.

    Raises
    ------
    Hl7RefusedError
        With code AR.
    """
    try:
        message = hl7.parse(text.replace("\r\n", "\r").replace("\n", "\r"))
        header = message.segment("MSH")
    except (hl7.HL7Exception, KeyError, ValueError, IndexError, AssertionError):
        raise Hl7RefusedError("AR", MESSAGE, "cannot be read as HL7", where="MSH", allowed="MSH|^~\\&|...") from None
    rules = device_rules().profile
    kind = f"{part(header, 9, 1)}^{part(header, 9, 2)}"
    if kind != rules.message:
        raise Hl7RefusedError("AR", MESSAGE, f"message {kind}", where="MSH-9", allowed=rules.message)
    if not part(header, 12).startswith("2."):
        raise Hl7RefusedError("AR", VERSION, f"version {part(header, 12)!r:.20}", where="MSH-12", allowed="2.x")
    if part(header, 11) != "P":
        raise Hl7RefusedError(
            "AR", PROCESSING, f"processing id {part(header, 11)!r:.10}", where="MSH-11", allowed="P, a live message"
        )
    profiles = repetitions(header, 21)
    if profiles and not any(rules.oid in parts for parts in profiles):
        raise Hl7RefusedError("AR", MESSAGE, "another profile", where="MSH-21", allowed=f"OID {rules.oid}")
    if not part(header, 10):
        raise Hl7RefusedError("AR", REQUIRED, "no control id", where="MSH-10", allowed="a new one for each message")
    return message


def read_oru(message: hl7.Message, zone: tzinfo | None = None) -> Reading:
    """The values of a message that :func:`read_header` took.

    Parameters
    ----------
    zone : tzinfo, optional
        The zone of time stamps that say none.

    Raises
    ------
    Hl7RefusedError
        With code AE: no patient or two of them, no time, or a value that its device says is of another patient.
    """
    header = message.segment("MSH")
    try:
        sent_at = read_time(part(header, 7), zone, where="MSH-7")
    except InputError as problem:
        raise Hl7RefusedError("AE", TYPE, problem.what, where="MSH-7", allowed=problem.allowed) from None
    if sent_at is None:
        raise Hl7RefusedError("AE", REQUIRED, "no time of the message", where="MSH-7", allowed="YYYYMMDDHHMMSS+ZZZZ")
    found: list[tuple[Metric, Charted, str]] = []
    left: list[Left] = []
    devices: list[str] = []
    taken_text = ""
    index = 0
    for segment in message:
        name = str(segment[0])
        if name == "OBR":
            taken_text = part(segment, 7)
        elif name == "OBX":
            index += 1
            where = f"OBX {part(segment, 1) or index}"
            read = _observation(segment, where, taken_text, sent_at)
            if isinstance(read, Left):
                left.append(read)
            elif read is not None:
                found.append((*read, where))
                devices.append(part(segment, 18))
    values, doubled = _once(found)
    text = str(message)
    senders = [part(header, 3, 1), part(header, 3, 2)]
    return Reading(
        control_id=part(header, 10),
        senders=tuple(dict.fromkeys(name for name in senders if name)),
        value_devices=tuple(dict.fromkeys(name for name in devices if name)),
        patient=_patient(message),
        sent_at=sent_at,
        key=f"{whole(header, 3)}/{part(header, 10)}/{hashlib.sha256(text.encode()).hexdigest()[:16]}",
        values=values,
        left=(*left, *doubled),
    )


def _patient(message: hl7.Message) -> str:
    """The one patient of the message, by record number."""
    groups = [segment for segment in message if str(segment[0]) == "PID"]
    names: set[str] = set()
    for group in groups:
        listed = repetitions(group, 3)
        record = [parts for parts in listed if len(parts) > 4 and parts[4] == "MR"] or listed[:1]
        names.update(parts[0].strip() for parts in record)
    names.discard("")
    if not names:
        raise Hl7RefusedError("AE", REQUIRED, "no patient: held, not guessed", where="PID-3", allowed="a record number")
    if len(names) > 1:
        raise Hl7RefusedError("AE", UNKNOWN, "more than one patient", where="PID-3", allowed="one patient a message")
    return names.pop()


def _observation(
    segment: hl7.Segment, where: str, taken_text: str, sent_at: datetime
) -> tuple[Metric, Charted] | Left | None:
    """One OBX: a value, a reason not to chart it, or nothing (a header of the containment tree)."""
    rules = device_rules()
    code, name, system = (part(segment, 3, number) for number in (1, 2, 3))
    said = name or code
    metric = rules.metric(int(code)) if code.isascii() and code.isdigit() and len(code) < 10 else None
    if metric is None:
        is_header = not part(segment, 2) and not whole(segment, 5)
        return None if is_header else Left(said, "the code is not in the table", where, problem=False)
    if system and system != "MDC":
        return Left(said, f"coded in {system}, not in MDC", where)
    if name and name != metric.ref:
        return Left(said, f"code {code} is {metric.ref}, the message calls it {name}", where)
    status = part(segment, 11)
    state = rules.result(status)
    if state is None:
        return Left(said, f"result state {status!r:.10} is not known", where)
    if status == "W":
        raise Hl7RefusedError("AE", UNKNOWN, f"{said}: {state.why}", where=f"{where} field 11", allowed="F, R, P or X")
    if metric.signal is None:
        return Left(said, metric.why, where, problem=False)
    if state.becomes == "refused":
        return Left(said, state.why, where)
    flags = [said for parts in repetitions(segment, 8) if (said := parts[0].strip().strip('"'))]
    unknown = next((said for said in flags if rules.flag(said) is None), None)
    if unknown is not None:
        return Left(name or code, f"flag {unknown!r:.20} is not known", where)
    meant = [state.becomes, *(entry.becomes for said in flags if (entry := rules.flag(said)) is not None)]
    try:
        value, sent = _value(segment, metric, where, without="no-value" in meant)
        taken = read_time(part(segment, 14) or taken_text, sent_at.tzinfo, where=f"{where} field 14")
    except InputError as problem:
        return Left(said, problem.what, where)
    age_s = 0.0 if taken is None else between_s(sent_at, taken)
    if not -AHEAD_S <= age_s <= OLDEST_S:
        when = "after the message was sent" if age_s < 0 else f"{age_s / 3600:.1f} h before the message"
        return Left(said, f"measured {when}, by the device's own clock", where)
    return metric, Charted(metric.signal, value, max(0.0, age_s), sent)


def _value(segment: hl7.Segment, metric: Metric, where: str, *, without: bool) -> tuple[float | None, str]:
    """The value in our unit, and as it came."""
    text = whole(segment, 5)
    sent = f"{text} {part(segment, 6, 2) or part(segment, 6)}".strip()
    if without or not text:
        return None, sent
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{text!r:.40} is not a number", where=where)
    if number in device_rules().no_value.values:
        return None, sent
    return convert(number, _unit(segment, where), SIGNALS[metric.signal or ""], where=where), sent


def _unit(segment: hl7.Segment, where: str) -> str:
    """The unit, by its code or as UCUM; the field may give both."""
    parts = next(iter(repetitions(segment, 6)), [])
    for start in range(0, len(parts), 3):
        code, _, system = (*parts[start : start + 3], "", "")[:3]
        if system == "UCUM" and code:
            return code
        if system == "MDC" and code.isascii() and code.isdigit() and len(code) < 10:
            unit = device_rules().unit(int(code))
            if unit is not None:
                return unit
    raise InputError(f"unit {whole(segment, 6)!r:.60} is not in the table", where=where)


def _once(found: list[tuple[Metric, Charted, str]]) -> tuple[tuple[Charted, ...], list[Left]]:
    """Of each signal and moment one value: by rank; two of one rank are not charted, for one of them is wrong."""
    groups: dict[tuple[str, float], list[tuple[Metric, Charted, str]]] = defaultdict(list)
    for entry in found:
        groups[entry[1].signal, entry[1].age_s].append(entry)
    kept: list[Charted] = []
    left: list[Left] = []
    for entries in groups.values():
        best = min(metric.rank for metric, _, _ in entries)
        first = [entry for entry in entries if entry[0].rank == best]
        left += [
            Left(metric.ref, f"{first[0][0].ref} is charted", where, problem=False)
            for metric, _, where in entries
            if metric.rank != best
        ]
        if len({charted.value for _, charted, _ in first}) == 1:
            kept.append(first[0][1])
        else:
            left += [Left(metric.ref, "given twice with different values", where) for metric, _, where in first]
    return tuple(kept), left


def acknowledgement(
    text: str, code: AckCode, *, now: datetime, control_id: str, errors: tuple[tuple[str, str, str, str], ...] = ()
) -> str:
    """The answer to a message.

    Parameters
    ----------
    text : str
        The message that is answered, as it came.
    now : datetime
        With its zone.
    control_id : str
        Of the answer itself.
    errors : tuple of (severity, HL7 table 0357 code and name, where, words)
        ``E`` where it refuses the message, ``W`` where it leaves out one value.
    """
    header = _header_of(text)
    application, facility, theirs = (whole(header, 3), whole(header, 4), part(header, 10)) if header else ("", "", "")
    version = part(header, 12) if header and part(header, 12).startswith("2.") else "2.6"
    lines = [
        f"MSH|^~\\&|LIMEN||{application}|{facility}|{stamp(now)}||ACK^R01^ACK|{control_id}|P|{version}",
        f"MSA|{code}|{theirs}",
    ]
    lines += [
        f"ERR|||{error}^HL70357|{severity}||||{_escaped(f'{where}: {words}' if where else words)}"
        for severity, error, where, words in errors
    ]
    return "\r".join(lines) + "\r"


def _header_of(text: str) -> hl7.Segment | None:
    try:
        return hl7.parse(text.replace("\r\n", "\r").replace("\n", "\r")).segment("MSH")
    except (hl7.HL7Exception, KeyError, ValueError, IndexError, AssertionError):
        return None


def _escaped(words: str) -> str:
    for plain, code in (("\\", "\\E\\"), ("|", "\\F\\"), ("^", "\\S\\"), ("&", "\\T\\"), ("~", "\\R\\")):
        words = words.replace(plain, code)
    return words.replace("\r", " ").replace("\n", " ")
