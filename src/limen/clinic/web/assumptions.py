"""What a forecast assumes, for a reader: marks drawn, outputs and parameters in words, models with their titles.

The flags of a forecast are sentences for every reader of the JSON; here they are only taken apart, never reworded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from limen.errors import InputError
from limen.evidence.marks import Verification
from limen.pharmacology.models import ENSEMBLE, get
from limen.pharmacology.wording import parts

_PARAMETERS = {
    "CL": "clearance",
    "V1": "volume of the central compartment",
    "V2": "volume of the second compartment",
    "V3": "volume of the third compartment",
    "Q2": "exchange with the second compartment",
    "Q3": "exchange with the third compartment",
}
_MARK = re.compile(r"\s*\[(" + "|".join(sorted(Verification, key=len, reverse=True)) + r")\]")
_FIRST = (Verification.CLINIC_RULE, Verification.UNVERIFIED)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a sentence: words, a mark's code, or a short name with what it stands for."""

    kind: Literal["text", "mark", "term"]
    text: str
    told: str = ""


@dataclass(frozen=True, slots=True)
class Assumption:
    """One flag of a forecast."""

    code: str
    parts: tuple[Part, ...]

    @property
    def marks(self) -> tuple[str, ...]:
        """The codes of its marks."""
        return tuple(part.text for part in self.parts if part.kind == "mark")


def assumptions(forecast: Mapping[str, Any]) -> list[Assumption]:
    """Every flag of a forecast: rules of the clinic first, then what nobody has verified, then the rest as it came.

    Examples
    --------
    >>> flags = [{"code": "a", "message": "read [V2]"}, {"code": "b", "message": "domino: CL is assumed [P], 0.9"}]
    >>> found = assumptions({"flags": flags, "members": [{"id": "domino"}]})
    >>> [(item.code, item.marks) for item in found]
    [('b', ('P',)), ('a', ('V2',))]
    >>> [part.told for part in found[0].parts if part.kind == "term"]
    ['Racemic ketamine IV (Domino), three compartments', 'clearance']
    """
    models = [forecast.get("model"), *(member.get("id") for member in forecast.get("members") or ())]
    terms = _terms(forecast.get("outputs") or {}, [str(model_id) for model_id in models if model_id])
    found = [
        Assumption(str(flag.get("code", "")), tuple(_parts(str(flag.get("message") or flag.get("code", "")), terms)))
        for flag in forecast.get("flags") or ()
    ]
    return sorted(found, key=_rank)


def model_title(model_id: str) -> str:
    """A model's title; an id that no model has any more stays as it is."""
    try:
        return get(model_id).title
    except InputError:
        return model_id


def _rank(item: Assumption) -> int:
    return next((place for place, mark in enumerate(_FIRST) if mark in item.marks), len(_FIRST))


def _terms(outputs: Iterable[str], model_ids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """A name in a sentence -> what stands there instead, and what it is said to mean."""
    named = {name: (parts(name)[0], "") for name in outputs}
    models = {model_id: (model_id, model_title(model_id)) for model_id in model_ids if model_id != ENSEMBLE}
    return named | models | {name: (name, told) for name, told in _PARAMETERS.items()}


def _parts(message: str, terms: Mapping[str, tuple[str, str]]) -> Iterable[Part]:
    names = "|".join(re.escape(name) for name in sorted(terms, key=len, reverse=True))
    pattern = re.compile(rf"{_MARK.pattern}|(?<![\w-])({names})(?![\w-])")
    at = 0
    for match in pattern.finditer(message):
        if match.start() > at:
            yield Part("text", message[at : match.start()])
        if match[1]:
            yield Part("mark", match[1])
        else:
            shown, told = terms[match[2]]
            yield Part("term", shown, told) if told else Part("text", shown)
        at = match.end()
    if at < len(message):
        yield Part("text", message[at:])
