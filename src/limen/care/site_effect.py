"""What a change of a site's dosing settings does: which doses and limits move, and which limits never bind."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from limen.care.case import Case, build_case
from limen.care.facts import fact, number_words
from limen.care.plan import Plan, total_mg
from limen.care.plan_limits import Standing
from limen.care.planning import plan
from limen.care.site_dosing import KIND_WORDS, MEASURE_WORDS, RULE, SiteDosing
from limen.care.weights import Person
from limen.knowledge.protocols import protocols
from limen.knowledge.walls import Wall

# People that a change is tried on, before their first session: examples, no limits.
TRIED = (
    Person(50.0, 160.0, "female", 1),
    Person(70.0, 175.0, "male", 1),
    Person(100.0, 178.0, "male", 1),
)
_EQUIPMENT = ("DOSE-PUMP", "DOSE-SYRINGE", "DOSE-DEVICES")
_USUAL, _CANNOT, _DRAWN = "usual dose", "what cannot be given", "drawn up"
_STRICTER = ("soft", "cap", "hard")


@dataclass(frozen=True, slots=True)
class Moved:
    """One thing that is another afterwards.

    Attributes
    ----------
    what : str
        Such as ``usual dose`` or ``seven days: refused past it``.
    was, now : str
        In words with the unit; ``no limit`` or ``nothing`` where there is none.
    weights_kg : tuple of float
        The people for whom it moves so.
    """

    what: str
    was: str
    now: str
    weights_kg: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        return {"what": self.what, "was": self.was, "now": self.now, "weights_kg": list(self.weights_kg)}


@dataclass(frozen=True, slots=True)
class ProtocolEffect:
    """A protocol in which something moves."""

    protocol: str
    title: str
    moved: tuple[Moved, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "protocol": self.protocol,
            "title": self.title,
            "moved": [item.to_json() for item in self.moved],
        }


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change does.

    Attributes
    ----------
    tried : tuple of str
        Every protocol that was tried: those of the site's settings that can be ordered.
    changed : tuple of ProtocolEffect
        Those in which something moves.
    idle : tuple of str
        Names of proposed limits that bind in no protocol tried: a limit of the protocol's own is the tighter one.
    """

    tried: tuple[str, ...]
    weights_kg: tuple[float, ...]
    changed: tuple[ProtocolEffect, ...]
    idle: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "tried": list(self.tried),
            "weights_kg": list(self.weights_kg),
            "changed": [item.to_json() for item in self.changed],
            "idle": list(self.idle),
        }


def effect_of(
    was: SiteDosing,
    now: SiteDosing,
    *,
    on: date,
    settings: Collection[str],
    people: Sequence[Person] = TRIED,
) -> Effect:
    """Plan each protocol's own dose under both declarations, and compare.

    Parameters
    ----------
    was, now : SiteDosing
        What stands, and what is proposed.
    on : date
        The day that plans are made for.
    settings : collection of str
        Where the site treats; protocols for other settings are not tried.
    people : sequence of Person
        Whom it is tried on.

    Returns
    -------
    Effect
        What was given before is nobody's here: limits over a week, a course or a life are compared as they stand at
        the start.

    Examples
    --------
    >>> from limen.care.site_dosing import site_dosing
    >>> cap = {"name": "ours", "kind": "cap", "measure": "dose", "limit": 30, "unit": "mg", "why": "staffing"}
    >>> found = effect_of(
    ...     SiteDosing(), site_dosing({"limits": [cap]}), on=date(2026, 11, 22), settings=["clinic"], people=TRIED[1:2]
    ... )
    >>> [(item.was, item.now) for row in found.changed if row.protocol == "TRD-IV" for item in row.moved]
    [('35 mg', '30 mg'), ('no limit', '30 mg'), ('35 mL at 1 mg/mL', '30 mL at 1 mg/mL')]
    """
    tried = [entry for entry in protocols().values() if entry.closed is None and set(entry.settings) & set(settings)]
    bound: set[str] = set()
    changed: list[ProtocolEffect] = []
    for entry in tried:
        moved: dict[tuple[str, str, str], tuple[float, ...]] = {}
        for person in people:
            case = _somebody(person, on)
            before, after = plan(case, entry.id, site=was), plan(case, entry.id, site=now)
            bound |= _binding_names(after)
            for move in _moved(before, after):
                moved[move] = (*moved.get(move, ()), person.weight_kg)
        if moved:
            order = sorted(moved.items(), key=lambda item: _order(item[0][0]))
            changed.append(ProtocolEffect(entry.id, entry.title, tuple(Moved(*key, kg) for key, kg in order)))
    idle = tuple(item.name for item in now.limits if item.name not in bound)
    return Effect(tuple(entry.id for entry in tried), tuple(one.weight_kg for one in people), tuple(changed), idle)


def _somebody(person: Person, on: date) -> Case:
    known = {
        "patient.weight_kg": person.weight_kg,
        "patient.height_cm": person.height_cm,
        "patient.sex": person.sex,
        "facts.session_number": person.session_number,
    }
    return build_case(on=on, facts=[fact(key, value, taken_at=on) for key, value in known.items() if value is not None])


def _order(what: str) -> int:
    """The dose first, then the limits, then what is made of it."""
    return {_USUAL: 0, _CANNOT: 2, _DRAWN: 3}.get(what, 1)


def _moved(before: Plan, after: Plan) -> list[tuple[str, str, str]]:
    """What differs between two plans of one dose: what, was, now."""
    old, new = _tightest(before.walls), _tightest(after.walls)
    seen = [
        (_USUAL, _usual(before), _usual(after)),
        *(
            (f"{MEASURE_WORDS[key[0]]}: {KIND_WORDS[key[1]]}", _limit(old.get(key)), _limit(new.get(key)))
            for key in dict.fromkeys((*old, *new))
        ),
        (_CANNOT, _hindered(before), _hindered(after)),
        (_DRAWN, _made_up(before), _made_up(after)),
    ]
    return [item for item in seen if item[1] != item[2]]


def _usual(made: Plan) -> str:
    """The protocol's own dose as the walls leave it."""
    held = made.held
    if held is None:
        return "the prescriber enters it"
    if held.refused:
        return f"refused: {held.refused[0].wall.name}"
    return f"{total_mg(held.doses):g} mg"


def _tightest(walls: Sequence[Standing]) -> dict[tuple[str, str, str, str], Standing]:
    """The tightest wall of each measure, kind, side and unit."""
    found: dict[tuple[str, str, str, str], Standing] = {}
    for standing in walls:
        wall = standing.wall
        if wall.step is not None:
            continue
        key = (wall.measure, wall.kind, wall.bound, standing.unit)
        held = found.get(key)
        if held is None or _tighter(standing.limit, held.limit, wall):
            found[key] = standing
    return found


def _tighter(limit: float, other: float, wall: Wall) -> bool:
    return limit > other if wall.bound == "least" else limit < other


def _limit(standing: Standing | None) -> str:
    if standing is None:
        return "no limit"
    unit = standing.unit.removesuffix("s") if standing.wall.counts_sessions and standing.limit == 1 else standing.unit
    return f"{standing.limit:g} {unit}"


def _binding_names(made: Plan) -> set[str]:
    """The site's limits that decide something: no other as strict a limit of the same measure lies as low."""
    names = set()
    for place, standing in enumerate(made.walls):
        if standing.wall.rule != RULE:
            continue
        others = [
            (index, other)
            for index, other in enumerate(made.walls)
            if index != place and other.wall.step is None and _as_strict(other, standing)
        ]
        if not any(
            _tighter(other.limit, standing.limit, standing.wall) or (other.limit == standing.limit and index < place)
            for index, other in others
        ):
            names.add(standing.wall.name)
    return names


def _as_strict(other: Standing, than: Standing) -> bool:
    """Whether a wall of the same measure is passed no more easily."""
    a, b = other.wall, than.wall
    same = (a.measure, a.bound, other.unit) == (b.measure, b.bound, than.unit)
    return same and _STRICTER.index(a.kind) >= _STRICTER.index(b.kind)


def _hindered(made: Plan) -> str:
    """What pump, syringe or whole devices cannot give."""
    said = dict.fromkeys(item.because for item in made.findings if item.rule in _EQUIPMENT)
    return "; ".join(said) or "nothing stands against it"


def _made_up(made: Plan) -> str:
    syringe = made.syringe
    return "nothing" if syringe is None else f"{number_words(syringe.fill.value, 'mL')} at {syringe.filled}"
