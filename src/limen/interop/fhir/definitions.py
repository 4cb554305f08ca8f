"""The clinic's instruments and protocols as FHIR R4 definitions: Questionnaire, and PlanDefinition with its activities.

Local codes follow one project system; a LOINC code stands beside them only where it was found for that instrument.
"""

from __future__ import annotations

from typing import Any

from limen.errors import KnowledgeError
from limen.interop.fhir.validation import fault
from limen.knowledge.instruments import Instrument
from limen.knowledge.protocols import Protocol, Step
from limen.knowledge.scoring_rules import Items

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
# A name that resolves nowhere by design: the site puts its own base here when it publishes.
BASE = "urn:limen"
ORDINAL = "http://hl7.org/fhir/StructureDefinition/ordinalValue"
CALCULATED = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression"
_UCUM = {"mg/kg": "mg/kg", "mg": "mg", "mg/kg/h": "mg/kg/h", "mg/h": "mg/h"}
_LICENCE = {
    "ship": "The wording may be distributed.",
    "load": "The wording is not part of this resource; the clinic loads it under its own right.",
    "score": "Items may not be held; the total is recorded.",
}


def questionnaire(instrument: Instrument) -> dict[str, Any]:
    """An instrument as a Questionnaire: items with the answers each accepts, words only where the licence allows.

    Raises
    ------
    KnowledgeError
        If the result is not valid FHIR R4.

    Examples
    --------
    >>> from limen.knowledge.instruments import get_instrument
    >>> made = questionnaire(get_instrument("PHQ-9"))
    >>> last = made["item"][8]
    >>> last["linkId"], last["code"][0]["code"], last["answerOption"][3]["valueCoding"]["display"]
    ('q9', '44260-8', 'Nearly every day')
    """
    loinc = instrument.loinc
    resource: dict[str, Any] = {
        "resourceType": "Questionnaire",
        "id": _id(instrument.id),
        "url": f"{BASE}:Questionnaire:{_id(instrument.id)}",
        "version": str(instrument.version),
        "name": _name(instrument.id),
        "title": instrument.title,
        "status": "active",
        "subjectType": ["Patient"],
        "copyright": f"{instrument.licence.statement}. {_LICENCE[instrument.licence.text]}",
        "description": scoring_words(instrument),
        "item": _items(instrument),
    }
    if loinc is not None and loinc.panel is not None:
        resource["code"] = [{"system": LOINC, "code": loinc.panel}]
    return _checked(resource)


def scoring_words(instrument: Instrument) -> str:
    """How the answers become a result, in words: what a receiver must do who does not know the instrument.

    Examples
    --------
    >>> from limen.knowledge.instruments import get_instrument
    >>> scoring_words(get_instrument("PHQ-2"))
    'Sum of 2 items, 0 to 6. No missing answer is made up. Cut: 3 and over [M].'
    """
    items = instrument.items
    told = {
        "sum": f"Sum of {instrument.item_count} items, {instrument.lowest_total} to {instrument.highest_total}",
        "parts": f"Sum of the parts, {instrument.lowest_total} to {instrument.highest_total}",
        "profile": "Answers or parts; there is no total",
        "total-only": f"A total that is entered, {instrument.lowest_total} to {instrument.highest_total}",
        "c-ssrs-triage": "Triage by the worst answer; there is no total",
    }[instrument.rule]
    if items is not None and items.reversed_items:
        told += f", items {', '.join(map(str, items.reversed_items))} upside down"
    gaps = instrument.missing.prorate_up_to
    words = [
        told,
        f"Up to {gaps} missing answers are made up by proportion" if gaps else "No missing answer is made up",
    ]
    if instrument.parts:
        words.append(
            "Parts: " + "; ".join(f"{part.name}, {part.how} of {_listed(part.items)}" for part in instrument.parts)
        )
    if instrument.bands:
        bands = "; ".join(f"{band.low} to {band.high} {band.name}" for band in instrument.bands.ranges)
        words.append(f"Bands: {bands} [{instrument.bands.verification.value}]")
    if instrument.screen is not None:
        low = instrument.screen.at_most
        cut = f"{instrument.screen.at_least} and over" if low is None else f"{low} and under"
        words.append(f"Cut: {cut} [{instrument.screen.verification.value}]")
    if instrument.safety is not None:
        words.append(
            f"Item {instrument.safety.item} is never made up and from {instrument.safety.rungs[0].at_least} goes to a "
            f"person before dosing [{instrument.safety.verification.value}]"
        )
    return ". ".join(words) + "."


def _listed(numbers: tuple[int, ...]) -> str:
    return f"items {numbers[0]} to {numbers[-1]}" if len(numbers) > 1 else f"item {numbers[0]}"


def _items(instrument: Instrument) -> list[dict[str, Any]]:
    items = instrument.items
    total: dict[str, Any] = {"linkId": "total", "text": "Total", "type": "decimal", "readOnly": items is not None}
    if instrument.rule == "sum" and items is not None and not items.reversed_items:
        # Without a value where an answer is missing; what is made up by proportion stands in the description.
        counted = "ordinal()" if instrument.wording else "value"
        answers = f"%resource.item.where(linkId.startsWith('q')).answer.{counted}"
        expression = f"iif({answers}.count() = {items.count}, {answers}.sum(), {{}})"
        if items.kind != "yes-no":
            total["extension"] = [
                {"url": CALCULATED, "valueExpression": {"language": "text/fhirpath", "expression": expression}}
            ]
    if instrument.loinc is not None and instrument.loinc.total is not None:
        total["code"] = [{"system": LOINC, "code": instrument.loinc.total}]
    if items is None:
        return [total]
    made = [_item(instrument, items, number) for number in range(1, items.count + 1)]
    made += [{"linkId": key, "text": key.replace("_", " "), "type": "boolean"} for key in items.follow_up]
    return made if instrument.rule in {"profile", "c-ssrs-triage"} else [*made, total]


def _item(instrument: Instrument, items: Items, number: int) -> dict[str, Any]:
    accepts = items.range_of(number)
    wording = instrument.wording
    item: dict[str, Any] = {
        "linkId": f"q{number}",
        "text": wording.items[number - 1] if wording else f"{instrument.id} question {number}",
        "code": [{"system": f"{BASE}:items", "code": f"{_id(instrument.id)}-item-{number}"}],
    }
    if instrument.loinc is not None and instrument.loinc.items:
        item["code"].insert(0, {"system": LOINC, "code": instrument.loinc.items[number - 1]})
    if accepts.kind == "yes-no":
        return item | {"type": "boolean"}
    if items.half_points:
        return item | {"type": "decimal"}
    allowed = list(accepts.only or range(accepts.low, accepts.high + 1))
    if items.not_assessed is not None:
        allowed.insert(0, items.not_assessed)
    words = wording.options_of(number) if wording else ()
    if not words:
        return item | {"type": "choice", "answerOption": [{"valueInteger": value} for value in allowed]}
    named = dict(zip(accepts.only or range(accepts.low, accepts.high + 1), words, strict=True))
    return item | {
        "type": "choice",
        "answerOption": [_option(instrument, value, named.get(value)) for value in allowed],
    }


def _option(instrument: Instrument, value: int, words: str | None) -> dict[str, Any]:
    """An answer with its words and the number it counts for."""
    wording = instrument.wording
    codes = wording.option_codes if wording else ()
    coding = {
        "system": f"{BASE}:answers",
        "code": f"{_id(instrument.id)}-answer-{value}",
        "display": words or "Not assessed",
    }
    if codes and words is not None:
        coding |= {"system": LOINC, "code": codes[value]}
    return {"extension": [{"url": ORDINAL, "valueDecimal": value}], "valueCoding": coding}


def plan_definition(protocol: Protocol) -> dict[str, Any]:
    """A protocol as a PlanDefinition: doses by ActivityDefinition, then course, observations and discharge in words.

    Raises
    ------
    KnowledgeError
        If the result is not valid FHIR R4.

    Examples
    --------
    >>> from limen.knowledge.protocols import get_protocol
    >>> made = plan_definition(get_protocol("TRD-IV"))
    >>> made["action"][0]["definitionCanonical"].partition("|")[0]
    'urn:limen:ActivityDefinition:trd-iv-step-1'
    """
    doses = [
        {
            "title": step.title,
            "description": _limits(protocol),
            "definitionCanonical": f"{_activity_url(protocol, place)}|{protocol.version}",
            "documentation": _documents(protocol),
        }
        for place, step in enumerate(protocol.steps, start=1)
    ]
    resource: dict[str, Any] = {
        "resourceType": "PlanDefinition",
        "id": _id(protocol.id),
        "url": f"{BASE}:PlanDefinition:{_id(protocol.id)}",
        "version": str(protocol.version),
        "name": _name(protocol.id),
        "title": protocol.title,
        "status": "retired" if protocol.closed else "draft",
        "usage": f"Settings: {', '.join(protocol.settings)}. {protocol.evidence.regulatory_status.text}",
        "purpose": protocol.closed.text if protocol.closed else "A starting point for a licensed prescriber.",
        "action": [*doses, *_course(protocol), *_observations(protocol), *_discharge(protocol)],
    }
    if not resource["action"]:
        del resource["action"]
    return _checked(resource)


def _course(protocol: Protocol) -> list[dict[str, Any]]:
    """The phases of the course; days counted from the first session stand in words."""
    made = []
    for phase in protocol.course:
        sessions = "sessions as judged" if phase.sessions is None else f"{phase.sessions} sessions"
        days = f"; days {', '.join(map(str, phase.days))}" if phase.days else ""
        words = f"{sessions}, {phase.spacing}{days} [{phase.verification.value}]"
        made.append({"title": f"Course: {phase.phase}", "description": words})
    return made


def _observations(protocol: Protocol) -> list[dict[str, Any]]:
    made = []
    for item in protocol.observations:
        when = ["before the dose"] if item.baseline else []
        when += ["at the end of the dose"] if item.at_dose_end else []
        when += [f"every {item.every_min:g} min"] if item.every_min is not None else []
        words = f"{', '.join(when) or 'as judged'} [{item.verification.value}]"
        made.append({"title": f"Observe: {item.what}", "description": words})
    return made


def _discharge(protocol: Protocol) -> list[dict[str, Any]]:
    if not protocol.discharge:
        return []
    return [{"title": "Discharge", "description": f"Criteria {', '.join(protocol.discharge)}"}]


def activity_definitions(protocol: Protocol) -> list[dict[str, Any]]:
    """Each step of a protocol as an ActivityDefinition that asks for a MedicationRequest.

    A dose here is what a prescriber starts from. It is no order: walls, screening and the patient decide.

    Raises
    ------
    KnowledgeError
        If the result is not valid FHIR R4.

    Examples
    --------
    >>> from limen.knowledge.protocols import get_protocol
    >>> (made,) = activity_definitions(get_protocol("TRD-IV"))
    >>> made["dosage"][0]["doseAndRate"][0]["doseQuantity"]
    {'value': 0.5, 'unit': 'mg/kg', 'system': 'http://unitsofmeasure.org', 'code': 'mg/kg'}
    """
    return [_checked(_activity(protocol, step, place)) for place, step in enumerate(protocol.steps, start=1)]


def _activity_url(protocol: Protocol, place: int) -> str:
    return f"{BASE}:ActivityDefinition:{_id(protocol.id)}-step-{place}"


def _activity(protocol: Protocol, step: Step, place: int) -> dict[str, Any]:
    dosage: dict[str, Any] = {"text": _dose_words(step), "route": {"text": protocol.route}}
    amount = step.amount
    if amount.typical is not None:
        quantity = {"value": amount.typical, "unit": amount.unit, "system": UCUM, "code": _UCUM[amount.unit]}
        dosage["doseAndRate"] = [{"rateQuantity" if amount.unit.endswith("/h") else "doseQuantity": quantity}]
    return {
        "resourceType": "ActivityDefinition",
        "id": f"{_id(protocol.id)}-step-{place}",
        "url": _activity_url(protocol, place),
        "version": str(protocol.version),
        "name": f"{_name(protocol.id)}_step_{place}",
        "status": "retired" if protocol.closed else "draft",
        "title": f"{protocol.title}: {step.title}",
        "purpose": "What a prescriber starts from; it is no order. Walls, screening and the patient decide.",
        "kind": "MedicationRequest",
        "intent": "proposal",
        "productCodeableConcept": {"text": protocol.product},
        "dosage": [dosage],
    }


def _dose_words(step: Step) -> str:
    amount = step.amount
    if amount.typical is None:
        return "No number to start from: the prescriber enters it"
    words = f"{amount.typical:g} {amount.unit}"
    if step.duration is not None and step.duration.typical_min is not None:
        words += f" over {step.duration.typical_min:g} min"
    return f"{words} ({amount.verification.words})"


def _limits(protocol: Protocol) -> str:
    if not protocol.walls:
        return "No limits on record"
    return "; ".join(
        f"{wall.name}: at {wall.bound} {wall.limit:g} {wall.unit} ({wall.kind}, {wall.verification.words})"
        for wall in protocol.walls
    )


def _documents(protocol: Protocol) -> list[dict[str, Any]]:
    evidence = protocol.evidence
    said = [("for", statement) for statement in evidence.supports]
    said += [("against", statement) for statement in evidence.opposes]
    return [
        {"type": "justification", "label": side, "display": f"{statement.text} [{statement.verification.value}]"}
        for side, statement in said
    ]


def _checked(resource: dict[str, Any]) -> dict[str, Any]:
    problem = fault(resource)
    if problem is not None:
        raise KnowledgeError(problem, where=f"{resource['resourceType']} {resource['id']}")
    return resource


def _id(name: str) -> str:
    """A FHIR id: letters, digits, hyphen and dot."""
    plain = name.lower().replace("+", "-plus")
    return "".join(letter if letter.isalnum() or letter in "-." else "-" for letter in plain)


def _name(name: str) -> str:
    """A FHIR name: begins with a letter, has letters, digits and underscores."""
    return "L_" + "".join(letter if letter.isalnum() else "_" for letter in name)
