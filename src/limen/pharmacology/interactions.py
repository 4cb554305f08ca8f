"""Other drugs that change ketamine's clearance, by route; only effect sizes that were published."""

from __future__ import annotations

import functools
from importlib import resources

from pydantic import Field, RootModel

from limen.errors import InputError
from limen.evidence import read_yaml
from limen.evidence.yaml import Record
from limen.pharmacology.models.schema import Route, Sourced


class RouteEffect(Sourced):
    """AUC of S-ketamine by this route, with over without the drug."""

    route: Route
    auc_ratio: float = Field(gt=0)


class Perpetrator(Record):
    """A drug that changes ketamine's kinetics."""

    drug: str
    names: tuple[str, ...] = ()
    effects: tuple[RouteEffect, ...]

    def by_route(self, route: str) -> RouteEffect | None:
        """The published effect by this route, if any."""
        return next((effect for effect in self.effects if effect.route == route), None)

    @property
    def known_routes(self) -> str:
        """The routes that have a number, in words."""
        return ", ".join(f"{effect.route} AUC times {effect.auc_ratio:g}" for effect in self.effects)


class _File(RootModel[tuple[Perpetrator, ...]]):
    pass


@functools.cache
def perpetrators() -> tuple[Perpetrator, ...]:
    """Every drug with a published effect size by some route."""
    return read_yaml(resources.files("limen.pharmacology") / "data" / "interactions.yaml", _File).root


def perpetrator(name: str) -> Perpetrator:
    """The drug of this name.

    Raises
    ------
    InputError
        If no effect size of it is on file by any route. That is not to say that it has none.

    Examples
    --------
    >>> perpetrator("Rifampin").by_route("iv").auc_ratio
    0.86
    """
    wanted = name.strip().lower()
    for entry in perpetrators():
        if wanted in {entry.drug, *entry.names}:
            return entry
    raise InputError(
        f"no effect size on file for {name!r}",
        where="with",
        allowed=", ".join(entry.drug for entry in perpetrators()),
        hint="An absent drug is not known to be safe",
    )
