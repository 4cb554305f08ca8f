"""A full chart, as a patient with a long history has it: what the works on decisions are measured with."""

from __future__ import annotations

from typing import Any

CONDITIONS = (
    ("F33.2", "Major depressive disorder, recurrent severe without psychotic features"),
    ("F41.1", "Generalised anxiety disorder"),
    ("F43.12", "Post-traumatic stress disorder, chronic"),
    ("I10", "Essential hypertension"),
    ("E03.9", "Hypothyroidism"),
    ("E11.9", "Type 2 diabetes mellitus"),
    ("E78.5", "Hyperlipidaemia"),
    ("G47.33", "Obstructive sleep apnoea"),
    ("G43.709", "Chronic migraine without aura"),
    ("J45.909", "Asthma, uncomplicated"),
    ("K21.9", "Gastro-oesophageal reflux"),
    ("M54.50", "Low back pain"),
    ("N39.46", "Mixed incontinence"),
    ("Z87.891", "Personal history of nicotine dependence"),
    ("R51.9", "Headache"),
)
MEDICATIONS = (
    "sertraline", "bupropion", "lamotrigine", "lorazepam", "levothyroxine", "lisinopril", "metoprolol", "metformin",
    "atorvastatin", "omeprazole", "salbutamol", "sumatriptan", "gabapentin", "naproxen", "vitamin d",
)  # fmt: skip
FULL: dict[str, Any] = {
    "on": "2026-11-21",
    "indication": "trd",
    "product": "racemic",
    "route": "iv",
    "protocol": "TRD-IV",
    "setting": "clinic",
    "patient": {"age_years": 58, "sex": "female", "weight_kg": 92, "height_cm": 168, "egfr_mL_per_min": 74},
    "conditions": [{"code": code, "system": "icd10", "text": text, "status": "active"} for code, text in CONDITIONS],
    "medications": [{"name": name, "last_taken_h": 8} for name in MEDICATIONS],
    "vitals": {
        "sbp_mmHg": 138, "dbp_mmHg": 86, "hr_per_min": 78, "spo2_pct": 97, "rr_per_min": 14, "temp_degC": 36.7,
        "moaas": 5, "repeats": [{"at_min": 15, "sbp_mmHg": 136, "dbp_mmHg": 84}],
    },
    "labs": {
        "alt_xULN": 0.6, "ast_xULN": 0.5, "bilirubin_xULN": 0.5, "ggt_xULN": 0.9, "tsh_mIU_per_L": 1.8,
        "free_t4_xULN": 0.8, "lvef_pct": 62,
    },
    "scores": {
        "PHQ-9": 21, "MADRS": 32, "GAD-7": 14, "YMRS": 3, "CADSS": 0, "MoCA": 28, "AUDIT-C": 1, "DAST-10": 1,
        "C-SSRS": {"q1": False, "q2": False, "q6": False},
    },
    "facts": {
        "pregnancy_test": "not-applicable", "breastfeeding": False, "capacity": True, "consent_signed": True,
        "ketamine_allergy": False, "asa_class": 2, "escort": True, "will_drive": False, "fasted_food_h": 8,
        "fasted_clear_h": 3, "adequate_trials_failed": 3, "urine_drug_screen": "negative", "pdmp_checked": True,
        "pdmp_concerns": False, "pdmp_other_ketamine_prescribers": 0, "session_number": 4,
    },
    "request": {"dose": "0.5 mg/kg iv over 40 min", "concentration_mg_per_mL": 50, "diluted": True},
}  # fmt: skip
"""Fifteen problems, fifteen drugs, every vital sign and seven scores: a ``CASE`` of the contracts."""
