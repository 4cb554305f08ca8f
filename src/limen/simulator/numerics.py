"""Writes a virtual patient as a numerics file: one row a minute, in the columns that recorded monitors use."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from limen.simulator.samples import Sample

_COLUMNS = {"HR": "HR", "PULSE": "HR", "RESP": "RR", "SpO2": "SPO2", "NBPSys": "NIBP_SYS", "NBPDias": "NIBP_DIA"}
_COLUMNS["NBPMean"] = "NIBP_MEAN"
_ARTERIAL = ("ABPSys", "ABPDias", "ABPMean")
_HEADER = ("t_min", "HR", *_ARTERIAL, "PULSE", "RESP", "SpO2", "NBPSys", "NBPDias", "NBPMean")


def numerics_csv(samples: Iterable[Sample]) -> str:
    """The samples of whole minutes as CSV. No arterial line: its columns hold the 0 of a sensor that is off."""
    rows: dict[int, dict[str, float | None]] = {}
    for sample in samples:
        if sample.t_s % 60 == 0:
            rows.setdefault(int(sample.t_s // 60), {})[sample.signal] = sample.value
    out = io.StringIO()
    writer = csv.DictWriter(out, _HEADER, lineterminator="\n")
    writer.writeheader()
    for minute, values in sorted(rows.items()):
        cells = {column: _cell(values.get(signal)) for column, signal in _COLUMNS.items()}
        writer.writerow({"t_min": minute, **dict.fromkeys(_ARTERIAL, 0), **cells})
    return out.getvalue()


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
