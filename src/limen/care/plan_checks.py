"""What a plan finds beyond screening: walls crossed, slips of ten, product and setting, how the syringe is made up."""

from __future__ import annotations

from collections.abc import Sequence

from limen.care.case import Case
from limen.care.measured import Rounding
from limen.care.plan_findings import finding_of, own_finding
from limen.care.plan_limits import Held, Standing, bounded
from limen.care.plan_past import share_in_window
from limen.care.screening import Finding
from limen.evidence import Verification
from limen.knowledge.claim import Claim
from limen.knowledge.protocols import Protocol, Step
from limen.knowledge.rules import Level, Override
from limen.pharmacology.regimen import Dose

# A slip of ten lands near ten times, or a tenth of, the usual dose.
_SLIP_LOW, _SLIP_HIGH = 0.5, 2.0


def order_findings(case: Case, protocol: Protocol) -> tuple[Finding, ...]:
    """Whether the protocol is for this product, route, indication and setting; what the case leaves open passes."""
    found = []
    never: Override = "none"
    for rule, what, asked, expected, action in (
        ("DOSE-PRODUCT", "product", case.product, protocol.product, "Products are never converted: choose a protocol"),
        ("DOSE-ROUTE", "route", case.route, protocol.route, "Choose a protocol for the route"),
    ):
        if asked is not None and asked != expected:
            because = f"{protocol.id} is for {expected}; the case is for {asked}"
            found.append(
                own_finding(rule, "block", f"Different {what}", because, {what: asked}, expected, action, never)
            )
    if case.indication is not None and case.indication != protocol.indication:
        because = f"{protocol.id} is for {protocol.indication}; the case is for {case.indication}"
        found.append(
            own_finding(
                f"{protocol.id}-INDICATION",
                "hold",
                "Different indication",
                because,
                {"indication": case.indication},
                protocol.indication,
                "Choose a protocol for the indication",
                "prescriber",
            )
        )
    if case.setting is not None and case.setting not in protocol.settings:
        settings = ", ".join(protocol.settings)
        found.append(
            own_finding(
                f"{protocol.id}-SETTING",
                "block",
                "Different setting",
                f"{protocol.id} is not for the setting {case.setting}: it can be read here and not ordered",
                {"setting": case.setting},
                settings,
                f"Treat in one of: {settings}",
                "medical-director" if case.setting == "home" else never,
            )
        )
    found += _age_findings(case, protocol)
    if protocol.closed is not None:
        named, action = {"protocol": protocol.id}, "Choose another protocol"
        rule, limit, title = f"{protocol.id}-CLOSED", "never ordered", "Not to be ordered"
        because = protocol.closed.text
        found.append(finding_of(rule, "block", title, because, named, limit, action, never, protocol.closed))
    return (*found, *_request_findings(case, protocol))


def _age_findings(case: Case, protocol: Protocol) -> list[Finding]:
    """A protocol for an age that the patient has not; an age not known is missing, and asked for by screening."""
    ages = protocol.ages
    if ages is None or case.age_years is None or case.age_years >= ages.from_years:
        return []
    because = f"{protocol.id} is for {ages.from_years:g} years and over; the patient is {case.age_years:g}"
    limit, action, asked = f"{ages.from_years:g} years", "Choose a protocol for the age", {"age_years": case.age_years}
    rule, title = f"{protocol.id}-AGE", "Different age"
    override: Override | None = "prescriber" if ages.level == "hold" else None
    return [finding_of(rule, ages.level, title, because, asked, limit, action, override, ages)]


def _request_findings(case: Case, protocol: Protocol) -> list[Finding]:
    """What is asked beyond this session's dose: a count of sessions, a supply to take along."""
    found = []
    sessions, quantity, never = case.request.sessions, case.request.quantity, None
    first = next((phase for phase in protocol.course if phase.sessions is not None), None)
    if sessions is not None and (first is None or first.sessions is None or sessions > first.sessions):
        rule, asked = f"{protocol.id}-SESSIONS", {"sessions": sessions}
        if first is None:
            because, limit = f"Asked {sessions} sessions; {protocol.id} counts none", "no count on record"
            claim = Claim(sources=("limen",), verification=Verification.CLINIC_RULE)
        else:
            because = f"Asked {sessions} sessions; the {first.phase} phase has {first.sessions}, {first.spacing}"
            limit, claim = f"{first.sessions} sessions", first
        action = "This plan is for one session; each later one is planned and signed on its own day"
        found.append(finding_of(rule, "warn", "More sessions", because, asked, limit, action, never, claim))
    if quantity is not None:
        because = f"Asked for a supply of {quantity}; a plan gives one supervised session and supplies nothing"
        action = "Order a supply apart from this plan, where it is allowed at all"
        claim = Claim(sources=("limen",), verification=Verification.CLINIC_RULE)
        rule, asked_for = f"{protocol.id}-QUANTITY", {"quantity": quantity}
        found.append(finding_of(rule, "warn", "A supply is asked", because, asked_for, "none", action, never, claim))
    return found


def dose_findings(
    protocol: Protocol, doses: Sequence[Dose], held: Held, weight_kg: float | None
) -> tuple[Finding, ...]:
    """Walls crossed, slips of ten, and doses under the range reported."""
    crossed = [_crossing(standing, doses, held) for standing in held.crossed]
    found: list[Finding] = []
    over = any(_over_by_itself(standing, doses) for standing in held.crossed)
    for step, dose in zip(protocol.steps, doses, strict=True):
        usual_mg = in_mg(step.amount.typical, step, dose, weight_kg)
        if usual_mg is not None and over and _is_slip(dose.amount_mg / 10.0, usual_mg):
            tenth = f"a tenth of it is {dose.amount_mg / 10.0:g} mg"
            because = f"{dose.amount_mg:g} mg is about ten times the usual {usual_mg:g} mg; {tenth}"
            asked = {"dose_mg": dose.amount_mg}
            limit = f"usual {usual_mg:g} mg"
            found.append(
                own_finding(
                    "DOSE-TENFOLD", "block", "Slip of ten", because, asked, limit, "Enter the dose again", "none"
                )
            )
    found += crossed
    for step, dose in zip(protocol.steps, doses, strict=True):
        usual_mg = in_mg(step.amount.typical, step, dose, weight_kg)
        found += _under_range(protocol, step, dose, usual_mg, weight_kg)
    if held.rounding is not None and not held.refused:
        found.append(_rounded(held.rounding))
    return tuple(found)


def in_mg(value_mg: float | None, step: Step, dose: Dose, weight_kg: float | None) -> float | None:
    """A number of a step's amount, in the step's unit, as mg for this duration and weight."""
    if value_mg is None:
        return None
    if step.amount.unit.startswith("mg/kg"):
        if weight_kg is None:
            return None
        value_mg *= weight_kg
    return value_mg * dose.duration_min / 60.0 if step.amount.unit.endswith("/h") else value_mg


def _crossing(standing: Standing, doses: Sequence[Dose], held: Held) -> Finding:
    wall = standing.wall
    if wall.counts_sessions:
        return _too_often(standing, held)
    asked = _asked(standing, doses)
    side = "over" if wall.bound == "most" else "under"
    because = f"Asked {asked:g} {standing.unit}, {side} the {wall.name} of {standing.limit:g} {standing.unit}"
    if standing.because != "always":
        because += f" ({standing.because})"
    level: Level = "warn"
    override: Override | None = None
    if wall.kind == "hard":
        level, override, action = "block", "none", "Ask for less; this wall has no override"
        if wall.measure == "duration":
            action = "Enter another duration; this wall has no override"
    elif standing in held.passed:
        action = "Passed on purpose; the reason stands with the order"
    elif wall.measure == "duration":
        action = "Check the duration"
    elif held.nothing_left:
        level, override, action = "block", "none", "Nothing is left to give: wait until the limit allows a dose again"
    else:
        used_mg = sum(dose.amount_mg for dose in held.doses)
        action = f"The forecast is of {used_mg:g} mg" if held.refused else f"Held to {used_mg:g} mg"
    title = wall.name[:1].upper() + wall.name[1:]
    limit = f"{standing.limit:g} {standing.unit}"
    return finding_of(wall.rule, level, title, because, {"asked": asked}, limit, action, override, wall)


def _too_often(standing: Standing, held: Held) -> Finding:
    """A session too soon, or one too many: nothing to hold down, so the plan waits or is refused."""
    wall, past = standing.wall, standing.past
    days = "" if past is None else ", ".join(day.isoformat() for day in past.days)
    if wall.bound == "least":
        apart = f"{standing.reached:g} day{'' if standing.reached == 1 else 's'}"
        because = f"{apart} after the session of {days}; {wall.name}: {standing.limit:g} days or more"
    else:
        because = f"Session {standing.reached:g} of {standing.limit:g}, {wall.name}; given on {days}"
    level: Level = "block" if wall.kind == "hard" else "hold"
    override: Override | None = "medical-director" if wall.kind == "hard" else "prescriber"
    action = "Choose a later day, or decide against it with a reason"
    if standing in held.passed:
        level, override, action = "warn", None, "Passed on purpose; the reason stands with the order"
    title = wall.name[:1].upper() + wall.name[1:]
    limit = f"{standing.limit:g} {standing.unit}"
    return finding_of(wall.rule, level, title, because, {"asked": standing.reached}, limit, action, override, wall)


def other_product_findings(walls: Sequence[Standing], product: str) -> tuple[Finding, ...]:
    """Another product inside the window of a limit in mg: its milligrams are not converted, so a person decides."""
    found = []
    for standing in walls:
        if standing.past is None or not standing.past.others or standing.wall.counts_sessions:
            continue
        days = ", ".join(day.isoformat() for day in dict.fromkeys(standing.past.others))
        because = f"Another ketamine product was given on {days}; milligrams are never converted"
        because += f", so the {standing.wall.name} counts {product} alone"
        limit = f"{standing.whole:g} {standing.unit} of {product}"
        action = "Judge both together, or choose a later day"
        named = {"product": product}
        title = "Another product before"
        found.append(own_finding("DOSE-PRODUCTS", "hold", title, because, named, limit, action, "prescriber"))
    return tuple(found[:1])


def _rounded(rounding: Rounding) -> Finding:
    rule = rounding.rule
    asked = {"dose_mg": rounding.asked.value}
    limit = f"a whole {rounding.step} of {rounding.strength}"
    if rounding.used.value == 0:
        because = f"{rounding.asked} is less than {rounding.step} of {rounding.strength}, or one of its steps is"
        action = "Choose a weaker strength, or another dose"
        return finding_of(rule.rule, "block", "Too little to measure", because, asked, limit, action, "none", rule)
    far = rounding.lost_pct > rule.warn_over_pct
    action = f"Rounded down to {rounding.used}"
    if far:
        action += f", {rounding.lost_pct:.0f} % less than asked: choose a weaker strength, or another dose"
    level: Level = "warn" if far else "info"
    return finding_of(rule.rule, level, "Rounded to the syringe", rounding.because, asked, limit, action, None, rule)


def _asked(standing: Standing, doses: Sequence[Dose]) -> float:
    """What was asked, in the wall's own measure: the value furthest beyond it."""
    doses = bounded(standing, doses)
    timed = [dose for dose in doses if dose.duration_min > 0]
    if standing.wall.measure == "duration":
        spans = [dose.duration_min for dose in timed]
        return min(spans) if standing.wall.bound == "least" else max(spans)
    if standing.wall.measure == "rate":
        return max(60.0 * dose.amount_mg / dose.duration_min for dose in timed)
    return sum(dose.amount_mg * float(share_in_window(standing.wall, dose.duration_min)) for dose in doses)


def _under_range(
    protocol: Protocol, step: Step, dose: Dose, usual_mg: float | None, weight_kg: float | None
) -> list[Finding]:
    least_mg = in_mg(step.amount.lower, step, dose, weight_kg)
    if least_mg is None or dose.amount_mg >= least_mg:
        return []
    because = f"Asked {dose.amount_mg:g} mg; the lowest reported is {least_mg:g} mg"
    if usual_mg is not None and _is_slip(dose.amount_mg * 10.0, usual_mg):
        because += f"; ten times it, {dose.amount_mg * 10.0:g} mg, would be a usual dose"
    asked = {"dose_mg": dose.amount_mg}
    limit = f"{least_mg:g} mg"
    title = "Under the range reported"
    return [finding_of(protocol.id, "warn", title, because, asked, limit, "Check the dose", None, step.amount)]


def _over_by_itself(standing: Standing, doses: Sequence[Dose]) -> bool:
    """Whether the dose alone is over a limit in mg: what was given before makes no slip of it."""
    if standing.wall.measure == "duration" or standing.wall.counts_sessions:
        return False
    return _asked(standing, doses) > standing.whole


def _is_slip(corrected_mg: float, usual_mg: float) -> bool:
    return _SLIP_LOW * usual_mg <= corrected_mg <= _SLIP_HIGH * usual_mg
