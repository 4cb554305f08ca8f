"""A line to be written, and an entry that is in the book."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from limen.errors import InputError
from limen.ledger.amounts import parse_amount, show_mg

KINDS = ("receive", "transfer", "draw", "give", "waste", "return", "lose", "destroy", "count", "correct")
LABEL_KEYS = ("product", "strength_mg_per_mL", "volume_mL", "lot", "expiry", "supplier", "invoice")
"""What a receipt may say of the vial's label and of where it came from."""

_REQUIRED = ("kind", "vial", "amount_mg", "by", "key")
_OPTIONAL = ("witness", "session", "reason", "corrects")
_MAY_BE_ZERO = ("count", "correct")
_LONGEST = {"vial": 60, "by": 150, "witness": 150, "session": 80, "reason": 300, "key": 80, "corrects": 80}


@dataclass(frozen=True, slots=True)
class Line:
    """What a person asks to write.

    Attributes
    ----------
    amount_mg : Decimal
        For ``count`` what was seen; for ``correct`` what should have stood; else what moved.
    key : str
        Idempotency key: the same line sent twice is written once.
    corrects : str or None
        On ``correct``, the key of the entry whose amount is replaced. Without it, the vial's amount on hand is.
    label : mapping of str to str
        On ``receive``, what the vial's label says.
    """

    kind: str
    vial: str
    amount_mg: Decimal
    by: str
    key: str
    witness: str | None = None
    session: str | None = None
    reason: str | None = None
    corrects: str | None = None
    label: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def content(self) -> dict[str, Any]:
        """The line as JSON values, in one spelling: what the seal covers and what idempotency compares."""
        return {
            "kind": self.kind,
            "vial": self.vial,
            "amount_mg": show_mg(self.amount_mg),
            "by": self.by,
            "witness": self.witness,
            "session": self.session,
            "reason": self.reason,
            "key": self.key,
            "corrects": self.corrects,
            "label": dict(self.label),
        }


@dataclass(frozen=True, slots=True)
class Entry:
    """A line in the book: where it stands, when it was written, and the seal that ties it to the entry before."""

    position: int
    line: Line
    at: datetime
    prev_hash: str
    hash: str

    @property
    def kind(self) -> str:
        return self.line.kind

    @property
    def vial(self) -> str:
        return self.line.vial

    @property
    def key(self) -> str:
        return self.line.key

    def to_json(self) -> dict[str, Any]:
        """The entry as the command line prints it."""
        return {
            "position": self.position,
            "at": self.at.astimezone(UTC).isoformat(),
            **self.line.content(),
            "prev_hash": self.prev_hash,
            "hash": self.hash,
        }


def read_line(raw: Any, *, where: str = "line") -> tuple[Line, tuple[str, ...]]:
    """A line from JSON, and the keys in it that this version does not read.

    Raises
    ------
    InputError
        If a key is missing, of the wrong type, too long, or holds an amount that cannot be.

    Examples
    --------
    >>> line, unknown = read_line({"kind": "draw", "vial": "V1", "amount_mg": "35.0", "by": "nora", "witness": "pia",
    ...                            "session": "S1", "key": "k1", "moon": 3})
    >>> line.amount_mg, unknown
    (Decimal('35.0'), ('moon',))
    """
    if not isinstance(raw, Mapping):
        raise InputError(f"this is a {type(raw).__name__}", where=where, allowed="an object for each line")
    kind = raw.get("kind")
    if kind not in KINDS:
        raise InputError(f"unknown kind {kind!r:.40}", where=f"{where}.kind", allowed=", ".join(KINDS))
    texts = {name: _text(raw, name, where) for name in (*_REQUIRED, *_OPTIONAL) if name not in ("kind", "amount_mg")}
    for name in _REQUIRED:
        if raw.get(name) in (None, ""):
            raise InputError(f"no {name}", where=f"{where}.{name}", allowed="text")
    label = {name: text for name in LABEL_KEYS if (text := _text(raw, name, where)) is not None}
    if label and kind != "receive":
        raise InputError(f"a label on a {kind} line", where=f"{where}.{next(iter(label))}", allowed="on receive only")
    line = Line(
        kind=kind,
        vial=texts["vial"] or "",
        amount_mg=parse_amount(raw["amount_mg"], where=f"{where}.amount_mg", zero=kind in _MAY_BE_ZERO),
        by=texts["by"] or "",
        key=texts["key"] or "",
        witness=texts["witness"],
        session=texts["session"],
        reason=texts["reason"],
        corrects=texts["corrects"],
        label=MappingProxyType(label),
    )
    known = {*_REQUIRED, *_OPTIONAL, *LABEL_KEYS}
    return line, tuple(key for key in raw if key not in known)


def _text(raw: Mapping[str, Any], name: str, where: str) -> str | None:
    value = raw.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise InputError(f"{value!r:.40} is not text", where=f"{where}.{name}", allowed="text")
    value = value.strip()
    longest = _LONGEST.get(name, 120)
    if len(value) > longest:
        raise InputError(f"{len(value)} characters", where=f"{where}.{name}", allowed=f"at most {longest}")
    return value or None
