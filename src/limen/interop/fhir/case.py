"""An imported bundle as the case that screening and planning decide on."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from limen.care import allergies
from limen.care.case import Case, Condition, Medication, build_case
from limen.care.case_json import partial_date
from limen.care.facts import Fact, fact
from limen.care.trials import Trial
from limen.interop.fhir.bundle import read_bundle
from limen.interop.fhir.facts import ImportedAllergy, ImportedBundle, ImportReport
from limen.knowledge.naming import resolve
from limen.knowledge.trials import adequacy


def case_from_bundle(
    raw: Any,
    on: date,
    indication: str | None,
    product: str | None,
    route: str | None,
    setting: str | None,
    protocol: str | None = None,
) -> tuple[Case, ImportReport]:
    """A case from a FHIR R4 Bundle, with the account of what was imported and what was not.

    Each fact keeps its own date. The lists of conditions and medicines are what was on record, not what was asked, so
    nothing is concluded from their silence.

    Parameters
    ----------
    raw : dict
        A FHIR R4 Bundle as parsed JSON.
    on : date
        The day of the decision.

    Raises
    ------
    InputError
        If the bundle is malformed, or a choice is unknown.
    """
    bundle = read_bundle(raw, on=on)
    case = build_case(
        on=on,
        facts=case_facts(bundle),
        conditions=case_conditions(bundle, on),
        medications=case_medications(bundle),
        trials=case_trials(bundle, on),
        indication=indication,
        product=product,
        route=route,
        setting=setting,
        protocol=protocol,
    )
    return case, bundle.report


def case_facts(bundle: ImportedBundle) -> list[Fact]:
    """Every dated fact of a bundle under its key in ``limen.knowledge.inputs``, oldest first, history with it."""
    patient = bundle.patient
    known: list[tuple[str, object]] = [
        ("patient.birth_date", patient.birth_date),
        ("patient.sex", patient.sex),
        ("patient.ancestry", patient.ancestry),
    ]
    facts = [fact(key, value, taken_at=None, source=patient.reference) for key, value in known if value is not None]
    facts += [
        Fact(item.key, _plain(item.value), item.effective_at, item.source)
        for item in sorted(bundle.facts, key=lambda item: item.effective_at)
    ]
    for allergy in bundle.allergies:
        if allergy.active and to_ketamine(allergy):
            facts.append(fact("facts.ketamine_allergy", True, taken_at=None, source=allergy.source))
    return facts


def case_conditions(bundle: ImportedBundle, on: date) -> list[Condition]:
    """The problem list; a condition coded in two systems stands once for each code."""
    found = []
    for item in bundle.conditions:
        onset = partial_date(_day(item.onset), on, where=item.source) if item.onset else None
        for system, code in item.codes or ((None, None),):
            found.append(Condition(item.text, code, system, item.status, onset, item.source))
    return found


def case_medications(bundle: ImportedBundle) -> list[Medication]:
    """The medicines on record; when each was last taken is not on record."""
    return [
        Medication(
            name=item.name,
            dose=item.dose or item.text,
            code=item.rxnorm or item.atc,
            status="active" if item.active else "stopped",
            source=item.source,
        )
        for item in bundle.medications
    ]


def case_trials(bundle: ImportedBundle, on: date) -> list[Trial]:
    """The antidepressants on record, with dose and period where there are any. No record says whether one helped."""
    found = []
    for item in bundle.medications:
        if not any(agent.id in adequacy() or "antidepressant" in agent.classes for agent in resolve(item.name)[0]):
            continue
        ended = min(item.ended or on, on)
        weeks = (ended - item.began).days / 7.0 if item.began is not None and item.began <= ended else None
        found.append(Trial(drug=item.name, dose_mg_per_day=item.dose_mg_per_day, weeks=weeks, source=item.source))
    return found


def to_ketamine(allergy: ImportedAllergy) -> bool:
    """Whether an allergy names ketamine or esketamine."""
    return allergies.to_ketamine(allergy.text)


def _plain(number: float) -> float | int:
    return int(number) if number == int(number) else number


def _day(text: str) -> str:
    """The date part of a FHIR dateTime, in the sender's zone; a partial date stays partial."""
    return datetime.fromisoformat(text).date().isoformat() if "T" in text else text
