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
    >>> last["linkId"], last["code"][0]["code"], last["answerOption"][3]["valueInteger"]
    ('q9', '44260-8', 3)
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
        "item": _items(instrument),
    }
    if loinc is not None and loinc.panel is not None:
        resource["code"] = [{"system": LOINC, "code": loinc.panel}]
    return _checked(resource)


def _items(instrument: Instrument) -> list[dict[str, Any]]:
    items = instrument.items
    total: dict[str, Any] = {"linkId": "total", "text": "Total", "type": "decimal", "readOnly": items is not None}
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
    return item | {"type": "choice", "answerOption": [{"valueInteger": value} for value in allowed]}


def plan_definition(protocol: Protocol) -> dict[str, Any]:
    """A protocol as a PlanDefinition, its doses as contained ActivityDefinitions, its walls in words.

    A dose here is what a prescriber starts from. It is no order: walls, screening and the patient decide.

    Raises
    ------
    KnowledgeError
        If the result is not valid FHIR R4.

    Examples
    --------
    >>> from limen.knowledge.protocols import get_protocol
    >>> made = plan_definition(get_protocol("TRD-IV"))
    >>> made["contained"][0]["dosage"][0]["doseAndRate"][0]["doseQuantity"]
    {'value': 0.5, 'unit': 'mg/kg', 'system': 'http://unitsofmeasure.org', 'code': 'mg/kg'}
    """
    activities = [_activity(protocol, step, place) for place, step in enumerate(protocol.steps, start=1)]
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
        "contained": activities,
        "action": [
            {
                "title": step.title,
                "description": _limits(protocol),
                "definitionCanonical": f"#{activity['id']}",
                "documentation": _documents(protocol),
            }
            for step, activity in zip(protocol.steps, activities, strict=True)
        ],
    }
    return _checked(resource)


def _activity(protocol: Protocol, step: Step, place: int) -> dict[str, Any]:
    dosage: dict[str, Any] = {"text": _dose_words(step), "route": {"text": protocol.route}}
    amount = step.amount
    if amount.typical is not None:
        quantity = {"value": amount.typical, "unit": amount.unit, "system": UCUM, "code": _UCUM[amount.unit]}
        dosage["doseAndRate"] = [{"rateQuantity" if amount.unit.endswith("/h") else "doseQuantity": quantity}]
    return {
        "resourceType": "ActivityDefinition",
        "id": f"step-{place}",
        "status": "draft",
        "title": step.title,
        "kind": "MedicationRequest",
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
