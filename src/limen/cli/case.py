"""Reading the case that a command decides on: a CASE of our own, or a FHIR R4 Bundle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from limen.cli.locating import Document
from limen.errors import InputError

if TYPE_CHECKING:
    from limen.care.case import Case

# What a Bundle does not say.
_BUNDLE_DEFAULTS = {"indication": "trd", "product": "racemic", "route": "iv", "setting": "clinic"}


def read_case(
    document: dict[str, Any], on: str | None, named: Mapping[str, str | None]
) -> tuple[Case, dict[str, Any] | None]:
    """The case in a document, and the import report where it was a Bundle.

    Parameters
    ----------
    on : str or None
        The day of the decision; a CASE may name its own, a Bundle is judged today.
    named : mapping
        ``indication``, ``product``, ``route``, ``setting``, ``protocol`` as named on the command line.

    Raises
    ------
    InputError
        If it is another FHIR resource, or anything in it is impossible. Names the file and the line of the key.
    """
    try:
        return _read_case(document, on, named)
    except InputError as problem:
        if not isinstance(document, Document) or named.get(problem.where) is not None:
            raise
        raise document.locate(problem) from None


def _read_case(
    document: dict[str, Any], on: str | None, named: Mapping[str, str | None]
) -> tuple[Case, dict[str, Any] | None]:
    from datetime import datetime

    from limen.care.case_json import case_from_json
    from limen.care.facts import day

    asked_on = day(on, where="--on") if on else None
    if document.get("resourceType") is None:
        given = {key: value for key, value in named.items() if value is not None}
        return case_from_json({**document, **given}, on=asked_on), None
    if document["resourceType"] != "Bundle":
        raise InputError(
            f"a FHIR {document['resourceType']}", where="resourceType", allowed="a Bundle, or a CASE of your own"
        )
    from limen.interop.fhir import case_from_bundle

    case, report = case_from_bundle(
        document,
        asked_on or datetime.now().astimezone().date(),
        protocol=named.get("protocol"),
        **{key: named.get(key) or default for key, default in _BUNDLE_DEFAULTS.items()},
    )
    return case, report.to_json()
