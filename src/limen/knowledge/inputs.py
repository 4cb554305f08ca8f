"""The facts a case may hold: kind, unit, possible range, and how old each may be."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Literal

from pydantic import model_validator

from limen.evidence import Verification, cite, read_yaml
from limen.evidence.yaml import Record

Who = Literal["patient", "nurse", "prescriber", "specialist", "laboratory", "pharmacist", "office"]
Kind = Literal["number", "integer", "count", "flag", "choice", "text", "answers", "date"]


class InputSpec(Record):
    """One fact that a rule or a plan may read.

    Attributes
    ----------
    key : str
        ``group.name`` as in the CASE contract, such as ``vitals.sbp_mmHg``.
    kind : str
        What a value looks like; ``count`` is an integer that also accepts true and false.
    low, high : int or None
        Outside this range an entry is refused as impossible. In ``unit``.
    who : str
        Who can answer it: the one to ask where it is missing.
    max_age_days : int or None
        Older than this and the fact is missing; 0 is the same day, ``None`` never goes stale.
    """

    key: str
    title: str
    kind: Kind
    who: Who = "prescriber"
    unit: str | None = None
    low: int | None = None
    high: int | None = None
    choices: tuple[str, ...] = ()
    max_age_days: int | None = None

    @model_validator(mode="after")
    def _consistent(self) -> InputSpec:
        numeric = self.kind in {"number", "integer", "count"}
        if numeric and (self.low is None or self.high is None or self.low >= self.high):
            raise ValueError(f"{self.key}: a number needs low < high")
        if (self.kind in {"choice", "answers"}) != bool(self.choices):
            raise ValueError(f"{self.key}: choices go with kind choice or answers")
        if self.max_age_days is not None and self.max_age_days < 0:
            raise ValueError(f"{self.key}: max_age_days is negative")
        return self

    @property
    def group(self) -> str:
        return self.key.partition(".")[0]

    @property
    def name(self) -> str:
        """The key without its group, as findings show it."""
        return self.key.partition(".")[2]

    @property
    def allowed(self) -> str:
        """The accepted values in words."""
        if self.low is not None:
            return f"{self.low} to {self.high}{f' {self.unit}' if self.unit else ''}"
        if self.kind == "answers":
            return "true or false for each of " + ", ".join(self.choices)
        return {"choice": ", ".join(self.choices), "flag": "true or false", "date": "YYYY-MM-DD"}.get(self.kind, "text")


class _InputFile(Record):
    sources: tuple[str, ...]
    verification: Verification
    history_max_age_days: int
    inputs: tuple[InputSpec, ...]

    @model_validator(mode="after")
    def _unique(self) -> _InputFile:
        keys = [spec.key for spec in self.inputs]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise ValueError(f"stands twice: {', '.join(twice)}")
        return self


@functools.cache
def _file() -> _InputFile:
    path = resources.files("limen.knowledge") / "data" / "selection" / "inputs.yaml"
    file = read_yaml(path, _InputFile)
    for key in file.sources:
        cite(key, where=path.name)
    return file


def history_max_age_days() -> int:
    """How long a history that was taken counts as asked."""
    return _file().history_max_age_days


@functools.cache
def inputs() -> dict[str, InputSpec]:
    """Every fact a case may hold, by key.

    Examples
    --------
    >>> inputs()["patient.weight_kg"].allowed
    '20 to 350 kg'
    """
    return {spec.key: spec for spec in _file().inputs}
