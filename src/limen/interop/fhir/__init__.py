"""FHIR R4: a referral bundle becomes dated facts and a report that accounts for every entry."""

from limen.interop.fhir.bundle import read_bundle
from limen.interop.fhir.case import case_conditions, case_facts, case_from_bundle, case_medications
from limen.interop.fhir.facts import ImportedBundle, ImportReport, Row

__all__ = [
    "ImportReport",
    "ImportedBundle",
    "Row",
    "case_conditions",
    "case_facts",
    "case_from_bundle",
    "case_medications",
    "read_bundle",
]
