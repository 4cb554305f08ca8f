"""The monitoring form that the programme of nasal esketamine asks for after every outpatient session."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from limen.evidence import Verification, read_yaml
from limen.evidence.yaml import Record
from limen.knowledge.claim import Claim
from limen.knowledge.interactions import agent_terms

Origin = Literal[
    "recorded",
    "sex",
    "medicines",
    "dose",
    "total",
    "ready",
    "acceptable-before",
    "acceptable-after",
    "pressure-before",
    "pressure-40",
    "pressure-after",
    "sedation",
    "sedation-times",
    "dissociation",
    "dissociation-times",
    "respiratory-depression",
    "respiratory-depression-times",
    "serious-event",
    "serious-event-detail",
]


class FormField(Record):
    """One field.

    Attributes
    ----------
    origin : str
        ``recorded`` by the clinic for this session, or read from its events.
    takes, but : tuple of str
        Classes or drugs that make a question about medicines a yes, and those of them that do not.
    when : str or None
        Asked only where that field is yes.
    verification : Verification or None
        Its own mark, where it is weaker than the form's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    id: str
    title: str
    origin: Origin = Field(alias="from")
    takes: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    when: str | None = None
    note: str | None = None
    verification: Verification | None = None


class Group(Record):
    """Fields that stand together."""

    id: str
    title: str
    fields: tuple[FormField, ...]


class MonitoringForm(Claim):
    """The form as it was read."""

    id: str
    title: str
    products: tuple[str, ...]
    within_days: int
    least_min: float
    about_min: float
    about_verification: Verification
    groups: tuple[Group, ...]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        ids = [entry.id for group in self.groups for entry in group.fields]
        if len(ids) != len(set(ids)):
            raise ValueError("a field stands twice")
        for group in self.groups:
            for entry in group.fields:
                if entry.when is not None and entry.when not in ids:
                    raise ValueError(f"{entry.id}: no field {entry.when!r}")
                if (entry.origin == "medicines") != bool(entry.takes):
                    raise ValueError(f"{entry.id}: takes goes with medicines")
                unknown = [name for name in (*entry.takes, *entry.but) if name not in agent_terms()]
                if unknown:
                    raise ValueError(f"{entry.id}: unknown drug or class {unknown[0]!r}")
        return self


@functools.cache
def monitoring_form() -> MonitoringForm:
    """The installed form.

    Examples
    --------
    >>> monitoring_form().within_days, monitoring_form().least_min
    (7, 120.0)
    """
    path = resources.files("limen.knowledge") / "data" / "rems" / "esketamine-monitoring.yaml"
    return read_yaml(path, MonitoringForm)
