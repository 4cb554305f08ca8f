"""Other drugs that change ketamine's kinetics, by route and mechanism; only effect sizes that were published."""

from __future__ import annotations

import functools
import math
from collections.abc import Collection, Mapping, Sequence
from importlib import resources
from typing import Literal

from pydantic import Field, RootModel

from limen.errors import InputError
from limen.evidence import Verification, read_yaml
from limen.evidence.yaml import Record
from limen.pharmacology.covariates.genotype import gene_of, readings
from limen.pharmacology.covariates.liver_split import Liver, Site, Split, split
from limen.pharmacology.covariates.modifiers import Modifiers
from limen.pharmacology.models.schema import Product, Route, Sourced
from limen.pharmacology.outcome import Flag

__all__ = ["Mechanism", "Modifiers", "Perpetrator", "RouteEffect", "modifiers", "perpetrator", "perpetrators"]

# After a drug's name: apply its sizes with this mark too.
UNVERIFIED = "[M]"
_RATIOS = {
    "auc_ratio": "area",
    "cmax_ratio": "peak",
    "half_life_ratio": "half-life",
    "norketamine_auc_ratio": "area of norketamine",
    "norketamine_to_parent_ratio": "norketamine over parent",
}

_PARENTERAL = ("iv", "im", "sc")


class RouteEffect(Sourced):
    """What was measured by one route, with over without the drug.

    Attributes
    ----------
    product : str or None
        The only product it holds for; ``None``: measured with S-ketamine, taken for the racemate too.
    study_dose : str or None
        What was given, as ``regimen.parse_dose`` reads it without its route; ``None`` where that was not read.
    """

    route: Route
    study_dose: str | None = None
    product: Product | None = None
    auc_ratio: float = Field(gt=0)
    cmax_ratio: float | None = Field(default=None, gt=0)
    half_life_ratio: float | None = Field(default=None, gt=0)
    norketamine_auc_ratio: float | None = Field(default=None, gt=0)
    norketamine_to_parent_ratio: float | None = Field(default=None, gt=0)

    @property
    def measured(self) -> dict[str, float]:
        """Every ratio that has a number."""
        found = {name: getattr(self, name) for name in _RATIOS}
        return {name: value for name, value in found.items() if value is not None}

    @property
    def verified(self) -> bool:
        """Whether it was read at all, at first or second hand."""
        return self.verification is not Verification.UNVERIFIED

    def holds_for(self, product: str | None) -> bool:
        """Whether it may be applied to this product; products are never converted by the nose."""
        return product is None or (product != "esketamine-nasal" if self.product is None else product == self.product)


class Mechanism(Sourced):
    """Which enzymes the drug changes, and where a change is put first if it was not measured by vein."""

    acts: Literal["inhibits", "induces"]
    enzymes: tuple[str, ...]
    site: Site


class Perpetrator(Record):
    """A drug that changes ketamine's kinetics."""

    drug: str
    names: tuple[str, ...] = ()
    mechanism: Mechanism
    effects: tuple[RouteEffect, ...]

    def by_route(self, route: str) -> RouteEffect | None:
        """The published effect by this route, if any, whatever its mark and product."""
        return next((effect for effect in self.effects if effect.route == route), None)

    def usable(self, product: str | None = None, *, unverified: bool = False) -> dict[str, RouteEffect]:
        """Route to effect, of those that may be applied to a product."""
        return {
            effect.route: effect
            for effect in self.effects
            if (effect.verified or unverified) and (effect.route != "in" or effect.holds_for(product))
        }

    @property
    def known_routes(self) -> str:
        """The routes that have a number, in words."""
        return ", ".join(
            f"{effect.route} AUC times {effect.auc_ratio:g} [{effect.verification}]" for effect in self.effects
        )


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


def modifiers(
    names: Sequence[str],
    routes: Collection[str],
    *,
    product: str | None = None,
    liver: Liver | None = None,
    unverified: bool = False,
) -> Modifiers:
    """What these drugs do to a forecast by these routes, as measured.

    Parameters
    ----------
    names : sequence of str
        Drugs taken too; ``rifampicin [M]`` applies its unverified sizes as well. ``CYP2B6 *1/*6`` is a genotype: its
        effect in patients is applied and the dispute is told (``genotype.readings`` has both).
    routes : collection of str
        Routes of the regimen.
    product : str, optional
        A nasal effect is applied only to the product it was measured with.
    liver : Liver, optional
        Of a model that has one; ``None`` gives factors on clearance and on the share absorbed.
    unverified : bool
        Apply the sizes marked M too, which were not read.

    Raises
    ------
    InputError
        If no effect size of a drug is on file by any route.

    Examples
    --------
    >>> modifiers(["ticlopidine"], ["po"]).absorbed_ratio
    {'po': 2.4}
    >>> [flag.code for flag in modifiers(["ticlopidine"], ["iv"]).flags]
    ['no-iv-interaction-size']
    """
    total = Modifiers()
    drugs: dict[str, bool] = {}
    for name in names:
        gene = gene_of(name)
        if gene is not None:
            total = total.then(readings(gene, liver=liver)[0].modifiers)
            continue
        marked = name.strip().upper().endswith(UNVERIFIED)
        drug = perpetrator(name.strip()[: -len(UNVERIFIED)] if marked else name).drug
        drugs[drug] = drugs.get(drug, False) or marked or unverified
    for drug, also_unverified in drugs.items():
        total = total.then(_of(perpetrator(drug), routes, product, liver, also_unverified))
    if len(drugs) > 1:
        told = Flag(
            "interactions-multiplied",
            "Each drug's effect was measured alone; together they are multiplied, an assumption [P]",
        )
        total = total.then(Modifiers(flags=(told,)))
    return total


def _of(
    other: Perpetrator, routes: Collection[str], product: str | None, liver: Liver | None, unverified: bool
) -> Modifiers:
    usable = other.usable(product, unverified=unverified)
    if "iv" in usable:
        # Past gut and liver alike: what was measured by vein holds by muscle and by skin.
        usable = dict.fromkeys(_PARENTERAL, usable["iv"]) | usable
    wanted = [route for route in dict.fromkeys(routes) if route in usable]
    flags = [_absent(other, route, product, usable, liver) for route in dict.fromkeys(routes) if route not in usable]
    if not wanted:
        return Modifiers(flags=tuple(flags))
    by_vein = usable.get("iv")
    used = list({usable[route].route: usable[route] for route in wanted}.values())
    if by_vein is not None and by_vein not in used:
        used.append(by_vein)
    flags += [_applied(other, effect) for effect in used]
    sources = tuple(dict.fromkeys(effect.source for effect in used))
    if liver is None:
        clearance = 1.0 if by_vein is None else 1.0 / by_vein.auc_ratio
        absorbed = {route: usable[route].auc_ratio * clearance for route in wanted if route not in _PARENTERAL}
        return Modifiers(clearance, _changed(absorbed), flags=tuple(flags), sources=sources)
    measured: dict[str, float] = {
        effect.route: effect.auc_ratio for effect in used if effect.route == "iv" or effect.route in liver.routes
    }
    found = split(measured, liver, other.mechanism.site)
    by_vein_ratio = liver.auc_ratio("iv", found.gut_ratio, found.hepatic_ratio)
    # A dose that this model lets past gut and liver: what the liver's own change leaves over is on the share.
    absorbed = {
        route: usable[route].auc_ratio / by_vein_ratio
        for route in wanted
        if route not in _PARENTERAL and route not in liver.routes
    }
    if measured:
        flags.append(_where(other, found))
    flags += _unmet(other, measured, liver, found)
    carried = [route for route in dict.fromkeys(routes) if route not in wanted and not math.isclose(by_vein_ratio, 1.0)]
    if carried:
        told = (
            f"{other.drug}: what was settled in the liver by {', '.join(wanted)} also acts on the doses by"
            f" {', '.join(carried)} in this model (area times {by_vein_ratio:.2f} past the gut) [D]"
        )
        flags.append(Flag("interaction-carried", told))
    return Modifiers(
        absorbed_ratio=_changed(absorbed),
        gut_ratio=found.gut_ratio,
        hepatic_ratio=found.hepatic_ratio,
        flags=tuple(flags),
        sources=sources,
    )


def _changed(ratios: Mapping[str, float]) -> dict[str, float]:
    return {route: ratio for route, ratio in ratios.items() if not math.isclose(ratio, 1.0, rel_tol=1e-12)}


def _absent(
    other: Perpetrator, route: str, product: str | None, usable: Mapping[str, RouteEffect], liver: Liver | None
) -> Flag:
    there = next((effect for effect in other.effects if effect.route == route), None)
    if there is not None and not there.verified and there.holds_for(product):
        return Flag(
            "interaction-unverified",
            f"{other.drug}: {route.upper()} AUC times {there.auc_ratio:g} [{there.verification}] was not read in a"
            f" source and is not applied; '{other.drug} {UNVERIFIED}' applies it",
        )
    bound = ""
    if route in _PARENTERAL and "po" in usable and liver is not None:
        most = liver.auc_ratio("iv", 1.0, 1.0 / usable["po"].auc_ratio)
        bound = f"; were all of the effect by mouth in the liver, the area by vein would be {most:.2f} times [D]"
    of = "" if there is None or there.product is None else f" for {product}"
    return Flag(
        f"no-{route}-interaction-size",
        f"{other.drug}: no {route.upper()} effect size published that was read{of}"
        f" ({other.known_routes}); nothing is applied for this route, which does not mean no effect{bound}",
    )


def _applied(other: Perpetrator, effect: RouteEffect) -> Flag:
    others = ", ".join(f"{_RATIOS[name]} times {value:g}" for name, value in effect.measured.items())
    code = "interaction-applied" if effect.verified else "interaction-unverified-applied"
    return Flag(
        code,
        f"{other.drug}: {effect.route.upper()} AUC of S-ketamine times {effect.auc_ratio:g} [{effect.verification}]"
        f" (measured: {others}), the same for R-ketamine and the sum [P]; metabolites are not changed beyond their"
        " formation",
    )


def _where(other: Perpetrator, found: Split) -> Flag:
    return Flag(
        "interaction-split",
        f"{other.drug} {other.mechanism.acts} {' and '.join(other.mechanism.enzymes)}: share that survives the gut wall"
        f" times {found.gut_ratio:.3g}, the liver's own clearance times {found.hepatic_ratio:.3g} [D]",
    )


def _unmet(other: Perpetrator, measured: Mapping[str, float], liver: Liver, found: Split) -> list[Flag]:
    """Name each measured ratio that the model cannot make, beside what it makes."""
    made = {route: liver.auc_ratio(route, found.gut_ratio, found.hepatic_ratio) for route in measured}
    missed = [
        f"{route.upper()} asked {ratio:g}, used {made[route]:.3g}"
        for route, ratio in measured.items()
        if not math.isclose(made[route], ratio, rel_tol=1e-3)
    ]
    if not missed and found.limited is None:
        return []
    words = "; ".join([*missed, *([found.limited] if found.limited else [])])
    return [Flag("interaction-limit", f"{other.drug}: {words}")]
