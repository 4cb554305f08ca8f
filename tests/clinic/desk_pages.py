"""Every page of the desk as it comes from the clinic, in the states met there: empty, filled, refused, out of date."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import Resolver404, reverse

from clinic.orders import planned
from clinic.people import PASSWORD, Clinic
from clinic.well import answer_everything
from limen.clinic.courses.actions import open_course
from limen.clinic.emergency.actions import start_emergency
from limen.clinic.patients.actions import (
    mark_history_taken,
    record_allergies,
    record_condition,
    record_facts,
    record_medication,
    record_trial,
    register_patient,
)
from limen.clinic.patients.models import BundleImport, ConditionRecord, Fact, MedicationRecord, Patient, TrialRecord
from limen.clinic.sessions.actions import start_session
from limen.clinic.sites.proposing import propose_dosing
from limen.clinic.stock.actions import draw, receive
from limen.clinic.web.refusals import unanswered
from limen.clinic.web.views import failed

# What no person opens as a page of the desk: answers to programs, files, acts that end on a page that is here, and what
# the pages of the room are tried for elsewhere (tests/browser).
NOT_HERE = {
    "programs": {"healthz", "calls:here", "calls:accept", "emergency:act", "emergency:ready"},
    "files": {"courses:figure_file", "courses:figures_pdf", "notes:pdf", "notes:rems_pdf", "notes:take_home_pdf"}
    | {"patients:import_bundle", "mfa_download_recovery_codes", "sessions:export", "sessions:openapi"},
    "acts": {"account_logout", "courses:override", "courses:override_plan", "courses:screen", "choose_site", "home"}
    | {"outcomes:close", "patients:trials_asked", "sites:remove_stock"},
    "parts of a page": {"calls:trial"},
    "needs a key in the hand": {"mfa_edit_webauthn", "mfa_remove_webauthn", "mfa_reauthenticate_webauthn"},
}
ROOM = ("sessions:", "notes:")


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def desk_pages(clinic: Clinic, patient: Patient) -> dict[str, HttpResponse]:
    """Each page by a name for the state it is in."""
    nurse, person, director = (client_of(who) for who in (clinic.nurse, clinic.prescriber, clinic.director))
    return (
        _doors(clinic, person)
        | _charts(clinic, patient, person)
        | _course(clinic, patient, person, director)
        | _site(clinic, person, director)
        | _session(clinic, nurse, person)
        | _trouble(person)
    )


def _doors(clinic: Clinic, person: Client) -> dict[str, HttpResponse]:
    """Signing in, and one's own account with and without a second factor."""
    found = {
        "home": person.get("/", follow=True),
        "sign-in": Client().get(reverse("account_login")),
        "sign-in refused": Client().post(reverse("account_login"), {"login": "nobody", "password": "nothing"}),
        "inactive": Client().get(reverse("account_inactive")),
        "password": person.get(reverse("account_change_password")),
        "password, refused": person.post(reverse("account_change_password"), {"oldpassword": "x"}),
        "reauthenticate": person.get(reverse("account_reauthenticate")),
        "second factors, none": person.get(reverse("mfa_index")),
    }
    person.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    found["second factor, set up"] = person.get(reverse("mfa_activate_totp"))
    found["passkeys, none"] = person.get(reverse("mfa_list_webauthn"))
    found["passkey, add"] = person.get(reverse("mfa_add_webauthn"))
    TOTP.activate(clinic.pharmacist, generate_totp_secret())
    RecoveryCodes.activate(clinic.pharmacist)
    assert Authenticator.objects.filter(user=clinic.pharmacist).count() == 2
    half = Client()
    half.post(reverse("account_login"), {"login": clinic.pharmacist.username, "password": PASSWORD})
    found["second factor, asked"] = half.get(reverse("mfa_authenticate"))
    other = client_of(clinic.pharmacist)
    other.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    found["second factors"] = other.get(reverse("mfa_index"))
    found["second factor, again"] = other.get(reverse("mfa_reauthenticate"))
    for name in ("mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_generate_recovery_codes"):
        found[name] = other.get(reverse(name))
    return found


def _charts(clinic: Clinic, patient: Patient, person: Client) -> dict[str, HttpResponse]:
    """Patients, referrals, charts: empty first, then with something of everything."""
    chart, facts, tried = (reverse(f"patients:{name}", args=[patient.pk]) for name in ("detail", "facts", "trials"))
    found = {
        "patients": person.get(reverse("patients:list")),
        "patients, none found": person.get(reverse("patients:list"), {"q": "zzz"}),
        "register": person.get(reverse("patients:register")),
        "register, refused": person.post(reverse("patients:register"), {"mrn": ""}),
        "import": person.get(reverse("patients:import")),
        "chart, empty": person.get(chart),
        "trials, none": person.get(tried),
        "facts": person.get(facts),
        "facts, refused": person.post(facts, {"group": "vitals", "vitals.sbp_mmHg": "1480", "vitals.dbp_mmHg": "92"}),
        "allergies, refused": person.post(facts, {"group": "allergies", "answer": "some"}),
        "trial, refused": person.post(tried, {"drug": "", "episode": "current"}),
    }
    who: dict[str, Any] = {"by": clinic.nurse, "patient": patient}
    record_condition(**who, text="Depression", code="F33.2", system="icd10")
    record_medication(**who, name="sertraline", dose="100 mg daily")
    record_allergies(**who, names=["Penicillin (rash)"])
    good: dict[str, Any] = {
        "dose_mg_per_day": 100.0,
        "weeks": 12.0,
        "adherence": "good",
        "response": "none",
        "episode": "current",
    }
    for trial in (
        good | {"drug": "Zoloft"},
        good | {"drug": "nortriptyline"},
        good | {"drug": "citalopram", "weeks": 2},
    ):
        record_trial(**who, trial=trial)
    record_facts(**who, values={"facts.adequate_trials_failed": 4, "patient.weight_kg": 104, "patient.height_cm": 165})
    mark_history_taken(**who, about="trials")
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": _REFERRED}]}
    sent = SimpleUploadedFile("referral.json", json.dumps(bundle).encode(), content_type="application/json")
    assert person.post(reverse("patients:import"), {"bundle": sent}).status_code == 302
    broken = SimpleUploadedFile("referral.json", b"{", content_type="application/json")
    found |= {
        "import, refused": person.post(reverse("patients:import"), {"bundle": broken}),
        "import, report": person.get(reverse("patients:import_result", args=[BundleImport.objects.get().pk])),
        "chart": person.get(chart),
        "trials": person.get(tried),
        "correct a trial": person.get(reverse("patients:correct_trial", args=[TrialRecord.objects.all()[0].pk])),
        "correct a fact": person.get(reverse("patients:correct", args=[Fact.objects.filter(patient=patient)[0].pk])),
    }
    for kind, model in (("condition", ConditionRecord), ("medication", MedicationRecord), ("trial", TrialRecord)):
        row = model.objects.filter(patient=patient)[0]
        found[f"take back a {kind}"] = person.post(reverse(f"patients:retract_{kind}", args=[row.pk]), {"reason": ""})
    return found


_REFERRED = {
    "resourceType": "Patient",
    "id": "p",
    "identifier": [{"value": "REF-8", "type": {"coding": [{"code": "MR"}]}}],
    "name": [{"family": "Moreau", "given": ["Lea"]}],
    "gender": "female",
    "birthDate": "1979-05-04",
}


def _course(clinic: Clinic, patient: Patient, person: Client, director: Client) -> dict[str, HttpResponse]:
    """From the opening of a course to its answers: not screened, screened, planned, out of date."""
    course = open_course(
        by=clinic.prescriber, patient=patient, indication="trd", product="racemic", route="iv", protocol="TRD-IV"
    )
    record_facts(by=clinic.nurse, patient=patient, values={"vitals.sbp_mmHg": 148, "vitals.dbp_mmHg": 92})
    screening, plan = reverse("courses:screening", args=[course.pk]), reverse("courses:plan", args=[course.pk])
    consent = reverse("patients:consent", args=[course.pk])
    found = {
        "open a course": person.get(reverse("courses:open", args=[patient.pk])),
        "not yet screened": person.get(screening),
        "no plan yet": person.get(plan),
        "consent": person.get(consent),
        "consent, refused": person.post(consent, {"act": "give"}),
    }
    person.post(reverse("courses:screen", args=[course.pk]))
    found["screening"] = director.get(screening)
    asked = {"protocol": "TRD-IV", "dose_text": "0.75 mg/kg iv over 40 min", "concentration_mg_per_mL": "50"}
    assert person.post(plan, asked).status_code == 302
    found["plan, blocked"] = person.get(plan)
    made = course.plans.order_by("-created_at").first()
    assert made is not None
    found["plan, not signed"] = person.post(reverse("courses:sign", args=[made.pk]))
    found["figures"] = person.get(reverse("courses:figures", args=[made.pk]))
    found["figure, published"] = person.get(reverse("courses:figure", args=[made.pk, "check"]))
    found["figure, window"] = person.get(reverse("courses:figure", args=[made.pk, "attainment"]))
    asking = reverse("outcomes:questionnaire", args=[course.pk, "PHQ-9"])
    found["questionnaire"] = person.get(asking)
    found["questionnaire, nothing answered"] = person.post(asking, {"phase": "baseline"}, follow=True)
    found["choose a scale"] = person.get(reverse("outcomes:choose", args=[course.pk]))
    answers = {"phase": "baseline"} | {f"item{number}": "1" for number in range(1, 10)}
    found["answers, one of them a task"] = person.post(asking, answers, follow=True)
    found["screening, out of date"] = person.get(screening)
    found["plan, out of date"] = person.get(plan)
    found["course"] = person.get(reverse("courses:detail", args=[course.pk]))
    found["tasks"] = person.get(reverse("outcomes:tasks"))
    answer_everything(clinic, patient)
    person.post(reverse("courses:screen", args=[course.pk]))
    assert person.post(plan, asked | {"dose_text": "0.5 mg/kg iv over 40 min"}).status_code == 302
    found["plan, to be signed"] = person.get(plan)
    return found


def _site(clinic: Clinic, person: Client, director: Client) -> dict[str, HttpResponse]:
    """Orders, dosing settings, alarms, stock and the trail."""
    limit = {"name": "thirty here", "kind": "cap", "measure": "dose", "limit": 30, "unit": "mg", "why": "One nurse"}
    found = {
        "denied": person.get(reverse("audit:list")),
        "audit": director.get(reverse("audit:list")),
        "standing orders": person.get(reverse("sites:orders")),
        "standing order, refused": director.post(reverse("sites:sign", args=["adrenaline-anaphylaxis"]), {}),
        "standing order, not withdrawn": director.post(reverse("sites:withdraw", args=["adrenaline-anaphylaxis"]), {}),
        "rescue stock, refused": director.post(reverse("sites:stock"), {}),
        "dosing settings, none": person.get(reverse("sites:dosing")),
        "dosing settings, form": director.get(reverse("sites:propose_dosing")),
        "dosing settings, refused": director.post(reverse("sites:propose_dosing"), _empty_proposal()),
        "alarm budget": person.get(reverse("calls:budget")),
        "alarm budget, other limits": person.get(reverse("calls:budget"), {"SPO2-low": "88"}),
    }
    propose_dosing(by=clinic.director, site=clinic.site, dosing={"limits": [limit]}, why="One nurse on the floor")
    found["dosing settings, proposed"] = director.get(reverse("sites:dosing"))
    found["dosing settings, not signed"] = director.post(reverse("sites:sign_dosing"), {"number": "9", "digest": "x"})
    found["dosing settings, not dropped"] = director.post(reverse("sites:drop_dosing"), {"number": "1", "why": ""})
    keeper = client_of(clinic.pharmacist)
    label = {
        "product": "racemic",
        "strength_mg_per_mL": "50",
        "volume_mL": "10",
        "lot": "6K114",
        "expiry": date(2099, 3, 31),
    }
    found["stock, empty"] = keeper.get(reverse("stock:ledger"))
    made = receive(by=clinic.pharmacist, site=clinic.site, label="HK2-0931", key="r1", **label)
    vial = [made.vial.pk]
    found |= {
        "stock": keeper.get(reverse("stock:ledger")),
        "stock, receive": keeper.get(reverse("stock:receive")),
        "stock, receive, refused": keeper.post(reverse("stock:receive"), {}),
        "stock, book": keeper.get(reverse("stock:book")),
        "stock, check": keeper.get(reverse("stock:check")),
        "stock, vial": keeper.get(reverse("stock:vial", args=vial)),
        "stock, count": keeper.get(reverse("stock:count", args=vial)),
        "stock, count, refused": keeper.post(reverse("stock:count", args=vial), {}),
        "stock, vial, refused": keeper.post(reverse("stock:vial_act", args=[*vial, "lose"]), {}),
    }
    return found


def _empty_proposal() -> dict[str, str]:
    return {"limits-TOTAL_FORMS": "1", "limits-INITIAL_FORMS": "0", "limits-0-name": "thirty here", "syringe_mL": "50"}


def _session(clinic: Clinic, nurse: Client, person: Client) -> dict[str, HttpResponse]:
    """What the desk shows of a session: its drug, its alarms, its papers."""
    other = register_patient(
        by=clinic.nurse,
        site=clinic.site,
        mrn="H-1002",
        family_name="Brandt",
        given_name="Ole",
        birth_date=date(1979, 7, 1),
        sex="male",
    )
    session = planned(clinic, other)
    vial = receive(
        by=clinic.pharmacist,
        site=clinic.site,
        label="HK2-0932",
        key="r2",
        product="racemic",
        strength_mg_per_mL="50",
        volume_mL="10",
        lot="6K114",
        expiry=date(2099, 3, 31),
    ).vial
    found = {
        "emergency sheet": person.get(reverse("sites:emergency_sheet", args=[session.pk])),
        "drug of a session, none": nurse.get(reverse("stock:session", args=[session.pk])),
    }
    draw(by=clinic.nurse, session=session, vial=vial, amount_mg="50.0", witness=clinic.second_nurse, key="d1")
    start_session(by=clinic.nurse, session=session)
    session.refresh_from_db()
    emergency = start_emergency(by=clinic.nurse, site=clinic.site, session=session, key="e1")
    found |= {
        "drug of a session": nurse.get(reverse("stock:session", args=[session.pk])),
        "drug of a session, refused": nurse.post(reverse("stock:session_act", args=[session.pk, "waste"]), {}),
        "alarm log": nurse.get(reverse("calls:log", args=[session.pk])),
        "emergency, on paper": nurse.get(reverse("emergency:paper", args=[emergency.pk])),
    }
    return found


def _trouble(person: Client) -> dict[str, HttpResponse]:
    """What stands where there is no page."""
    request = RequestFactory().get("/")
    return {
        "not found": person.get("/nowhere/"),
        "not found, signed out": Client().get("/nowhere/"),
        "failed": failed(request),
        "the database did not answer": unanswered(request, OperationalError("locked")),
    }


def visited(pages: dict[str, HttpResponse]) -> set[str]:
    """The names of the addresses that the pages came from."""
    return {name for page in pages.values() if (name := view_name(page))}


def view_name(page: HttpResponse) -> str:
    """The name of a page's address; nothing where there is none."""
    match = getattr(page, "resolver_match", None)
    try:
        return match.view_name if match is not None else ""
    except Resolver404:  # it is looked up when it is asked for
        return ""
