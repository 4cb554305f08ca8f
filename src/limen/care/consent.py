"""What one patient is told before a course, and whether a consent that was given still stands."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from limen.care.case import INDICATIONS, PRODUCTS, ROUTES, SETTINGS, Case
from limen.care.screening import bears
from limen.errors import InputError
from limen.evidence import Verification
from limen.knowledge.consent import consent_checklist

State = Literal["none", "valid", "incomplete", "changed", "expired", "withdrawn"]
_ALLOWED = {"indication": INDICATIONS, "product": PRODUCTS, "route": ROUTES, "setting": SETTINGS}


@dataclass(frozen=True, slots=True)
class Told:
    """One heading as this patient reads it. ``digest`` changes with the words."""

    id: str
    title: str
    text: str
    sources: tuple[str, ...]
    verification: Verification

    @property
    def digest(self) -> str:
        return hashlib.sha256(f"{self.title}\n{self.text}".encode()).hexdigest()[:12]

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "title": self.title,
            "text": self.text,
            "digest": self.digest,
            "sources": list(self.sources),
            "verification": self.verification.value,
        }


@dataclass(frozen=True, slots=True)
class ConsentForm:
    """Everything a patient is told before one kind of course.

    Attributes
    ----------
    version : str
        The version of the checklist and a digest of the words that bear on this course: other words, another version.
    """

    version: str
    items: tuple[Told, ...]
    expires_after_days: int

    @property
    def digests(self) -> dict[str, str]:
        return {item.id: item.digest for item in self.items}

    def to_json(self) -> dict[str, Any]:
        return {
            "version": self.version,
            "expires_after_days": self.expires_after_days,
            "items": [item.to_json() for item in self.items],
        }


@dataclass(frozen=True, slots=True)
class Given:
    """A consent as it was given.

    Attributes
    ----------
    digests : mapping
        The words that were agreed to, by heading.
    withdrawn_on : date or None
        When the patient took it back.
    """

    version: str
    on: date
    digests: Mapping[str, str]
    withdrawn_on: date | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether consent stands on a day, why, and which headings are to be gone through again."""

    state: State
    because: str
    ask: tuple[str, ...] = ()

    @property
    def stands(self) -> bool:
        return self.state == "valid"


def consent_form(
    indication: str | None, product: str | None, route: str | None = None, setting: str | None = None
) -> ConsentForm:
    """The checklist for one kind of course.

    Raises
    ------
    InputError
        If a choice is unknown.

    Examples
    --------
    >>> form = consent_form("trd", "racemic", "iv", "clinic")
    >>> next(item.text for item in form.items if item.id == "CON-02").endswith("Using it here is off label.")
    True
    >>> consent_form("trd", "esketamine-nasal").version == form.version
    False
    """
    named = {"indication": indication, "product": product, "route": route, "setting": setting}
    for name, value in named.items():
        if value is not None and value not in _ALLOWED[name]:
            raise InputError(f"unknown {name} {value!r}", where=name, allowed=", ".join(_ALLOWED[name]))
    known = consent_checklist()
    case = Case(on=known.on, indication=indication, product=product, route=route, setting=setting)
    items = []
    for item in known.items:
        if item.only_settings and setting is not None and setting not in item.only_settings:
            continue
        said = next(text for text in item.texts if bears(text.scope, case))
        items.append(Told(item.id, item.title, said.text, said.sources, said.verification))
    words = "\n".join(f"{item.id} {item.digest}" for item in items)
    digest = hashlib.sha256(words.encode()).hexdigest()[:8]
    return ConsentForm(f"{known.version}-{known.on.isoformat()}-{digest}", tuple(items), known.expires.after_days)


def standing(form: ConsentForm, given: Given | None, on: date) -> Standing:
    """Whether a consent stands on a day.

    Examples
    --------
    >>> from datetime import date
    >>> form = consent_form("trd", "racemic", "iv", "clinic")
    >>> given = Given(form.version, date(2026, 1, 1), form.digests)
    >>> standing(form, given, date(2026, 6, 1)).state, standing(form, given, date(2027, 1, 2)).state
    ('valid', 'expired')
    """
    everything = tuple(item.id for item in form.items)
    if given is None:
        return Standing("none", "no consent is on record for this course", everything)
    if given.withdrawn_on is not None:
        return Standing("withdrawn", f"the patient withdrew consent on {given.withdrawn_on.isoformat()}", everything)
    last = given.on + timedelta(days=form.expires_after_days)
    if on > last:
        return Standing("expired", f"the consent of {given.on.isoformat()} stood until {last.isoformat()}", everything)
    new = tuple(item.id for item in form.items if item.id not in given.digests)
    changed = tuple(item.id for item in form.items if given.digests.get(item.id, item.digest) != item.digest)
    if given.version == form.version and new:
        return Standing("incomplete", f"not gone through: {', '.join(new)}", new)
    if new or changed:
        ask = tuple(name for name in everything if name in {*new, *changed})
        return Standing("changed", f"the words of {', '.join(ask)} are new since {given.on.isoformat()}", ask)
    return Standing(
        "valid", f"consent of {given.on.isoformat()}, version {given.version}, stands until {last.isoformat()}"
    )
