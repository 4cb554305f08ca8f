"""Which coded things Limen understands, and what each becomes."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Annotated

from pydantic import Field, model_validator

from limen.evidence import Verification, cite, read_yaml
from limen.evidence.yaml import Record
from limen.knowledge.inputs import InputSpec, inputs

LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
DIAGNOSIS_SYSTEMS = {
    "http://snomed.info/sct": "snomed",
    "http://hl7.org/fhir/sid/icd-10-cm": "icd10",
    "http://hl7.org/fhir/sid/icd-10": "icd10",
    "urn:oid:2.16.840.1.113883.6.90": "icd10",
    "urn:oid:2.16.840.1.113883.6.96": "snomed",
}
SUBSTANCE_SYSTEMS = {RXNORM: "rxnorm", "http://snomed.info/sct": "snomed", "http://fdasis.nlm.nih.gov": "unii"}


class ObservationCode(Record):
    """One kind of observation: its LOINC codes and the fact of a case that it becomes."""

    codes: Annotated[tuple[str, ...], Field(min_length=1)]
    key: str
    per_upper_limit: bool = False
    indexed: bool = False
    verification: Verification

    @model_validator(mode="after")
    def _known(self) -> ObservationCode:
        if self.key not in inputs():
            raise ValueError(f"no fact {self.key!r} in the knowledge of inputs")
        return self

    @property
    def spec(self) -> InputSpec:
        """Unit, possible range and title of the fact."""
        return inputs()[self.key]


class ObservationTable(Record):
    """The whole table, with where its codes come from."""

    sources: tuple[str, ...]
    observations: tuple[ObservationCode, ...]
    panels: tuple[str, ...]


@functools.cache
def observation_table() -> ObservationTable:
    """The table of observations, its sources checked."""
    table = read_yaml(resources.files("limen.interop.fhir") / "data" / "observations.yaml", ObservationTable)
    for key in table.sources:
        cite(key, where="observations.yaml")
    return table


@functools.cache
def by_loinc() -> dict[str, ObservationCode]:
    """LOINC code -> the observation it names."""
    return {code: entry for entry in observation_table().observations for code in entry.codes}
