"""Recorded numerics, one row a moment, as the samples a bedside monitor would have sent."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from limen.errors import InputError
from limen.simulator.samples import Sample

# Recorded column -> signal. Arterial pressures (ABP*) are another measurement than the cuff's and are not sent as it.
COLUMNS = {
    "HR": "HR",
    "PULSE": "PULSE",
    "SpO2": "SPO2",
    "RESP": "RR",
    "NBPSys": "NIBP_SYS",
    "NBPDias": "NIBP_DIA",
    "NBPMean": "NIBP_MEAN",
}
_CONTINUOUS = {"HR", "PULSE", "SpO2", "RESP"}


def read_numerics(path: Path, *, speed_ratio: float = 1.0, start_min: float = 0.0) -> list[Sample]:
    """The samples of a numerics file, in time order.

    Parameters
    ----------
    path : Path
        CSV with ``t_min`` and any of the columns ``HR PULSE SpO2 RESP NBPSys NBPDias NBPMean``.
    speed_ratio : float
        Recorded time over replayed time: at 60 a recorded minute takes one second.
    start_min : float
        Recorded minute at which to begin; it becomes second 0.

    Returns
    -------
    list of Sample
        A recorded 0 stays 0 (the sensor was off). An empty cell of a continuous column is a sample without a value;
        an empty cuff cell is no measurement.

    Raises
    ------
    InputError
        If the file cannot be read, has no ``t_min``, holds a cell that is not a number, or its time does not grow.
        Names the line and the column.
    """
    if not (math.isfinite(speed_ratio) and speed_ratio > 0):
        raise InputError(f"speed {speed_ratio!r}", where="speed", allowed="over 0; 1 is real time")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "not UTF-8 text"
        raise InputError(f"cannot read the file: {reason}", where=str(path), allowed="a CSV of numerics") from None
    return list(_samples(text, path.name, speed_ratio, start_min))


def continuous_period_s(samples: list[Sample]) -> float:
    """The longest usual step between two moments of the continuous signals, in replayed seconds."""
    times = sorted({sample.t_s for sample in samples if not sample.signal.startswith("NIBP")})
    steps = sorted(later - earlier for earlier, later in pairwise(times))
    return steps[len(steps) // 2] if steps else math.inf


def _samples(text: str, name: str, speed_ratio: float, start_min: float) -> Iterator[Sample]:
    reader = csv.DictReader(text.splitlines())
    header = reader.fieldnames or []
    known = [column for column in COLUMNS if column in header]
    if "t_min" not in header or not known:
        allowed = "t_min and any of " + " ".join(COLUMNS)
        raise InputError("the first line does not name the columns", where=f"{name}:1", allowed=allowed)
    last_min = -math.inf
    seq = 0
    for row in reader:
        where = f"{name}:{reader.line_num}"
        if None in row or None in row.values():
            raise InputError("the line has another number of cells than the first", where=where)
        t_min = _number(row["t_min"], f"{where} t_min")
        if t_min is None or t_min <= last_min:
            raise InputError(f"time {row['t_min']!r} does not grow", where=f"{where} t_min", allowed="minutes in order")
        last_min = t_min
        values = {column: _number(row[column], f"{where} {column}") for column in known}
        if t_min < start_min:
            continue
        seq += 1
        for column, value in values.items():
            if value is not None or column in _CONTINUOUS:
                yield Sample((t_min - start_min) * 60.0 / speed_ratio, seq, COLUMNS[column], value)


def _number(cell: str, where: str) -> float | None:
    if not cell.strip():
        return None
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{cell!r} is not a number", where=where, allowed="a finite number, or empty for no value")
    return value
