"""Infusions in steps, with pauses, and what may run at once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from limen.errors import InputError
from limen.pharmacology.regimen import Dose, DoseOrder, parse_dose
from limen.units import parse_duration_min

STEPS_GRAMMAR = "a dose, then its next rates: '20 mg/h iv over 30 min then pause 10 min then 40 mg/h over 30 min'"
_THEN = re.compile(r"\s+then\s+")
_PAUSE = re.compile(r"^\s*pause\s+(?P<for>.+?)\s*$")
_STEP = re.compile(r"^\s*(?P<value>\S+)\s+(?P<unit>\S+)\s+over\s+(?P<over>.+?)\s*$")
# Steps that were computed one from the other may miss each other by rounding; a millisecond is no overlap.
_ROUNDING_MIN = 1e-5


def parse_steps(text: str, *, where: str = "dose") -> tuple[DoseOrder, ...]:
    """Read a dose, or an infusion that changes its rate and pauses.

    Parameters
    ----------
    text : str
        A dose of ``regimen.parse_dose``; then, each after ``then``, ``AMOUNT UNIT over DURATION`` or
        ``pause DURATION``. Each step begins where the one before ended, by the same route and line.

    Returns
    -------
    tuple of DoseOrder

    Raises
    ------
    InputError
        If a step cannot be read, or the first has no duration to follow on from.

    Examples
    --------
    >>> steps = parse_steps("20 mg/h iv over 30 min then pause 10 min then 40 mg/h over 30 min")
    >>> [(step.value, step.at_min) for step in steps]
    [(20.0, 0.0), (40.0, 40.0)]
    """
    first, *others = _THEN.split(text)
    orders = [parse_dose(first, where=where)]
    at_min = orders[0].at_min + orders[0].duration_min
    if others and not orders[0].duration_min:
        raise InputError(f"{text!r:.80}: the first step has no duration", where=where, allowed=STEPS_GRAMMAR)
    for step in others:
        pause = _PAUSE.match(step)
        if pause:
            at_min += parse_duration_min(pause["for"], where=where)
            continue
        match = _STEP.match(step)
        if not match:
            raise InputError(f"cannot read the step {step!r:.60}", where=where, allowed=STEPS_GRAMMAR)
        order = parse_dose(f"{match['value']} {match['unit']} {orders[0].route} over {match['over']}", where=where)
        orders.append(replace(order, at_min=at_min, line=orders[0].line))
        at_min += order.duration_min
    return tuple(orders)


def overlaps(doses: Iterable[Dose]) -> tuple[tuple[Dose, Dose], ...]:
    """Pairs of infusions into a vein that would run on one line at once.

    Examples
    --------
    >>> overlaps([Dose(60, "iv", 0, 60), Dose(30, "iv", 30, 60, line="2")])
    ()
    >>> len(overlaps([Dose(60, "iv", 0, 60), Dose(30, "iv", 30, 60)]))
    1
    """
    running: dict[str, Dose] = {}
    found = []
    infusions = [dose for dose in doses if dose.route == "iv" and dose.duration_min > 0 and dose.amount_mg > 0]
    for dose in sorted(infusions, key=lambda dose: dose.start_min):
        before = running.get(dose.line)
        if before is not None and dose.start_min < before.end_min - _ROUNDING_MIN:
            found.append((before, dose))
        if before is None or dose.end_min > before.end_min:
            running[dose.line] = dose
    return tuple(found)


def check_lines(doses: Iterable[Dose], *, where: str = "dose") -> None:
    """Refuse two infusions that run on one line at once: a line carries one rate, and which of the two is meant?

    Raises
    ------
    InputError
        Names the first two.

    Examples
    --------
    >>> check_lines([Dose(60, "iv", 0, 60), Dose(30, "iv", 30, 60)])
    Traceback (most recent call last):
    ...
    limen.errors.InputError: dose: 30 mg from 30 min starts while 60 mg runs to 60 min on the same line; allowed: ...
    """
    for before, after in overlaps(doses):
        raise InputError(
            f"{after.amount_mg:g} mg from {after.start_min:g} min starts while {before.amount_mg:g} mg runs"
            f" to {before.end_min:g} min on the same line",
            where=where,
            allowed="one infusion at a time on a line",
            hint="Name a second line, '... on B', or give the steps of one infusion: " + STEPS_GRAMMAR,
        )
