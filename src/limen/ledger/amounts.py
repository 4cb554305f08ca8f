"""Milligrams as exact decimals: strings in, strings out, never a float."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from limen.errors import InputError

_AMOUNT = re.compile(r"\d{1,7}(?:\.(?P<decimals>\d+))?")
_STEP = Decimal("0.001")
ZERO = Decimal("0.0")
_ALLOWED = 'a decimal string in mg with at most 3 decimals, such as "35.0"'


def parse_amount(text: Any, *, where: str = "amount_mg", zero: bool = False) -> Decimal:
    """Milligrams from a decimal string.

    Raises
    ------
    InputError
        If it is not such a string, has more than 3 decimals, or is 0 where that means nothing.

    Examples
    --------
    >>> parse_amount("14.50")
    Decimal('14.50')
    >>> parse_amount("0.0001")
    Traceback (most recent call last):
    ...
    limen.errors.InputError: amount_mg: '0.0001' has 4 decimals; allowed: a decimal string in mg with at most 3...
    """
    if not isinstance(text, str):
        raise InputError(f"{text!r:.40} is a {type(text).__name__}, not text", where=where, allowed=_ALLOWED)
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise InputError(f"cannot read {text!r:.40}", where=where, allowed=_ALLOWED)
    if len(match["decimals"] or "") > 3:
        raise InputError(f"{text!r} has {len(match['decimals'])} decimals", where=where, allowed=_ALLOWED)
    amount = Decimal(text)
    if amount == 0 and not zero:
        raise InputError("0 mg moves nothing", where=where, allowed="over 0 mg")
    return amount


def decimal_mg(dose_mg: float) -> Decimal:
    """A computed dose as the book writes it: the nearest 0.001 mg.

    Examples
    --------
    >>> decimal_mg(0.1 + 0.2)
    Decimal('0.300')
    """
    return Decimal(repr(float(dose_mg))).quantize(_STEP, rounding=ROUND_HALF_EVEN)


def show_mg(amount: Decimal) -> str:
    """Milligrams as text: at least one decimal, no more than it has.

    Examples
    --------
    >>> show_mg(Decimal("35")), show_mg(Decimal("14.500")), show_mg(Decimal("0.125")), show_mg(Decimal("-2.0"))
    ('35.0', '14.5', '0.125', '-2.0')
    """
    whole, _, decimals = f"{amount.quantize(_STEP):f}".partition(".")
    text = f"{whole}.{decimals.rstrip('0') or '0'}"
    return "0.0" if text == "-0.0" else text
