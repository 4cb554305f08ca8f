"""Documents as the contract writes them; every test changes a copy."""

from __future__ import annotations

from typing import Any

PATIENT: dict[str, Any] = {
    "age_years": 42,
    "sex": "female",
    "weight_kg": 70,
    "weight_on": None,
    "height_cm": 168,
    "ancestry": None,
    "egfr_mL_per_min": None,
    "child_pugh": None,
}

# A referral on which every question was asked and nothing was found.
CASE: dict[str, Any] = {
    "patient": PATIENT,
    "indication": "trd",
    "product": "racemic",
    "route": "iv",
    "protocol": "TRD-IV",
    "setting": "clinic",
    "on": "2026-11-21",
    "conditions": [
        {"code": "F33.2", "system": "icd10", "text": "Recurrent depression, severe", "status": "active", "onset": None}
    ],
    "medications": [],
    "vitals": {
        "sbp_mmHg": 124,
        "dbp_mmHg": 76,
        "hr_per_min": 72,
        "spo2_pct": 98,
        "rr_per_min": 14,
        "temp_degC": 36.8,
        "moaas": 5,
        "taken_at": None,
        "repeats": [],
    },
    "labs": {
        "alt_xULN": 0.6,
        "ast_xULN": 0.5,
        "bilirubin_xULN": 0.5,
        "bilirubin_mg_per_dL": 0.6,
        "ggt_xULN": 0.4,
        "tsh_mIU_per_L": 1.8,
        "free_t4_xULN": 0.7,
        "lvef_pct": 60,
    },
    "labs_on": None,
    "scores": {
        "PHQ-9": 21,
        "MADRS": 32,
        "CADSS": 0,
        "YMRS": 3,
        "C-SSRS": {"q1": False, "q2": False, "q6": False},
    },
    "facts": {
        "pregnancy_test": "negative",
        "breastfeeding": False,
        "capacity": True,
        "consent_signed": True,
        "ketamine_allergy": False,
        "asa_class": 2,
        "escort": True,
        "will_drive": False,
        "fasted_food_h": 8,
        "fasted_clear_h": 3,
        "adequate_trials_failed": 3,
        "urine_drug_screen": "negative",
        "urine_drug_screen_text": None,
        "pdmp_checked": True,
        "pdmp_concerns": False,
        "pdmp_other_ketamine_prescribers": 0,
        "remission_months": None,
        "rems_site_certified": None,
        "rems_patient_enrolled": None,
        "session_number": 2,
        "sessions_done": 1,
        "ventilated": False,
    },
    "request": {
        "dose": "0.5 mg/kg iv over 40 min",
        "sessions": 6,
        "concentration_mg_per_mL": 50,
        "diluted": True,
        "quantity": None,
    },
}

BUNDLE: dict[str, Any] = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {
            "fullUrl": "urn:uuid:p1",
            "resource": {
                "resourceType": "Patient",
                "id": "p1",
                "birthDate": "1984-02-03",
                "gender": "female",
                "name": [{"family": "Reed", "given": ["Ida"]}],
            },
        },
        {
            "fullUrl": "urn:uuid:o1",
            "resource": {
                "resourceType": "Observation",
                "id": "o1",
                "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
                "subject": {"reference": "urn:uuid:p1"},
                "effectiveDateTime": "2026-11-20T09:00:00+00:00",
                "valueQuantity": {
                    "value": 70,
                    "unit": "kg",
                    "system": "http://unitsofmeasure.org",
                    "code": "kg",
                },
            },
        },
        {
            "fullUrl": "urn:uuid:c1",
            "resource": {
                "resourceType": "Condition",
                "id": "c1",
                "clinicalStatus": {
                    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]
                },
                "code": {
                    "coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "F33.2"}],
                    "text": "Recurrent depression, severe",
                },
                "subject": {"reference": "urn:uuid:p1"},
                "onsetDateTime": "2024-05-01",
            },
        },
    ],
}

# One hour: pump from minute 1 to 41, a symptom, an answer at the end.
SESSION: dict[str, Any] = {
    "schema": 1,
    "product_version": "0.1.0",
    "knowledge_release": "",
    "rules_snapshot": None,
    "session": {
        "protocol": "TRD-IV",
        "patient": PATIENT,
        "baseline": {"sbp_mmHg": 128, "dbp_mmHg": 78, "hr_per_min": 72, "spo2_pct": 98},
        "limits": None,
        "streams": {"SPO2": {"period_s": 1}},
    },
    "events": [
        {"t_s": 0, "kind": "session.started"},
        {"t_s": 60, "kind": "infusion.started", "dose_mg": 35, "duration_min": 40, "route": "iv"},
    ],
    "samples": [{"t_s": t_s, "signal": "SPO2", "value": 97, "device": "replay"} for t_s in range(120)],
}
