"""What is drawn, made up and pumped, in quantities that cannot be mixed; and whether the vial is the right one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from limen.errors import InputError, RefusedError
from limen.units import Concentration, FlowRate, Mass, Minutes, Volume


@dataclass(frozen=True, slots=True)
class Syringe:
    """One syringe or bag made up for one dose.

    Attributes
    ----------
    vial : Concentration or None
        Strength of the vial; ``None`` while it is not chosen, and then what to draw is not known.
    filled : Concentration
        Strength of what the pump runs.
    volume : Volume
        Volume that holds the dose at that strength.
    draw, diluent_volume : Volume or None
        From the vial, and what is added to it.
    rate : FlowRate or None
        Pump rate; ``None`` for a bolus.
    dead_space : Volume or None
        What stays behind in the line or the atomiser; ``None`` is not known.
    """

    dose: Mass
    vial: Concentration | None
    filled: Concentration
    volume: Volume
    draw: Volume | None
    diluent: str | None
    diluent_volume: Volume | None
    rate: FlowRate | None
    note: str | None = None
    dead_space: Volume | None = None

    @property
    def fill(self) -> Volume:
        """What is made up, so that the whole dose arrives: the dose and what stays behind."""
        return self.volume if self.dead_space is None else Volume(self.volume.value + self.dead_space.value)

    @property
    def left_behind(self) -> Mass | None:
        """What is drawn and never given: wasted by two people, like any other rest."""
        return None if self.dead_space is None else self.filled * self.dead_space

    def to_json(self) -> dict[str, Any]:
        """The ``syringe`` part of the ``plan`` contract."""
        return {
            "concentration_mg_per_mL": self.filled.value,
            "volume_mL": self.volume.value,
            "rate_mL_per_h": None if self.rate is None else self.rate.value,
            "diluent": self.diluent,
            "dose_mg": self.dose.value,
            "vial_mg_per_mL": None if self.vial is None else self.vial.value,
            "draw_mL": None if self.draw is None else self.draw.value,
            "diluent_mL": None if self.diluent_volume is None else self.diluent_volume.value,
            "note": self.note,
            "dead_space_mL": None if self.dead_space is None else self.dead_space.value,
            "fill_mL": self.fill.value,
            "draw_with_dead_space_mL": None if self.vial is None else (self.filled * self.fill / self.vial).value,
            "left_behind_mg": None if self.left_behind is None else self.left_behind.value,
        }


def make_up(
    dose: Mass,
    duration: Minutes | None,
    *,
    vial: Concentration | None,
    dilute_to: Concentration | None = None,
    diluent: str | None = None,
    syringe: Volume | None = None,
    dead_space: Volume | None = None,
) -> Syringe:
    """Make up one dose.

    Parameters
    ----------
    dose : Mass
        What the patient is to receive.
    duration : Minutes or None
        Of the infusion; ``None`` for a bolus.
    vial : Concentration or None
        Strength of the vial.
    dilute_to : Concentration or None
        Strength of what is given; ``None`` gives the vial as it is.
    syringe : Volume or None
        Size of the syringe, to say when the volume does not fit.
    dead_space : Volume or None
        Of the line or the atomiser.

    Raises
    ------
    InputError
        If neither strength is given, or the dilution would be stronger than the vial.

    Examples
    --------
    >>> made = make_up(Mass(35), Minutes(40), vial=Concentration(50), dilute_to=Concentration(1), diluent="saline")
    >>> made.draw, made.volume, made.rate
    (Volume(value=0.7), Volume(value=35.0), FlowRate(value=52.5))
    """
    filled = dilute_to or vial
    if filled is None:
        raise InputError("no strength is given", where="concentration_mg_per_mL", allowed="the strength of the vial")
    if filled.value == 0:
        raise InputError("strength 0 mg/mL", where="concentration_mg_per_mL", allowed="over 0 mg/mL")
    if vial is not None and filled > vial:
        raise InputError(
            f"a vial of {vial} cannot be made up to {filled}",
            where="dilute_to_mg_per_mL",
            allowed=f"over 0 and up to {vial}",
        )
    volume = dose / filled
    draw = None if vial is None else dose / vial
    diluted = vial is None or filled < vial
    added = None
    if draw is not None:
        added = Volume(max(0.0, volume.value - draw.value)) if diluted else None
    whole = volume if dead_space is None else Volume(volume.value + dead_space.value)
    return Syringe(
        dose=dose,
        vial=vial,
        filled=filled,
        volume=volume,
        draw=draw,
        diluent=diluent if diluted else None,
        diluent_volume=added,
        rate=None if duration is None else volume / duration,
        note=_fit(whole, syringe),
        dead_space=dead_space,
    )


def _fit(volume: Volume, syringe: Volume | None) -> str | None:
    if syringe is None or volume <= syringe:
        return None
    return f"{volume} does not fit one {syringe} syringe: use a bag or a second syringe"


@dataclass(frozen=True, slots=True)
class VialSpec:
    """What a vial holds: product and strength."""

    product: str
    strength: Concentration

    def __str__(self) -> str:
        return f"{self.product} {self.strength}"


def check_vial(ordered: VialSpec, scanned: VialSpec, *, need: Mass | None = None, on_hand: Mass | None = None) -> None:
    """Refuse a vial that is not the one the order was made up for.

    Parameters
    ----------
    ordered, scanned : VialSpec
        The vial of the signed plan, and the one in the hand.
    need, on_hand : Mass, optional
        What must be drawn, and what the vial still holds.

    Raises
    ------
    RefusedError
        If product or strength differ, or the vial holds too little. Says what would have gone wrong.

    Examples
    --------
    >>> check_vial(VialSpec("racemic", Concentration(10)), VialSpec("racemic", Concentration(100)), need=Mass(35))
    Traceback (most recent call last):
    ...
    limen.errors.RefusedError: vial: this vial is racemic 100 mg/mL; allowed: racemic 10 mg/mL, as ordered. The
    ordered 3.5 mL of it would hold 350 mg instead of 35 mg
    """
    hint = ""
    if ordered.product != scanned.product:
        hint = "Different products are never converted"
    elif ordered.strength != scanned.strength and need is not None:
        planned = need / ordered.strength
        hint = f"The ordered {planned} of it would hold {scanned.strength * planned} instead of {need}"
    if ordered != scanned:
        raise RefusedError(f"this vial is {scanned}", where="vial", allowed=f"{ordered}, as ordered", hint=hint)
    if need is not None and on_hand is not None and need > on_hand:
        raise RefusedError(
            f"the vial holds {on_hand}",
            where="vial",
            allowed=f"at least {need}",
            hint="Draw the rest from a second vial",
        )
