"""Signs of today that stop or hold treatment whatever the calendar says, and those that nobody has asked about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from limen.knowledge.surveillance import LiverLine, SignLine, Surveillance, surveillance

Level = Literal["overdue", "due", "coming", "stop", "hold", "watch"]


@dataclass(frozen=True, slots=True)
class Signs:
    """Findings of today. ``None`` is not known.

    Attributes
    ----------
    liver_symptoms : bool or None
        Rash, fever, jaundice or pain.
    moca_fall_score : float or None
        Points of the MoCA under the patient's own baseline.
    """

    alt_xULN: float | None = None
    ast_xULN: float | None = None
    bilirubin_xULN: float | None = None
    ggt_xULN: float | None = None
    urinary_symptoms: bool | None = None
    urine_drug_screen_missed: bool | None = None
    liver_symptoms: bool | None = None
    moca_fall_score: float | None = None
    ymrs_score: float | None = None
    psychotic_symptoms: bool | None = None
    cravings: bool | None = None
    withdrawal_symptoms: bool | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """One thing to do.

    Attributes
    ----------
    level : {"overdue", "due", "coming", "stop", "hold", "watch"}
        ``coming`` within the next four weeks; ``stop``, ``hold`` and ``watch`` follow from signs and the exposure.
    on : date or None
        When it is due; ``None`` where it is not a matter of a date.
    """

    rule: str
    title: str
    level: Level
    on: date | None
    because: str
    action: str
    sources: tuple[str, ...]
    verification: str

    def to_json(self) -> dict[str, Any]:
        """As CLI and screens show it."""
        return {
            "rule": self.rule,
            "title": self.title,
            "level": self.level,
            "on": None if self.on is None else self.on.isoformat(),
            "because": self.because,
            "action": self.action,
            "sources": list(self.sources),
            "verification": self.verification,
        }


def by_signs(rules: Surveillance, signs: Signs) -> list[Due]:
    """What the signs call for."""
    liver = [item for line in rules.liver if (item := _liver(line, signs)) is not None]
    stops = [item for item in liver if item.level == "stop"]
    # Where one line stops already, what another one still asks changes nothing.
    found = stops or liver
    for line in rules.signs:
        if _holds(line, signs):
            value = getattr(signs, line.sign)
            said = line.title if value is True else f"{line.title}: {value:g}"
            found.append(_due(line, line.level, said, line.action))
    pair = rules.pair
    present = {
        "urinary-symptoms": signs.urinary_symptoms is True,
        "raised-ggt": signs.ggt_xULN is not None and signs.ggt_xULN > 1,
        "missed-urine-drug-screen": signs.urine_drug_screen_missed is True,
    }
    there = [sign.replace("-", " ") for sign in pair.signs if present[sign]]
    if len(there) >= 2:
        found.append(_due(pair, "hold", " and ".join(there), "Review before the next dose"))
    return found


def missing_signs(signs: Signs, rules: Surveillance | None = None) -> list[dict[str, str]]:
    """The rules on signs that could not be judged, with what was not asked: nothing is passed over in silence.

    Examples
    --------
    >>> labs = Signs(alt_xULN=1, ast_xULN=1, bilirubin_xULN=1, ggt_xULN=1)
    >>> [(item["rule"], item["input"]) for item in missing_signs(labs)][:2]
    [('AE-LIV', 'liver_symptoms'), ('AE-URO', 'urinary_symptoms')]
    """
    used = rules or surveillance()
    found: dict[tuple[str, str], None] = {}
    for line in used.liver:
        names = ["alt_xULN", "ast_xULN"]
        names += ["bilirubin_xULN"] if line.bilirubin_xULN is not None else []
        names += ["liver_symptoms"] if line.with_symptoms else []
        found |= {(line.id, name): None for name in names if getattr(signs, name) is None}
    found |= {(line.id, line.sign): None for line in used.signs if getattr(signs, line.sign) is None}
    for name in ("urinary_symptoms", "ggt_xULN", "urine_drug_screen_missed"):
        if getattr(signs, name) is None:
            found[(used.pair.id, name)] = None
    return [{"rule": rule, "input": name, "why": "not asked"} for rule, name in found]


def _holds(line: SignLine, signs: Signs) -> bool:
    value = getattr(signs, line.sign)
    if value is None:
        return False
    return value is True if line.at_least_score is None else value >= line.at_least_score


def _liver(line: LiverLine, signs: Signs) -> Due | None:
    highest = max((value for value in (signs.alt_xULN, signs.ast_xULN) if value is not None), default=None)
    if highest is None or highest < line.transaminase_xULN:
        return None
    enzymes = f"ALT or AST {highest:g} times the upper limit"
    if line.bilirubin_xULN is not None:
        if signs.bilirubin_xULN is None:
            return _due(line, "hold", f"{enzymes}, bilirubin not known", "Measure bilirubin before the next dose")
        if signs.bilirubin_xULN < line.bilirubin_xULN:
            return None
        enzymes = f"ALT or AST {highest:g} and bilirubin {signs.bilirubin_xULN:g} times the upper limit"
    elif line.with_symptoms:
        if signs.liver_symptoms is None:
            return _due(line, "hold", f"{enzymes}, symptoms not asked", "Ask for rash, fever, jaundice and pain")
        if not signs.liver_symptoms:
            return None
        enzymes += ", with rash, fever, jaundice or pain"
    elif highest <= line.transaminase_xULN:
        return None
    return _due(line, "stop", enzymes, "Stop, and refer")


def _due(line: Any, level: Level, because: str, action: str) -> Due:
    return Due(line.id, line.title, level, None, because, action, line.sources, line.verification.value)
