"""Which facts stand together on the entry page. Every known fact stands somewhere."""

from __future__ import annotations

from dataclasses import dataclass

from limen.knowledge.inputs import inputs

ON_THE_PATIENT = frozenset({"patient.birth_date", "patient.sex", "patient.age_years"})
COUNTED = frozenset({"facts.session_number", "facts.sessions_done"})
C_SSRS = "scores.C-SSRS"


@dataclass(frozen=True, slots=True)
class FactGroup:
    """Facts that are asked or measured in one go."""

    id: str
    title: str
    note: str
    keys: tuple[str, ...]


_FIRST = (
    FactGroup(
        "consent", "Consent", "Signed for this treatment, by a person able to decide today.",
        ("facts.consent_signed", "facts.capacity"),
    ),
    FactGroup(
        "vitals", "Vital signs", "Measured today, at rest. A pressure is two numbers.",
        (
            "vitals.sbp_mmHg", "vitals.dbp_mmHg", "vitals.hr_per_min", "vitals.spo2_pct", "vitals.rr_per_min",
            "vitals.temp_degC", "vitals.moaas",
        ),
    ),
    FactGroup("body", "Body", "Weight decides the dose: on a scale, not from memory.", (
        "patient.weight_kg", "patient.height_cm",
    )),
    FactGroup("today", "Today", "Asked on the day of treatment.", (
        "facts.fasted_food_h", "facts.last_meal", "facts.fasted_clear_h", "facts.escort", "facts.will_drive",
        "facts.intoxicated", "facts.pregnancy_test", "facts.breastfeeding",
    )),
    FactGroup("trials", "Earlier treatment", "What has been tried, long and strong enough, without enough effect.", (
        "facts.adequate_trials_failed", "facts.remission_months", "facts.therapy_programme",
    )),
    FactGroup(
        "c-ssrs", "C-SSRS screener",
        "Asked by a trained person, this visit, in the words of the licensed form: these are its topics only. "
        "3 to 5 are asked when 2 is yes, 6 recent when 6 is yes.",
        (C_SSRS,),
    ),
    FactGroup("safety", "Safety checks", "", (
        "facts.ketamine_allergy", "facts.asa_class", "facts.urine_drug_screen", "facts.urine_drug_screen_text",
        "facts.urine_drug_screen_explained", "facts.pdmp_checked", "facts.pdmp_concerns",
        "facts.pdmp_other_ketamine_prescribers", "facts.urinary_symptoms", "facts.creatinine_urinalysis_done",
        "facts.ecg", "facts.benzodiazepine_lorazepam_mg", "facts.suicide_evaluation_recorded", "facts.ventilated",
    )),
)  # fmt: skip


def fact_groups() -> tuple[FactGroup, ...]:
    """The groups in the order of the work, and whatever is left over by kind at the end."""
    used = {key for group in _FIRST for key in group.keys} | ON_THE_PATIENT | COUNTED
    known = inputs()
    first = tuple(
        FactGroup(group.id, group.title, group.note, tuple(key for key in group.keys if key in known))
        for group in _FIRST
    )
    rest = [key for key in known if key not in used]
    return (
        *first,
        FactGroup("labs", "Laboratory", "As multiples of the upper limit of normal where it says so.", tuple(
            key for key in rest if key.startswith(("labs.", "patient."))
        )),
        FactGroup("scores", "Scores given by a clinician", "Questionnaires have their own page.", tuple(
            key for key in rest if key.startswith("scores.")
        )),
        FactGroup("letters", "Letters and reviews", "", tuple(
            key for key in rest if key.startswith(("facts.", "vitals."))
        )),
    )  # fmt: skip
