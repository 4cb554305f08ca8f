"""Where another drug acts: how a measured ratio of areas divides between gut wall and liver.

For a well-stirred liver with extraction ratio E, with the share that survives the gut wall times ``gut_ratio`` and the
liver's own clearance times ``hepatic_ratio``, the area under the curve is multiplied by

* by vein: ``E + (1 - E) / hepatic_ratio``: however strong the inducer, not below E, for the liver's flow is the limit;
* by mouth: ``gut_ratio / hepatic_ratio``;
* by nose: both, for what is absorbed there and for what is swallowed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from limen.pharmacology.absorption.pathways import devices_before, devices_of
from limen.pharmacology.models.schema import Model, Product
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.patient_values import patient_values
from limen.pharmacology.regimen import Dose

Site = Literal["gut", "liver"]

# A liver that takes all that flows to it; more makes no difference that can be seen.
_ALL = 1e3


@dataclass(frozen=True, slots=True)
class Liver:
    """What of a model decides how gut and liver share an interaction.

    Attributes
    ----------
    extraction_fraction : float
        Of what flows to the liver, what does not come out.
    gut_fraction : float
        Of what is swallowed, what survives the gut wall.
    nasal_fraction : float
        Of a nasal dose, what is absorbed in the nose; the rest is swallowed.
    routes : frozenset of str
        The routes whose doses pass this gut and liver in the model; an assumed absorption passes neither.
    """

    extraction_fraction: float
    gut_fraction: float
    nasal_fraction: float = 1.0
    routes: frozenset[str] = frozenset({"in", "po"})

    @property
    def most_gut_ratio(self) -> float:
        """No more than everything survives the gut wall."""
        return 1.0 / self.gut_fraction

    def auc_ratio(self, route: str, gut_ratio: float, hepatic_ratio: float) -> float:
        """The ratio of areas that these two make by a route; by skin and muscle it is that by vein.

        Examples
        --------
        Halving the liver's own clearance doubles the area by mouth, and by vein adds only the share not extracted:

        >>> liver = Liver(extraction_fraction=0.722, gut_fraction=0.64)
        >>> liver.auc_ratio("po", 1, 0.5), round(liver.auc_ratio("iv", 1, 0.5), 3)
        (2.0, 1.278)
        """
        past = 1.0 - self.extraction_fraction
        by_vein = self.extraction_fraction + past / hepatic_ratio
        by_mouth = gut_ratio / hepatic_ratio
        if route == "po":
            return by_mouth
        if route == "in":
            swallowed = (1.0 - self.nasal_fraction) * self.gut_fraction * past
            return (self.nasal_fraction * by_vein + swallowed * by_mouth) / (self.nasal_fraction + swallowed)
        return by_vein


@dataclass(frozen=True, slots=True)
class Split:
    """Factors on the gut wall and on the liver's own clearance.

    Attributes
    ----------
    gut_ratio : float
        On the share of a swallowed dose that survives the gut wall.
    hepatic_ratio : float
        On the liver's own clearance.
    limited : str or None
        Which limit of the model kept a measured ratio from being met.
    """

    gut_ratio: float = 1.0
    hepatic_ratio: float = 1.0
    limited: str | None = None


def split(measured_ratio: Mapping[str, float], liver: Liver, site: Site) -> Split:
    """The factors that reproduce measured ratios of areas, by route.

    Parameters
    ----------
    measured_ratio : mapping of route to ratio of areas
        Of iv, po and in; what was measured by vein settles the liver, what is left by mouth is the gut's.
    site : {"gut", "liver"}
        Where a change is put first when it was not measured by vein.

    Returns
    -------
    Split
        Where a limit binds, ``limited`` says so and :meth:`Liver.auc_ratio` tells what the factors make.

    Examples
    --------
    Rifampicin, 0.86 by vein and 0.14 by mouth:

    >>> found = split({"iv": 0.86, "po": 0.14}, Liver(0.722, 0.64), "gut")
    >>> round(found.hepatic_ratio, 2), round(found.gut_ratio, 2)
    (2.01, 0.28)
    """
    past = 1.0 - liver.extraction_fraction
    if "iv" in measured_ratio:
        room = measured_ratio["iv"] - liver.extraction_fraction
        if room <= past / _ALL:
            words = f"by vein the area cannot fall under {liver.extraction_fraction:.2f} times: the liver's flow limits"
            return Split(_gut(measured_ratio.get("po", 1.0) * _ALL, liver), _ALL, words)
        return _with_gut(measured_ratio, liver, past / room)
    if "in" in measured_ratio and "po" in measured_ratio:
        # po: gut = po x hepatic; in: nose x (E + (1 - E) / hepatic) + swallowed x po = in x whole.
        swallowed = (1.0 - liver.nasal_fraction) * liver.gut_fraction * past
        whole = liver.nasal_fraction + swallowed
        by_vein = (measured_ratio["in"] * whole - swallowed * measured_ratio["po"]) / liver.nasal_fraction
        room = by_vein - liver.extraction_fraction
        return _with_gut(measured_ratio, liver, past / room if room > past / _ALL else _ALL)
    if "in" in measured_ratio:
        return _nasal(measured_ratio["in"], liver, site)
    if "po" not in measured_ratio:
        return Split()
    ratio = measured_ratio["po"]
    if site == "liver":
        return Split(1.0, 1.0 / ratio)
    gut = _gut(ratio, liver)
    limited = None if gut == ratio else f"the gut wall can give at most {gut:.2f} times; the rest is put in the liver"
    return Split(gut, gut / ratio, limited)


def _with_gut(measured_ratio: Mapping[str, float], liver: Liver, hepatic: float) -> Split:
    if "po" not in measured_ratio:
        return _with_nose(measured_ratio, liver, hepatic)
    wanted = measured_ratio["po"] * hepatic
    gut = _gut(wanted, liver)
    if gut == wanted:
        return Split(gut, hepatic)
    # By mouth stays as measured; the other route gives way.
    return Split(
        gut, gut / measured_ratio["po"], f"more than everything would have to survive the gut wall ({wanted:.2f} times)"
    )


def _with_nose(measured_ratio: Mapping[str, float], liver: Liver, hepatic: float) -> Split:
    """The liver is settled; what is left by nose is the gut's part of what is swallowed."""
    swallowed = (1.0 - liver.nasal_fraction) * liver.gut_fraction * (1.0 - liver.extraction_fraction)
    if "in" not in measured_ratio or swallowed == 0:
        return Split(1.0, hepatic)
    by_nose = liver.nasal_fraction * liver.auc_ratio("iv", 1.0, hepatic)
    wanted = hepatic * (measured_ratio["in"] * (liver.nasal_fraction + swallowed) - by_nose) / swallowed
    if wanted < 0:
        return Split(1.0 / _ALL, hepatic, "by nose the area falls further than all that is swallowed")
    gut = _gut(wanted, liver)
    return Split(gut, hepatic, None if gut == wanted else "more than everything would have to survive the gut wall")


def _nasal(ratio: float, liver: Liver, site: Site) -> Split:
    swallowed = (1.0 - liver.nasal_fraction) * liver.gut_fraction * (1.0 - liver.extraction_fraction)
    whole = liver.nasal_fraction + swallowed
    if site == "gut" and swallowed > 0:
        wanted = (ratio * whole - liver.nasal_fraction) / swallowed
        if 0 < wanted <= liver.most_gut_ratio:
            return Split(wanted, 1.0)
    # What is left when the liver's part of both ways is taken at factor 1.
    fixed = liver.nasal_fraction * liver.extraction_fraction
    room = ratio * whole - fixed
    moved = liver.nasal_fraction * (1.0 - liver.extraction_fraction) + swallowed
    if room <= moved / _ALL:
        return Split(1.0, _ALL, "by nose the area cannot fall so far: the liver's flow limits")
    limited = "the gut wall alone cannot give it; it is put in the liver" if site == "gut" else None
    return Split(1.0, moved / room, limited)


def _gut(wanted_ratio: float, liver: Liver) -> float:
    return min(wanted_ratio, liver.most_gut_ratio)


def liver_of(model: Model, doses: Sequence[Dose], product: Product) -> Liver | None:
    """The typical liver of a model that has one, and the nasal share of these doses; ``None`` for a model without.

    Examples
    --------
    >>> from limen.pharmacology.models import get
    >>> found = liver_of(get("perez-ruixo-2021"), [Dose(56, "in")], "esketamine-nasal")
    >>> round(found.extraction_fraction, 3), found.gut_fraction, round(found.nasal_fraction, 3)
    (0.722, 0.64, 0.437)
    """
    arm = next((arm for arm in model.arms if product in arm.dose_fraction), None)
    if arm is None or "QH" not in model.parameters_of(arm):
        return None
    nobody = PatientProfile(weight_kg=70.0)
    body = {name: float(value[0]) for name, value in patient_values(model.parameters_of(arm), nobody, {}, 1).items()}
    cleared_L_per_h = body["VH"] * (body["KEL"] + body["KMET"]) * 60.0
    absorption = {name: parameter.value for name, parameter in model.absorption.items()}
    return Liver(
        cleared_L_per_h / (body["QH"] + cleared_L_per_h),
        absorption.get("FGUT", 1.0),
        _nasal_fraction(model, doses, product, absorption),
        frozenset(own.route for own in model.pathways if not own.products or product in own.products),
    )


def _nasal_fraction(model: Model, doses: Sequence[Dose], product: Product, absorption: Mapping[str, float]) -> float:
    """Of all that is sprayed, the typical share that the nose takes up."""
    own = model.pathway("in", product)
    sprayed = [dose for dose in doses if dose.route == "in" and dose.amount_mg > 0]
    if own is None or "F_NASAL" not in absorption or not sprayed:
        return 1.0
    if own.device_mg is None or "F_NASAL" not in own.later_devices:
        return absorption["F_NASAL"]
    later_ratio = absorption[own.later_devices["F_NASAL"]]
    shares = []
    for dose, before in zip(sprayed, devices_before(sprayed, own.device_mg), strict=True):
        shares += [
            1.0 if place == 0 else later_ratio for place in range(before, before + devices_of(dose, own.device_mg))
        ]
    return absorption["F_NASAL"] * sum(shares) / len(shares)
