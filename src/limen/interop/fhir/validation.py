"""The one place that meets ``fhir.resources``: is this dictionary a valid FHIR R4 resource?"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError


def fault(resource: dict[str, Any]) -> str | None:
    """Why a resource is not valid FHIR R4, in one clause, or None where it is.

    Examples
    --------
    >>> fault({"resourceType": "Patient", "gender": "female"}) is None
    True
    >>> fault({"resourceType": "Patient", "shoe": 43})
    'not valid FHIR R4: shoe: extra inputs are not permitted'
    """
    from fhir.resources.R4B import get_fhir_model_class

    kind = resource.get("resourceType")
    try:
        model = get_fhir_model_class(kind)
    except (KeyError, ValueError, TypeError, AttributeError):
        return f"not a FHIR R4 resource type: {kind!r:.60}"
    try:
        model.model_validate(resource)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_context=False)[0]
        spot = ".".join(str(part) for part in first["loc"]) or str(kind)
        message = str(first["msg"]).removeprefix("Value error, ").rstrip(".")
        return f"not valid FHIR R4: {spot}: {message[:1].lower()}{message[1:]:.200}"
    except (KeyError, TypeError, AttributeError):
        # A resource held inside another may name a type that does not exist.
        return "not valid FHIR R4: a part of it is of a type that FHIR does not have"
    return None
