"""Planning one session: what is asked, the walls, what may be used, how it is made up, and what it will do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from limen.care.case import Case
from limen.care.exposure import History
from limen.care.facts import Gap
from limen.care.plain import plain
from limen.care.plan import Asked, Blocker, Plan, span_min, total_mg
from limen.care.plan_checks import dose_findings, order_findings, other_product_findings
from limen.care.plan_course import course_findings, position
from limen.care.plan_limits import Held, Standing, hold, standing_walls
from limen.care.plan_past import Asking, session_number
from limen.care.plan_preparation import device_findings, equipment_findings, preparation_findings
from limen.care.screening import Finding, Screening, screen
from limen.care.site_dosing import Equipment, SiteDosing
from limen.care.syringe import Syringe, make_up
from limen.care.titration import propose
from limen.care.weights import Person, dosing_weight_kg
from limen.errors import InputError
from limen.knowledge.drugs import get_product
from limen.knowledge.protocols import Protocol, Step, WeightBasis, get_protocol
from limen.pharmacology.patient import PatientProfile
from limen.pharmacology.regimen import Dose, DoseOrder, parse_dose, resolve
from limen.units import Concentration, Mass, Minutes, Volume

__all__ = ["Forecaster", "Plan", "plan"]

Forecaster = Callable[[tuple[Dose, ...], PatientProfile], Mapping[str, Any]]
"""Doses and patient to the JSON of ``simulate``; the caller owns models, randomness and horizon."""

_GRAVEST = ("block", "hold", "warn", "info")
# The steps that come out of a syringe.
_DRAWN = ("bolus", "infusion")


def plan(
    case: Case,
    protocol_id: str,
    dose_text: str | None = None,
    concentration_mg_per_mL: float | None = None,
    *,
    dilute_to_mg_per_mL: float | None = None,
    weight_basis: WeightBasis | None = None,
    pass_walls: Collection[str] = (),
    overrides: Collection[str] = (),
    history: History | None = None,
    site: SiteDosing | None = None,
    forecast: Forecaster | None = None,
) -> Plan:
    """Plan one session.

    Parameters
    ----------
    case : Case
        The facts of the day. What it asks for in ``request`` stands where the arguments below are not given.
    protocol_id : str
        Such as ``"TRD-IV"``.
    dose_text : str, optional
        ``AMOUNT UNIT ROUTE [over DURATION]``; the protocol's usual dose where not given.
    concentration_mg_per_mL : float, optional
        Strength of the vial; must be one the product is made in.
    dilute_to_mg_per_mL : float, optional
        Strength of what the pump runs. Where the request says ``diluted`` and no number is given, the protocol's
        usual preparation; otherwise the vial as it is.
    weight_basis : {"actual", "ideal", "adjusted"}, optional
        The protocol's own where not given.
    pass_walls : collection of str
        Names of soft walls passed on purpose; who and why is the caller's to record.
    overrides : collection of str
        Rules decided against by someone who may; their findings stay, unchanged, and no longer block.
    history : History, optional
        What was given before, by any route and protocol. Without it limits over days, a course or a life count this
        session alone, and ``missing`` says so.
    site : SiteDosing, optional
        Limits and equipment that the site declares.
    forecast : callable, optional
        From doses and patient to the JSON of ``simulate``.

    Returns
    -------
    Plan
        Never a dose over a hard wall; where anything blocks, no dose at all.

    Raises
    ------
    InputError
        If the protocol is unknown, the dose cannot be read or goes by another route, or no vial has the strength.

    Examples
    --------
    >>> from limen.care.case_json import case_from_json
    >>> case = case_from_json({"on": "2026-11-21", "patient": {"weight_kg": 70, "height_cm": 175}})
    >>> made = plan(case, "TRD-IV")
    >>> made.asked.doses[0].amount_mg, made.released, made.dose_mg
    (35.0, False, None)
    """
    protocol = get_protocol(protocol_id)
    product = get_product(protocol.product)
    text = dose_text if dose_text is not None else case.request.dose
    strength = concentration_mg_per_mL if concentration_mg_per_mL is not None else case.request.concentration_mg_per_mL
    if strength is not None:
        product.vial(strength)
    orders = _orders(protocol, text)
    diluted = True if dilute_to_mg_per_mL is not None else case.request.diluted
    screening = screen(_as_asked(case, protocol, text, strength, diluted))
    runs_min = max((order.duration_min for order in orders if order is not None), default=0.0)
    asking = Asking(protocol.product, protocol.route, protocol.id, case.on, history, runs_min)
    number = session_number(asking, _session_number(case))
    declared = site or SiteDosing()

    blockers: list[Blocker] = []
    if None in orders:
        blockers.append(Blocker("prescriber-must-enter", "needs-data", f"{protocol.id} gives no number to start from"))
    weight = case.current("patient.weight_kg")
    weight_kg: float | None = None
    person: Person | None = None
    walls: tuple[Standing, ...] = ()
    if isinstance(weight, Gap):
        # Without a weight the walls are not known, so even a dose in mg cannot be judged.
        blockers.append(Blocker("BAS-01", "needs-data", weight.why))
    elif case.weight_kg is not None:
        person = Person(case.weight_kg, case.height_cm, case.sex, number)
        weight_kg = dosing_weight_kg(protocol, person, weight_basis)
        walls = standing_walls(protocol, person, weight_kg, asking, declared.walls_for(protocol.product))
    doses = () if blockers else tuple(_exact(resolve(order, weight_kg)) for order in orders if order is not None)
    held = hold(doses, walls, pass_walls) if doses else None
    pumped = _pumped(protocol, strength, dilute_to_mg_per_mL, diluted)
    drawn = pumped if strength is None else Concentration(strength)
    if held is not None and drawn is not None and all(step.kind in _DRAWN for step in protocol.steps):
        held = held.measured(drawn)
    syringe = _syringe(protocol, held, strength, pumped, declared.equipment)
    findings = _distinct(
        (
            *(dose_findings(protocol, doses, held, weight_kg) if held is not None else ()),
            *device_findings(product, doses),
            *(device_findings(product, held.doses) if held is not None and not held.nothing_left else ()),
            *other_product_findings(walls, protocol.product),
            *(preparation_findings(protocol, product, syringe) if syringe is not None else ()),
            *(equipment_findings(syringe, held.doses, declared.equipment) if syringe is not None and held else ()),
            *course_findings(protocol, asking, () if held is None else held.doses, weight_kg),
            *order_findings(case, protocol),
            *screening.findings,
        )
    )
    blockers += _blockers(findings, screening, overrides)
    blockers += _unknown_amounts(walls)
    given = () if held is None or held.nothing_left else held.doses
    return Plan(
        protocol=protocol,
        asked=Asked(text, doses or _needing_no_weight(orders), strength),
        weight_kg=weight_kg,
        weight_basis=weight_basis or protocol.weight.basis,
        walls=walls,
        held=held,
        syringe=syringe,
        session_number=number,
        screening=screening,
        findings=findings,
        overridden=tuple(finding.rule for finding in findings if _is_overridden(finding, overrides)),
        blocked_by=tuple(dict.fromkeys(blockers)),
        forecast=None if forecast is None or not given else forecast(given, _profile(case)),
        on=case.on,
        person=person,
        history=history,
        proposal=propose(protocol, asking, walls, weight_kg, number),
        position=position(protocol, asking),
    )


def _exact(dose: Dose) -> Dose:
    """The dose without what floats lose in mg/kg times kg: far under what anyone measures, and plain to read."""
    return replace(dose, amount_mg=plain(dose.amount_mg))


def _unknown_amounts(walls: tuple[Standing, ...]) -> list[Blocker]:
    """A limit in mg over days cannot be judged where a session in its window has no amount on record."""
    return [
        Blocker(standing.wall.rule, "needs-data", f"{standing.past.missing}: the {standing.wall.name} cannot be judged")
        for standing in walls
        if standing.past is not None and standing.past.given is not None and standing.past.missing
    ]


def _needing_no_weight(orders: tuple[DoseOrder | None, ...]) -> tuple[Dose, ...]:
    """What was asked in milligrams, which stands also where nothing can be judged."""
    given = [order for order in orders if order is not None and not order.is_per_kg]
    return tuple(resolve(order, None) for order in given) if len(given) == len(orders) else ()


def _orders(protocol: Protocol, text: str | None) -> tuple[DoseOrder | None, ...]:
    """One order for each step; ``None`` where neither the prescriber nor the protocol gives a number."""
    if text is None:
        return tuple(_usual_order(protocol, step) for step in protocol.steps)
    parts = [part.strip() for part in text.split(";")]
    if len(parts) != len(protocol.steps):
        steps = ", ".join(step.title.lower() for step in protocol.steps)
        raise InputError(
            f"{len(parts)} doses for {len(protocol.steps)} steps",
            where="dose",
            allowed=f"one for each, by ';': {steps}",
        )
    return tuple(_order(protocol, step, part) for step, part in zip(protocol.steps, parts, strict=True))


def _order(protocol: Protocol, step: Step, text: str) -> DoseOrder:
    order = parse_dose(text)
    if order.route != protocol.route:
        raise InputError(f"{text!r} is not by the route of {protocol.id}", where="dose", allowed=protocol.route)
    if order.at_min:
        raise InputError(
            f"{text!r} starts at {order.at_min:g} min",
            where="dose",
            allowed="a dose without 'at'; the session starts it",
        )
    if step.duration is None or order.duration_min:
        return replace(order, at_min=step.at_min)
    if step.duration.typical_min is None:
        raise InputError(f"{text!r} has no duration", where="dose", allowed="... over 40 min")
    return replace(order, duration_min=step.duration.typical_min, at_min=step.at_min)


def _usual_order(protocol: Protocol, step: Step) -> DoseOrder | None:
    span_min = 0.0 if step.duration is None else step.duration.typical_min
    if step.amount.typical is None or span_min is None:
        return None
    return DoseOrder(step.amount.typical, step.amount.unit, protocol.route, span_min, step.at_min)


def _as_asked(
    case: Case, protocol: Protocol, text: str | None, strength_mg_per_mL: float | None, diluted: bool | None
) -> Case:
    """The case as this plan would treat it: what it leaves open is what the protocol says."""
    request = replace(case.request, dose=text, concentration_mg_per_mL=strength_mg_per_mL, diluted=diluted)
    return replace(
        case,
        protocol=protocol.id,
        indication=case.indication or protocol.indication,
        product=case.product or protocol.product,
        route=case.route or protocol.route,
        request=request,
    )


def _session_number(case: Case) -> int | None:
    number = case.number("facts.session_number")
    if number is not None:
        return int(number)
    done = case.number("facts.sessions_done")
    return None if done is None else int(done) + 1


def _profile(case: Case) -> PatientProfile:
    ancestry, child_pugh = case.value("patient.ancestry"), case.value("patient.child_pugh")
    return PatientProfile(
        age_years=case.age_years,
        sex=case.sex,
        weight_kg=case.weight_kg,
        height_cm=case.height_cm,
        ancestry=ancestry if isinstance(ancestry, str) else None,
        egfr_mL_per_min=case.number("patient.egfr_mL_per_min"),
        child_pugh=child_pugh if isinstance(child_pugh, str) else None,
    )


def _pumped(
    protocol: Protocol, strength_mg_per_mL: float | None, dilute_to_mg_per_mL: float | None, diluted: bool | None
) -> Concentration | None:
    """What the pump runs: as asked; the usual preparation where only "diluted" is said, or no vial is chosen."""
    usual = protocol.preparation
    chosen = dilute_to_mg_per_mL
    if chosen is None and usual is not None and (diluted or strength_mg_per_mL is None):
        chosen = usual.concentration_mg_per_mL
    if chosen is None:
        chosen = strength_mg_per_mL
    return None if chosen is None else Concentration(chosen)


def _syringe(
    protocol: Protocol,
    held: Held | None,
    strength_mg_per_mL: float | None,
    pumped: Concentration | None,
    equipment: Equipment,
) -> Syringe | None:
    """Made up for the doses that stand."""
    if held is None or pumped is None or held.nothing_left:
        return None
    usual = protocol.preparation
    duration_min = span_min(held.doses)
    dead_mL = equipment.dead_space_mL if protocol.dead_space is None else protocol.dead_space.volume_mL
    size_mL = equipment.syringe_mL if equipment.syringe_mL is not None or usual is None else usual.syringe_mL
    return make_up(
        Mass(total_mg(held.doses)),
        Minutes(duration_min) if duration_min else None,
        vial=None if strength_mg_per_mL is None else Concentration(strength_mg_per_mL),
        dilute_to=pumped,
        diluent=None if usual is None else usual.diluent,
        syringe=None if size_mL is None else Volume(size_mL),
        dead_space=None if dead_mL is None else Volume(dead_mL),
    )


def _distinct(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The gravest first. One block of a rule is enough: a later block of the same rule says the same again."""
    kept: list[Finding] = []
    for finding in sorted(findings, key=lambda item: _GRAVEST.index(item.level)):
        if finding.level == "block" and any(other.rule == finding.rule and other.level == "block" for other in kept):
            continue
        kept.append(finding)
    return tuple(kept)


def _is_overridden(finding: Finding, overrides: Collection[str]) -> bool:
    return finding.level in {"block", "hold"} and finding.override != "none" and finding.rule in overrides


def _blockers(findings: tuple[Finding, ...], screening: Screening, overrides: Collection[str]) -> list[Blocker]:
    found = [
        Blocker(finding.rule, level, finding.because)
        for level in ("block", "hold")
        for finding in findings
        if finding.level == level and not _is_overridden(finding, overrides)
    ]
    return found + [
        Blocker(gap.rule, "needs-data", gap.why) for gap in screening.missing if gap.level in {"block", "hold"}
    ]
