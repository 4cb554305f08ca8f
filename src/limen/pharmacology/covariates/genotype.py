"""CYP2B6*6, an open disagreement: a gene-dose effect at steady state in patients, none after one oral dose."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib import resources
from typing import Literal

from pydantic import Field, RootModel

from limen.errors import InputError
from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.pharmacology.covariates.liver_split import Liver, split
from limen.pharmacology.covariates.modifiers import Modifiers
from limen.pharmacology.models.schema import Sourced
from limen.pharmacology.outcome import Flag

_GENE = "cyp2b6"
_WILD = "*1/*1"
_AGAINST = "pk-rao-2016"


class Clearance(Sourced):
    """Clearance at steady state."""

    value: float = Field(gt=0)
    unit: Literal["L/h"]


class Genotype(Record):
    """Clearance of ketamine under subcutaneous infusion of 100 to 500 mg a day in people with one genotype."""

    genotype: str
    clearance: Clearance


class _File(RootModel[tuple[Genotype, ...]]):
    pass


@dataclass(frozen=True, slots=True)
class Reading:
    """One of the two ways to read the evidence.

    Attributes
    ----------
    title : str
        Which study it follows.
    modifiers : Modifiers
        What it does to a model; nothing, in the second.
    """

    title: str
    modifiers: Modifiers


@functools.cache
def genotypes() -> dict[str, Genotype]:
    """Genotype to its clearance."""
    entries = read_yaml(resources.files("limen.pharmacology") / "data" / "genotypes.yaml", _File).root
    return {entry.genotype: entry for entry in entries}


def gene_of(name: str) -> str | None:
    """The genotype, where a name among the drugs taken is one.

    Examples
    --------
    >>> gene_of("CYP2B6 *1/*6"), gene_of("rifampicin")
    ('*1/*6', None)
    """
    words = name.strip()
    return words[len(_GENE) :].strip() if words.lower().startswith(_GENE) else None


def readings(cyp2b6: str, *, liver: Liver | None = None) -> tuple[Reading, Reading]:
    """Both readings for a genotype, to be shown side by side: neither is right alone.

    Parameters
    ----------
    cyp2b6 : str
        ``*1/*1``, ``*1/*6`` or ``*6/*6``.
    liver : Liver, optional
        Of a model that has one: its own clearance is changed so that the whole clearance changes as measured.

    Raises
    ------
    InputError
        If no clearance is on file for the genotype.

    Examples
    --------
    >>> [round(reading.modifiers.clearance_ratio, 2) for reading in readings("*6/*6")]
    [0.32, 1.0]
    """
    known = genotypes()
    name = "/".join(sorted(cyp2b6.replace(" ", "").split("/")))
    if name not in known:
        raise InputError(f"CYP2B6 {cyp2b6!r:.20}", where="cyp2b6", allowed=", ".join(known))
    of = known[name].clearance
    ratio = of.value / known[_WILD].clearance.value
    told = Flag(
        "genotype-disputed",
        f"CYP2B6 {name}: clearance times {ratio:.2f} in 49 patients under subcutaneous infusion (Li 2015)"
        f" [{of.verification}]; no difference after one oral dose in 30 volunteers (Rao 2016) [V], nor in 67 depressed"
        " patients over all P450 variants [V]. Both are shown",
    )
    hepatic_ratio = 1.0 if liver is None else split({"iv": 1.0 / ratio}, liver, "liver").hepatic_ratio
    patients = Modifiers(ratio, hepatic_ratio=hepatic_ratio, flags=(told,), sources=(of.source, _AGAINST))
    volunteers = Modifiers(flags=(told,), sources=(of.source, _AGAINST))
    return Reading("as in patients at steady state (Li 2015)", patients), Reading(
        "as in volunteers after one dose (Rao 2016)", volunteers
    )
