"""The effect models of the product, read from ``data/effects``."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from limen.evidence import read_yaml
from limen.pharmacology.effects.schema import (
    EffectFile,
    Estimate,
    Fixed,
    Index,
    Line,
    Link,
    Occupancy,
    OpioidShift,
    PainVas,
    Responsiveness,
    Sites,
)

Array = npt.NDArray[np.float64]

_Form = TypeVar("_Form", Line, Index, Responsiveness, OpioidShift, Occupancy, PainVas)


@dataclass(frozen=True, slots=True)
class Effects:
    """Every effect by what it is.

    Attributes
    ----------
    sites : dict of site to Link
    indices, lines : tuple
        In the order of their outputs.
    racemic_s_share : Fixed
        The part of total ketamine that is S where a model has only the sum.
    """

    sites: dict[str, Link]
    racemic_s_share: Fixed
    indices: tuple[Index, ...]
    lines: tuple[Line, ...]
    responsiveness: Responsiveness
    ventilation: OpioidShift
    occupancy: Occupancy
    pain_vas: PainVas

    @property
    def effect_site(self) -> Link:
        """The site of perception and acute pain relief."""
        return self.sites["effect"]

    @property
    def pressure(self) -> Line:
        """The rise of systolic pressure."""
        return self.line("sbp_change_mmHg")

    @property
    def pressure_half_life(self) -> Estimate:
        """Delay of pressure and heart rate behind plasma."""
        return self.sites["pressure"].half_life

    def line(self, output: str) -> Line:
        """The line with this output."""
        return next(line for line in self.lines if line.output == output)

    def is_not(self, output: str) -> str | None:
        """What an effect is not, in words; ``None`` where the output is no effect."""
        awake, shift, nmda = self.responsiveness, self.ventilation, self.occupancy
        said = {index.output: index.is_not for index in self.indices}
        said |= {line.output: line.is_not for line in self.lines}
        said |= {awake.output: awake.is_not, awake.output_by_plasma: awake.is_not, shift.output: shift.is_not}
        return (said | {nmda.outputs.enantiomers: nmda.is_not, nmda.outputs.racemate: nmda.is_not}).get(output)

    def index(self, output: str) -> Index:
        """The index with this output."""
        return next(index for index in self.indices if index.output == output)


@functools.cache
def effects() -> Effects:
    """The effect models of the product.

    Examples
    --------
    >>> effects().effect_site.half_life.typical
    8.3
    >>> effects().pressure.slope.typical
    0.09
    """
    folder = resources.files("limen.pharmacology") / "data" / "effects"
    files = {path.name: path for path in folder.iterdir() if path.name.endswith(".yaml")}
    sites = read_yaml(files.pop("sites.yaml"), Sites)
    found = [read_yaml(files[name], EffectFile).root for name in sorted(files)]

    return Effects(
        {str(name): link for name, link in sites.sites.items()},
        sites.racemic_s_share,
        tuple(item for item in found if isinstance(item, Index)),
        tuple(item for item in found if isinstance(item, Line)),
        _one(found, Responsiveness),
        _one(found, OpioidShift),
        _one(found, Occupancy),
        _one(found, PainVas),
    )


@functools.cache
def shares() -> frozenset[str]:
    """Outputs that are a share of 100 %, and so never pass it.

    Examples
    --------
    >>> "dissociation_pct" in shares(), "cardiac_output_change_pct" in shares()
    (True, False)
    """
    models = effects()
    awake, nmda = models.responsiveness, models.occupancy
    of_indices = {index.output for index in models.indices}
    return frozenset(
        of_indices | {awake.output, awake.output_by_plasma, nmda.outputs.enantiomers, nmda.outputs.racemate}
    )


@functools.lru_cache(maxsize=64)
def ceiling(outputs: tuple[str, ...]) -> Array:
    """What each output cannot pass; infinite where there is no such thing."""
    found = np.array([100.0 if output in shares() else np.inf for output in outputs])
    found.flags.writeable = False
    return found


def _one(found: Sequence[object], kind: type[_Form]) -> _Form:
    (item,) = (item for item in found if isinstance(item, kind))
    return item
