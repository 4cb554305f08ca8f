"""Whether a code can be one of its system: its form, and for SNOMED CT its check digit."""

from __future__ import annotations

import re

CODE_NAMES = {"icd10": "ICD-10", "snomed": "SNOMED CT"}
_ICD10 = re.compile(r"[A-Z]\d[0-9A-Z](?:\.?[0-9A-Z]{1,4})?")
# Verhoeff's scheme: the multiplication of the dihedral group of ten elements, and the permutation of each place.
_TIMES = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 2, 3, 4, 0, 6, 7, 8, 9, 5),
    (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8),
    (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2),
    (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
_PERMUTED = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def well_formed(code: str, system: str | None) -> bool:
    """Whether a code can be one of its system; one of no named system is not judged.

    A mistyped code would otherwise be read as no condition at all.

    Examples
    --------
    >>> well_formed("I71.43", "icd10"), well_formed("36474008", "snomed"), well_formed("36474009", "snomed")
    (True, True, False)
    """
    plain = code.strip()
    match system:
        case "icd10":
            return _ICD10.fullmatch(plain.upper()) is not None
        case "snomed":
            return plain.isascii() and plain.isdigit() and 6 <= len(plain) <= 18 and _checks(plain)
        case _:
            return True


def _checks(digits: str) -> bool:
    """Verhoeff's check over a SNOMED CT identifier; 0 where it holds."""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit)
        for _ in range(place % 8):
            value = _PERMUTED[value]
        check = _TIMES[check][value]
    return check == 0
