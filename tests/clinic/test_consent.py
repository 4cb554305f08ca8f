"""Consent to a course in the clinic: signed against words, asked again when it lapses or they change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from clinic.people import Clinic
from clinic.well import answer_everything
from limen.care.consent import ConsentForm
from limen.care.screening import screen
from limen.clinic.accounts.policy import DeniedError
from limen.clinic.audit.models import AuditEntry
from limen.clinic.courses.actions import open_course, run_screening
from limen.clinic.courses.cases import case_of
from limen.clinic.courses.models import Course
from limen.clinic.patients import consent_queries
from limen.clinic.patients.actions import record_facts
from limen.clinic.patients.consents import record_consent, withdraw_consent
from limen.clinic.patients.models import ConsentRecord, Patient
from limen.clinic.sites.zones import today
from limen.errors import InputError, RefusedError

KEY = "facts.consent_signed"


@pytest.fixture
def course(clinic: Clinic, patient: Patient) -> Course:
    answer_everything(clinic, patient)
    return open_course(
        by=clinic.prescriber, patient=patient, indication="trd", product="racemic", route="iv", protocol="TRD-IV"
    )


def words(course: Course) -> ConsentForm:
    return consent_queries.form_of(course)


def sign(clinic: Clinic, course: Course, **change: Any) -> ConsentRecord:
    form = words(course)
    given = {"version": form.version, "ticked": [item.id for item in form.items], "signed_name": "Ada North"}
    return record_consent(by=clinic.nurse, course=course, **given | change)


def why(course: Course, **day: Any) -> list[str]:
    return [item.why for item in screen(case_of(course, **day)).missing if item.input == KEY]


def test_a_consent_is_kept_with_the_words_that_were_read(clinic: Clinic, course: Course) -> None:
    row = sign(clinic, course, interpreter="B. Okafor")
    assert (row.version, row.kind) == (words(course).version, "given")
    assert [item["text"] for item in row.said] == [item.text for item in words(course).items]
    entry = AuditEntry.objects.get(action="patients.record_consent")
    assert entry.actor == clinic.nurse.username
    assert case_of(course).value(KEY) is True


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ticked": ["CON-01"]}, "not gone through"),
        ({"signed_name": "  "}, "nobody signed"),
    ],
)
def test_half_a_consent_is_none(clinic: Clinic, course: Course, change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        sign(clinic, course, **change)
    assert not ConsentRecord.objects.exists()


def test_words_that_changed_under_the_page_are_refused(clinic: Clinic, course: Course) -> None:
    with pytest.raises(RefusedError, match="have changed since this page"):
        sign(clinic, course, version="0-old")


def test_a_pharmacist_records_none(clinic: Clinic, course: Course) -> None:
    form = words(course)
    with pytest.raises(DeniedError):
        record_consent(
            by=clinic.pharmacist,
            course=course,
            version=form.version,
            ticked=[item.id for item in form.items],
            signed_name="Ada North",
        )


def test_an_old_consent_asks_again_and_a_value_by_hand_does_not_revive_it(clinic: Clinic, course: Course) -> None:
    sign(clinic, course)
    late = today(course.site) + timedelta(days=words(course).expires_after_days + 1)
    record_facts(by=clinic.nurse, patient=course.patient, values={KEY: True})
    (reason,) = why(course, on=late)
    assert "ask again" in reason
    assert why(course) == []


def test_changed_words_ask_again(clinic: Clinic, course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    sign(clinic, course)
    from limen.care import consent
    from limen.knowledge.consent import consent_checklist

    known = consent_checklist()
    first = known.items[0]
    other = first.model_copy(update={"texts": (first.texts[0].model_copy(update={"text": "Other words."}),)})
    changed = known.model_copy(update={"items": (other, *known.items[1:])})
    monkeypatch.setattr(consent, "consent_checklist", lambda: changed)
    (reason,) = why(course)
    assert reason.startswith("the words of CON-01 are new since")
    assert run_screening(by=clinic.nurse, course=course).verdict == "needs-data"


def test_a_withdrawn_consent_blocks(clinic: Clinic, course: Course) -> None:
    sign(clinic, course)
    withdraw_consent(by=clinic.nurse, course=course, reason="The patient changed her mind")
    row = run_screening(by=clinic.nurse, course=course)
    assert row.verdict == "excluded"
    assert "SEL-27" in {item["rule"] for item in row.result["findings"] if item["level"] == "block"}
    with pytest.raises(RefusedError, match="no consent to take back"):
        withdraw_consent(by=clinic.nurse, course=course, reason="once more")


def test_consent_is_of_one_course(clinic: Clinic, course: Course) -> None:
    sign(clinic, course)
    other = open_course(
        by=clinic.prescriber, patient=course.patient, indication="trd", product="racemic", route="im", protocol="TRD-IM"
    )
    assert consent_queries.records(other) == []


def test_the_database_refuses_to_change_it(clinic: Clinic, course: Course) -> None:
    row = sign(clinic, course)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE patients_consentrecord SET signed_name = 'another'")
    row.refresh_from_db()
    assert row.signed_name == "Ada North"


def test_the_page_signs_and_shows_what_is_missing(clinic: Clinic, course: Course, browser: Client) -> None:
    url = reverse("patients:consent", args=[course.pk])
    page = browser.get(url)
    assert "not given" in page.content.decode()
    form = words(course)
    given = {"act": "give", "version": form.version, "signed_name": "Ada North"}
    partly = browser.post(url, given | {"CON-01": "on"})
    assert partly.status_code == 400
    assert "not gone through" in partly.content.decode()
    done = browser.post(url, given | {item.id: "on" for item in form.items}, follow=True)
    assert "stands" in done.content.decode()
    assert consent_queries.standing_of(course, today(course.site)).stands
    taken = browser.post(url, {"act": "withdraw", "reason": "The patient changed her mind"}, follow=True)
    assert "withdrawn" in taken.content.decode()
