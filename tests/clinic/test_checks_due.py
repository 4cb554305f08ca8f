"""The chart says which checks repeated treatment calls for, from the sessions and the facts on record."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic.orders import planned
from limen.clinic.audit.act import acting
from limen.clinic.patients.actions import record_facts
from limen.clinic.patients.charts import sessions_of
from limen.clinic.patients.checks import checks_due
from limen.clinic.patients.queries import newest_facts
from limen.clinic.sessions.models import Session
from limen.clinic.sites.zones import today

pytestmark = pytest.mark.django_db


def treated(clinic, patient, *days_ago: int) -> None:
    for number, ago in enumerate(days_ago, start=1):
        session = planned(clinic, patient, number=number)
        began = timezone.now() - timedelta(days=ago)
        with acting(by="tests", action="tests.session", site=clinic.site):
            Session.objects.filter(pk=session.pk).update(started_at=began, status="discharged")


def rules(clinic, patient) -> dict[str, str]:
    found = checks_due(patient, sessions_of(patient), newest_facts(patient), today(clinic.site))
    return {item.rule: item.level for item in found}


def test_nothing_is_due_before_a_first_session(clinic, patient) -> None:
    assert rules(clinic, patient) == {}


def test_what_was_never_checked_is_overdue_and_recording_it_settles_it(clinic, patient) -> None:
    treated(clinic, patient, 40, 36, 33)
    before = rules(clinic, patient)
    assert before["BAS-12"] == "overdue"
    assert before["BAS-03"] == "overdue"
    record_facts(
        by=clinic.nurse,
        patient=patient,
        values={"facts.urinary_symptoms": False, "facts.creatinine_urinalysis_done": False},
    )
    after = rules(clinic, patient)
    assert after.get("BAS-12") in {None, "coming"}
    assert after["BAS-03"] == "overdue"


def test_a_liver_line_stops_and_the_chart_says_it_first(clinic, patient) -> None:
    treated(clinic, patient, 40, 36)
    record_facts(by=clinic.nurse, patient=patient, values={"labs.alt_xULN": 3.4, "labs.bilirubin_xULN": 2.2})
    assert rules(clinic, patient)["AE-LIV"] == "stop"
    browser = Client()
    browser.force_login(clinic.nurse)
    page = browser.get(reverse("patients:detail", args=[patient.pk])).content.decode()
    assert page.index("Stop: </b>Transaminases") < page.index("Overdue: </b>")
    assert "second-hand" in page
