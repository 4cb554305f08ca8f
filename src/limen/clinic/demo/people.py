"""The invented patients of the demonstration: who they are and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class Person:
    """One invented patient.

    Attributes
    ----------
    phq9 : tuple of tuple of int
        Answers before each session, the first one the baseline.
    """

    mrn: str
    family_name: str
    given_name: str
    birth_date: date
    sex: str
    weight_kg: float
    height_cm: float
    pressure: tuple[int, int]
    conditions: tuple[tuple[str, str, str], ...] = (("F33.2", "icd10", "Recurrent major depression, severe"),)
    medications: tuple[tuple[str, str], ...] = (("sertraline", "100 mg daily"),)
    phq9: tuple[tuple[int, ...], ...] = ()
    known: Mapping[str, Any] = field(default_factory=dict)


# Answers that stay true for a course, and those asked on the day.
HISTORY: dict[str, Any] = {
    "facts.ketamine_allergy": False,
    "facts.pressure_rise_hazard": False,
    "facts.adequate_trials_failed": 3,
    "facts.asa_class": 2,
    "facts.consent_signed": True,
    "facts.breastfeeding": False,
    "facts.creatinine_urinalysis_done": True,
    "facts.ecg": "normal",
    "labs.alt_xULN": 0.6,
    "labs.ast_xULN": 0.5,
    "labs.bilirubin_xULN": 0.7,
    "labs.ggt_xULN": 0.8,
    "labs.tsh_mIU_per_L": 1.9,
    "scores.CADSS": None,
}
ON_THE_DAY: dict[str, Any] = {
    "facts.capacity": True,
    "facts.escort": True,
    "facts.will_drive": False,
    "facts.fasted_food_h": 8,
    "facts.fasted_clear_h": 3,
    "facts.urine_drug_screen": "negative",
    "facts.pdmp_checked": True,
    "facts.pdmp_concerns": False,
    "facts.pdmp_other_ketamine_prescribers": 0,
    "facts.intoxicated": False,
    "facts.urinary_symptoms": False,
    "scores.C-SSRS": {"q1": False, "q2": False, "q3": False, "q4": False, "q5": False, "q6": False},
    "scores.YMRS": 2,
    "vitals.hr_per_min": 72,
    "vitals.spo2_pct": 98,
    "vitals.rr_per_min": 14,
    "vitals.moaas": 5,
}

SEVERE = (3, 3, 3, 2, 2, 3, 2, 2, 0)
MODERATE = (2, 2, 2, 2, 1, 2, 1, 1, 0)
MILD = (1, 1, 1, 1, 1, 1, 1, 0, 0)
MINIMAL = (0, 1, 0, 1, 0, 0, 1, 0, 0)

LIVE = Person("20417", "Iversen", "Maren", date(1984, 2, 4), "female", 70.0, 168, (124, 78), phq9=(SEVERE,))
SECOND_LIVE = Person("20433", "Brandt", "Jonas", date(1979, 7, 19), "male", 81.5, 181, (131, 82), phq9=(SEVERE,))
IN_COURSE = Person(
    "20398",
    "Wrona",
    "Tomasz",
    date(1975, 3, 14),
    "male",
    84.0,
    178,
    (132, 84),
    phq9=(SEVERE, (3, 2, 3, 2, 2, 2, 2, 2, 0), MODERATE, (2, 1, 2, 1, 1, 1, 1, 1, 0)),
)
COMPLETED = Person(
    "20351",
    "Adeyemi",
    "Ruth",
    date(1988, 8, 22),
    "female",
    64.5,
    165,
    (118, 74),
    phq9=(SEVERE, SEVERE, MODERATE, MODERATE, MILD, MINIMAL),
)
TO_SIGN = Person("20441", "Moreau", "Elise", date(1991, 5, 30), "female", 58.0, 162, (116, 72), phq9=(SEVERE,))
HELD = Person("20446", "Petrov", "Ivan", date(1966, 11, 3), "male", 92.0, 176, (152, 94), phq9=(SEVERE,))
EXCLUDED = Person(
    "20450",
    "Sato",
    "Kenji",
    date(1995, 1, 17),
    "male",
    68.0,
    171,
    (122, 76),
    conditions=(("F33.2", "icd10", "Recurrent major depression, severe"), ("F20.9", "icd10", "Schizophrenia")),
    phq9=(SEVERE,),
)
SAFETY = Person(
    "20452", "Novak", "Lena", date(1998, 9, 9), "female", 61.0, 170, (114, 70), phq9=((3, 3, 2, 2, 2, 3, 2, 1, 1),)
)
