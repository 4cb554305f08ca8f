"""Dosing records as NONMEM and its kin read and write them: ID TIME AMT RATE II ADDL SS EVID CMT DV.

TIME and II are in hours, AMT in mg of base, RATE in mg/h, DV in ng/mL. SS 1 is a dose at the steady state of itself
with nothing else in the body, SS 2 one added to what is there; EVID 3 empties the body and EVID 4 does so before its
dose. With SS 1, EVID 3 and EVID 4 infusions stop and doses still to come by ADDL are cancelled. A rate that is a
parameter of the model is refused with its line.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from limen.errors import InputError
from limen.pharmacology.regimen import ROUTES, Dose
from limen.pharmacology.steady_state import SteadyDose

COLUMNS = ("ID", "TIME", "AMT", "RATE", "II", "ADDL", "SS", "EVID", "CMT", "DV", "MDV")
_NEEDED = ("ID", "TIME", "AMT")
_MISSING = {"", ".", "NA"}
_NUMBER = re.compile(r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$")
# A regimen of more doses is a slip in ADDL (project rule).
MOST_DOSES = 100_000
_RATES = {-1.0: "its rate is a parameter of the model", -2.0: "its duration is a parameter of the model"}


@dataclass(frozen=True, slots=True)
class Observation:
    """A measured concentration.

    Attributes
    ----------
    cmt : int or None
        The compartment it was taken from, as the table numbers it.
    """

    at_min: float
    value_ng_per_mL: float
    cmt: int | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What one ID was given and what was measured in it, each in order of time.

    Attributes
    ----------
    steady : tuple of SteadyDose
        Doses at the steady state of themselves.
    resets_min : tuple of float
        Instants at which the body is emptied, before what is given then.
    """

    id: str
    doses: tuple[Dose, ...] = ()
    observations: tuple[Observation, ...] = ()
    steady: tuple[SteadyDose, ...] = ()
    resets_min: tuple[float, ...] = ()


def read_records(text: str, cmt_routes: Mapping[int, str], *, where: str = "records") -> tuple[Subject, ...]:
    """Read a table of dosing records.

    Parameters
    ----------
    text : str
        Comma-separated, with a header; other columns than ``COLUMNS`` (covariates) are passed over.
    cmt_routes : mapping of CMT to route
        Such as ``{1: "iv", 2: "in"}``. Where the table has no CMT it must name one route.

    Returns
    -------
    tuple of Subject
        In order of appearance. ADDL and II are written out; an infusion lasts AMT / RATE. The doses that follow a
        steady one by ADDL are doses like others.

    Raises
    ------
    InputError
        Names the line: a number that is none, times that go back, a dose into a CMT without a route, a steady state
        without II, and a rate or duration that is a parameter of the model (RATE -1 and -2).

    Examples
    --------
    >>> (subject,) = read_records("ID,TIME,AMT,RATE,II,ADDL\\n1,0,35,52.5,24,1\\n", {1: "iv"})
    >>> [(dose.start_min, dose.amount_mg, dose.duration_min) for dose in subject.doses]
    [(0.0, 35.0, 40.0), (1440.0, 35.0, 40.0)]
    """
    for cmt, route in cmt_routes.items():
        if route not in ROUTES:
            raise InputError(f"CMT {cmt} is {route!r}", where="cmt", allowed=", ".join(ROUTES))
    rows = csv.reader(io.StringIO(text))
    header = [name.strip().upper() for name in next(rows, [])]
    missing = [name for name in _NEEDED if name not in header]
    if missing or len(header) != len(set(header)):
        problem = f"no column {', '.join(missing)}" if missing else "a column stands twice"
        raise InputError(problem, where=f"{where}:1", allowed=f"a header with {', '.join(COLUMNS)}")
    if "CMT" not in header and len(set(cmt_routes.values())) != 1:
        raise InputError("no column CMT", where=f"{where}:1", allowed="CMT, or one route for all doses")
    doses: dict[str, list[Dose]] = {}
    observed: dict[str, list[Observation]] = {}
    steady: dict[str, list[SteadyDose]] = {}
    resets: dict[str, list[float]] = {}
    latest_h: dict[str, float] = {}
    last_id: str | None = None
    for cells in rows:
        line = f"{where}:{rows.line_num}"
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise InputError(f"{len(cells)} cells", where=line, allowed=f"{len(header)}, as in the header")
        row = _Row(dict(zip(header, cells, strict=True)), line)
        if row.id != last_id and row.id in doses:
            raise InputError(
                f"ID {row.id} comes back after another", where=line, allowed="the records of an ID together"
            )
        last_id = row.id
        if row.time_h < latest_h.get(row.id, -math.inf):
            raise InputError(f"TIME {row.time_h:g} goes back", where=line, allowed=f"{latest_h[row.id]:g} or later")
        latest_h[row.id] = row.time_h
        doses.setdefault(row.id, [])
        observed.setdefault(row.id, [])
        evid = row.evid
        ss = row.steady if evid in {1, 4} else 0
        if evid in {3, 4} or ss == 1:
            # What was to come of earlier records is cancelled with what is in the body.
            doses[row.id] = [dose for dose in doses[row.id] if dose.start_min < row.time_h * 60.0]
            steady[row.id] = [item for item in steady.get(row.id, ()) if item.dose.start_min < row.time_h * 60.0]
        if evid in {3, 4}:
            resets.setdefault(row.id, []).append(row.time_h * 60.0)
        if evid in {1, 4}:
            given = _doses(row, cmt_routes)
            if ss:
                steady.setdefault(row.id, []).append(_steady(row, given[0]))
                given = given[1:]
            doses[row.id] += given
        elif evid == 0 and row.measured is not None:
            observed[row.id].append(Observation(row.time_h * 60.0, row.measured, row.cmt))
        if sum(map(len, doses.values())) > MOST_DOSES:
            raise InputError("too many doses", where=line, allowed=f"{MOST_DOSES}")
    if not doses:
        raise InputError("no record", where=where, allowed="one or more")
    return tuple(
        Subject(
            name,
            tuple(sorted(given, key=lambda dose: dose.start_min)),
            tuple(observed[name]),
            tuple(steady.get(name, ())),
            tuple(resets.get(name, ())),
        )
        for name, given in doses.items()
    )


def write_records(subjects: Iterable[Subject], route_cmts: Mapping[str, int]) -> str:
    """The same table from doses and measurements, every dose in a row of its own.

    Infusions into one CMT add, whatever lines they run on: the table does not hold the lines' names.

    Parameters
    ----------
    route_cmts : mapping of route to CMT
        Such as ``{"iv": 1, "in": 2}``.

    Raises
    ------
    InputError
        If a dose's route has no CMT, or an ID cannot stand in the table.

    Examples
    --------
    >>> print(write_records([Subject("1", (Dose(35, "iv", 0, 40),))], {"iv": 1}), end="")
    ID,TIME,AMT,RATE,II,ADDL,SS,EVID,CMT,DV,MDV
    1,0.0,35,52.5,0,0,0,1,1,.,1
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for subject in subjects:
        if not subject.id.strip() or any(sign in subject.id for sign in ',"\n\r'):
            raise InputError(f"ID {subject.id!r}", where="id", allowed="text without commas, quotes and line breaks")
        lines: list[tuple[float, int, tuple[Any, ...]]] = []
        lines += [(at / 60.0, -2, (".", ".", 0, 0, 0, 3, ".", ".", 1)) for at in subject.resets_min]
        every = [(item.dose, item) for item in subject.steady] + [(dose, None) for dose in subject.doses]
        for dose, ever in every:
            if dose.route not in route_cmts:
                raise InputError(
                    f"no CMT for the route {dose.route!r}", where="cmt", allowed=", ".join(sorted(route_cmts)) or "none"
                )
            rate: float = dose.amount_mg / dose.duration_min * 60.0 if dose.duration_min else 0
            interval: float = 0 if ever is None else ever.interval_min / 60.0
            ss = 0 if ever is None else 1 if ever.resets else 2
            cells = (dose.amount_mg, rate, interval, 0, ss, 1, route_cmts[dose.route], ".", 1)
            lines.append((dose.start_min / 60.0, 1 if ever is None else -1, cells))
        for seen in subject.observations:
            cmt = "." if seen.cmt is None else seen.cmt
            lines.append((seen.at_min / 60.0, 0, (".", ".", 0, 0, 0, 0, cmt, seen.value_ng_per_mL, 0)))
        for time_h, _, cells in sorted(lines, key=lambda item: item[:2]):
            writer.writerow((subject.id, time_h, *cells))
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class _Row:
    cells: Mapping[str, str]
    line: str

    @property
    def id(self) -> str:
        name = self.cells["ID"].strip()
        if name in _MISSING:
            raise InputError("no ID", where=self.line, allowed="a number or a name")
        return name

    @property
    def time_h(self) -> float:
        return self.number("TIME", least=0.0)

    @property
    def cmt(self) -> int | None:
        return None if self.cells.get("CMT", ".").strip() in _MISSING else self.whole("CMT")

    @property
    def evid(self) -> int:
        """0 a measurement, 1 a dose, 2 neither, 3 a reset, 4 a reset and a dose; from AMT where it is not told."""
        has_amount = self.number("AMT", least=0.0) > 0
        evid = self.whole("EVID") if "EVID" in self.cells else int(has_amount)
        if evid not in {0, 1, 2, 3, 4}:
            raise InputError(f"EVID {evid}", where=self.line, allowed="0 to 4")
        if has_amount != (evid in {1, 4}):
            words = "has AMT and is no dose" if has_amount else "is a dose without AMT"
            raise InputError(f"EVID {evid} {words}", where=self.line, allowed="AMT over 0 with EVID 1 and 4, else 0")
        return evid

    @property
    def steady(self) -> int:
        """0 for a dose like others, 1 and 2 for one at the steady state of itself."""
        found = self.whole("SS")
        if found not in {0, 1, 2}:
            raise InputError(f"SS {found}", where=self.line, allowed="0, 1 or 2")
        return found

    @property
    def measured(self) -> float | None:
        """DV, unless it is missing."""
        if self.cells.get("DV", ".").strip() in _MISSING or ("MDV" in self.cells and self.whole("MDV")):
            return None
        return self.number("DV", least=0.0)

    def number(self, name: str, *, least: float | None = None) -> float:
        text = self.cells.get(name, ".").strip()
        if text in _MISSING:
            return 0.0
        value = float(text) if _NUMBER.match(text) else math.nan
        if not math.isfinite(value) or (least is not None and value < least):
            allowed = "a number" if least is None else f"{least:g} or more"
            raise InputError(f"{name} {text!r:.40}", where=self.line, allowed=allowed)
        return value

    def whole(self, name: str) -> int:
        value = self.number(name)
        if value != int(value):
            raise InputError(f"{name} {value:g}", where=self.line, allowed="a whole number")
        return int(value)


def _doses(row: _Row, cmt_routes: Mapping[int, str]) -> list[Dose]:
    rate_mg_per_h = row.number("RATE")
    if rate_mg_per_h < 0:
        why = _RATES.get(rate_mg_per_h, "it is negative")
        raise InputError(f"RATE {rate_mg_per_h:g}: {why}", where=row.line, allowed="0 for a bolus, or mg/h over 0")
    further, interval_h = row.whole("ADDL"), row.number("II", least=0.0)
    if further < 0 or (further > 0 and interval_h == 0):
        raise InputError(
            f"ADDL {further} with II {interval_h:g}", where=row.line, allowed="ADDL 0 or more, and II over 0 with it"
        )
    if further >= MOST_DOSES:
        raise InputError(f"ADDL {further}", where=row.line, allowed=f"under {MOST_DOSES}")
    amount_mg = row.number("AMT")
    duration_min = amount_mg / rate_mg_per_h * 60.0 if rate_mg_per_h else 0.0
    route = _route(row, cmt_routes)
    try:
        return [
            Dose(amount_mg, route, (row.time_h + interval_h * place) * 60.0, duration_min)
            for place in range(further + 1)
        ]
    except InputError as problem:
        raise InputError(problem.what, where=row.line, allowed=problem.allowed) from None


def _steady(row: _Row, dose: Dose) -> SteadyDose:
    interval_h = row.number("II", least=0.0)
    if interval_h == 0:
        raise InputError(f"SS {row.steady} with II 0", where=row.line, allowed="II over 0, the hours between the doses")
    try:
        return SteadyDose(dose, interval_h * 60.0, resets=row.steady == 1)
    except InputError as problem:
        raise InputError(problem.what, where=row.line, allowed=problem.allowed) from None


def _route(row: _Row, cmt_routes: Mapping[int, str]) -> str:
    if row.cmt is None and len(set(cmt_routes.values())) == 1:
        return next(iter(cmt_routes.values()))
    cmt = row.cmt
    if cmt is None or cmt not in cmt_routes:
        known = ", ".join(f"{cmt} = {route}" for cmt, route in sorted(cmt_routes.items()))
        raise InputError(f"a dose into CMT {row.cmt or '.'}, which has no route", where=row.line, allowed=known)
    return cmt_routes[cmt]
