"""Whether an exported session is as it was exported, and whether its replay raises the alarms that were raised then.

The seal is a checksum of each part and of each event. It shows damage and hasty edits and names them; it does not stop
somebody who seals an edited file anew, for which the clinic's own append-only tables stand.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from limen.care.alarm_limits import span

_METHOD = "sha256"
# Beside these, everything in an export is a part with a checksum of its own.
_APART = {"seal", "events"}
_EVENT_DIGITS = 16
_MOST_TOLD = 5
_WORDS = {
    "session": "the header",
    "rules_snapshot": "the rules",
    "samples": "the samples",
    "until_t_s": "the last second watched",
    "started_at": "the wall clock at its start",
    "zone": "the time zone",
    "recorded": "what the clinic adds to the note",
    "alarms": "the recorded alarms",
    "product_version": "the version of the product",
    "knowledge_release": "the release of the knowledge",
}


def sealed(export: Mapping[str, Any]) -> dict[str, Any]:
    """The export with its seal.

    Examples
    --------
    >>> whole = sealed({"schema": 1, "session": {}, "events": [{"t_s": 0, "kind": "session.started"}]})
    >>> problems(whole), problems({**whole, "events": []})
    ([], ['event #0 is missing'])
    """
    return {**export, "seal": _seal(export)}


def problems(export: Mapping[str, Any]) -> list[str] | None:
    """What does not fit the seal, in words; ``None`` where the file carries no seal that can be read.

    Examples
    --------
    >>> problems({"events": []}) is None
    True
    """
    kept = export.get("seal")
    if not _readable(kept):
        return None
    now = _seal(export)
    found = _events(kept["events"], now["events"], export)
    parts = [*kept["parts"], *(name for name in now["parts"] if name not in kept["parts"])]
    found += [
        f"{_WORDS.get(name, name)} {_change(kept['parts'].get(name), now['parts'].get(name))}"
        for name in parts
        if kept["parts"].get(name) != now["parts"].get(name)
    ]
    if kept.get("whole") != _digest({"parts": kept["parts"], "events": kept["events"]}):
        found.append("the seal itself was changed")
    return found


def alarm_changes(then: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> list[str]:
    """Where alarms that were recorded and alarms of the replay differ, in words.

    Examples
    --------
    >>> alarm = {"id": "a@21", "t_s": 21.0, "because": "SpO2 91 %", "ended_t_s": 36.0}
    >>> alarm_changes([alarm], [])
    ['at 0:21 recorded, not replayed: SpO2 91 %']
    >>> alarm_changes([alarm], [{**alarm, "ended_t_s": 40.0}])
    ['at 0:21 SpO2 91 %: ended_t_s was 36, is 40']
    """
    was, are = ({alarm["id"]: _plain(alarm) for alarm in listed} for listed in (then, now))
    found: list[tuple[float, str]] = []
    for key, alarm in was.items():
        at = f"at {_at(alarm['t_s'])}"
        if key not in are:
            found.append((alarm["t_s"], f"{at} recorded, not replayed: {alarm['because']}"))
            continue
        names = [name for name in alarm if alarm[name] != are[key].get(name)]
        told = ", ".join(f"{name} was {alarm[name]}, is {are[key].get(name)}" for name in names)
        if told:
            found.append((alarm["t_s"], f"{at} {alarm['because']}: {told}"))
    found += [
        (alarm["t_s"], f"at {_at(alarm['t_s'])} replayed, not recorded: {alarm['because']}")
        for key, alarm in are.items()
        if key not in was
    ]
    return [words for _, words in sorted(found)]


def seal_words(export: Mapping[str, Any]) -> tuple[str, str]:
    """Whether the seal fits, and that in one line: ``fits``, ``does not fit`` or ``none``."""
    seal = problems(export)
    if seal is None:
        return "none", "No seal: nobody can tell whether this file is as it was exported."
    if seal:
        return "does not fit", f"The seal does not fit, the file was changed: {_listed(seal)}."
    return "fits", "The seal fits: this file is as it was exported."


def record_check(export: Mapping[str, Any], alarms: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Seal and alarms of an export against its replay.

    Parameters
    ----------
    alarms : sequence of mapping
        The alarms of the replay, as the contract prints them.

    Returns
    -------
    dict
        ``seal`` (``fits``, ``does not fit`` or ``none``) with ``seal_problems``; ``alarms_same`` (``None`` where the
        file carries none) with ``alarm_changes``; and ``said``, a line for each.
    """
    state, said = seal_words(export)
    then = export.get("alarms")
    changes = alarm_changes(then, alarms) if _alarm_list(then) else None
    if changes is None:
        told = "No recorded alarms in this file to hold the replay against."
    elif changes:
        told = f"The replay differs from the recorded alarms: {_listed(changes)}."
    else:
        told = f"The replay raises the alarms that were recorded, {len(alarms)} of {len(alarms)}."
    return {
        "seal": state,
        "seal_problems": problems(export) or [],
        "alarms_same": None if changes is None else not changes,
        "alarm_changes": changes or [],
        "said": [said, told],
    }


def _listed(found: Sequence[str]) -> str:
    more = f"; and {len(found) - _MOST_TOLD} more" if len(found) > _MOST_TOLD else ""
    return "; ".join(words.rstrip(".") for words in found[:_MOST_TOLD]) + more


def _seal(export: Mapping[str, Any]) -> dict[str, Any]:
    named = {_name(event, place): _digest(event)[:_EVENT_DIGITS] for place, event in enumerate(_event_list(export))}
    parts = {str(name): _digest(export[name]) for name in sorted(export) if name not in _APART}
    return {"method": _METHOD, "parts": parts, "events": named, "whole": _digest({"parts": parts, "events": named})}


def _event_list(export: Mapping[str, Any]) -> list[Any]:
    """The events of a file that may hold anything: what is no list has none."""
    events = export.get("events")
    return events if isinstance(events, list) else []


def _kind(event: Any) -> Any:
    return event.get("kind") if isinstance(event, Mapping) else None


def _name(event: Any, place: int) -> str:
    known = event.get("id") if isinstance(event, Mapping) else None
    return str(known) if known is not None else f"#{place}"


def _readable(seal: Any) -> TypeGuard[Mapping[str, Any]]:
    return (
        isinstance(seal, Mapping)
        and seal.get("method") == _METHOD
        and isinstance(seal.get("parts"), Mapping)
        and isinstance(seal.get("events"), Mapping)
    )


def _alarm_list(then: Any) -> TypeGuard[list[Mapping[str, Any]]]:
    return isinstance(then, list) and all(
        isinstance(alarm, Mapping)
        and isinstance(alarm.get("id"), str)
        and isinstance(alarm.get("because"), str)
        and isinstance(alarm.get("t_s"), int | float)
        for alarm in then
    )


def _events(was: Mapping[str, str], now: Mapping[str, str], export: Mapping[str, Any]) -> list[str]:
    kinds = {_name(event, place): _kind(event) for place, event in enumerate(_event_list(export))}
    found = [f"event {name} is missing" for name in was if name not in now]
    for name, digest in now.items():
        if name not in was:
            found.append(f"event {name} ({kinds.get(name)}) was added")
        elif was[name] != digest:
            found.append(f"event {name} ({kinds.get(name)}) was changed")
    if not found and list(was) != list(now):
        found.append("the events are in another order")
    return found


def _change(was: str | None, now: str | None) -> str:
    return "changed" if was is not None and now is not None else "missing" if now is None else "added"


def _digest(value: Any) -> str:
    text = json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    """A value as any JSON tool may write it: 35.0 and 35 are one number."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _at(t_s: float) -> str:
    return f"-{span(-t_s)}" if t_s < 0 else span(t_s)
