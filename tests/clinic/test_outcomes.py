"""Questionnaires: scored, kept whole, compared with a frozen baseline; a safety answer always reaches a person."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from limen.clinic.accounts.policy import DeniedError
from limen.clinic.audit.act import acting
from limen.clinic.courses.models import Course
from limen.clinic.outcomes.actions import close_task, record_questionnaire
from limen.clinic.outcomes.models import QuestionnaireResponse, Task
from limen.clinic.outcomes.queries import baseline_total, open_safety_tasks, open_tasks
from limen.clinic.patients.charts import trajectory
from limen.clinic.patients.models import Fact
from limen.errors import InputError, RefusedError
from limen.knowledge.instruments import instruments

pytestmark = pytest.mark.django_db

DAY = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def course(clinic, patient) -> Course:
    with acting(by="test", action="test", site=clinic.site):
        return Course.objects.create(
            patient=patient, indication="trd", product="racemic", route="iv", setting="clinic", protocol="TRD-IV"
        )


def record(clinic, course, items, *, at=DAY, phase="before", by=None) -> QuestionnaireResponse:
    return record_questionnaire(
        by=by or clinic.nurse, course=course, instrument="PHQ-9", phase=phase, answers={"items": items}, at=at
    )


def test_a_complete_answer_is_scored_and_becomes_a_dated_fact(clinic, course) -> None:
    response = record(clinic, course, [3, 3, 2, 2, 2, 2, 2, 2, 0])
    assert (response.result["total"], response.result["band"]) == (18, "moderately severe")
    fact = Fact.objects.get(kind="scores.PHQ-9")
    assert (fact.value, fact.effective_at) == (18, DAY)
    assert not Task.objects.exists()


def test_change_is_measured_from_the_last_complete_score_before_the_first_dose(clinic, course) -> None:
    record(clinic, course, [2] * 8 + [0], at=DAY - timedelta(days=3), phase="baseline")
    record(clinic, course, [3] * 6 + [1, 1, 0], at=DAY - timedelta(days=1), phase="baseline")
    later = record(clinic, course, [1] * 8 + [0], at=DAY + timedelta(days=7), phase="after")
    assert baseline_total(course, "PHQ-9") is not None
    assert later.result["change"]["pct"] == pytest.approx(-60.0)
    assert later.result["change"]["response"] is True


@pytest.mark.parametrize(
    ("item9", "action"),
    [
        (1, "cssrs-screener-and-clinician-review-before-dosing"),
        (2, "cssrs-screener-and-clinician-review-before-dosing"),
        (3, "urgent-clinician-alert-cssrs-screener-and-clinician-review-before-dosing"),
        (None, "safety-item-missing-ask-before-dosing"),
    ],
)
def test_item_nine_reaches_a_person_whatever_the_total(clinic, course, item9, action) -> None:
    record(clinic, course, [0] * 8 + [item9])
    task = open_tasks(clinic.site, roles=["prescriber"]).get()
    assert (task.because, task.kind) == (action, "safety-item")
    assert open_safety_tasks(course.patient).count() == 1


def test_a_missing_safety_item_leaves_no_total_and_no_fact(clinic, course) -> None:
    response = record(clinic, course, [1] * 8 + [None])
    assert response.result["total"] is None
    assert not Fact.objects.filter(kind="scores.PHQ-9").exists()


def test_only_a_prescriber_closes_a_safety_task_and_says_what_was_found(clinic, course) -> None:
    record(clinic, course, [0] * 8 + [1])
    task = Task.objects.get()
    with pytest.raises(RefusedError, match="prescriber"):
        close_task(by=clinic.nurse, task=task, outcome="spoke with the patient", at=DAY)
    with pytest.raises(InputError, match="what was found"):
        close_task(by=clinic.prescriber, task=task, outcome="ok", at=DAY)
    close_task(by=clinic.prescriber, task=task, outcome="Reviewed; passive thoughts, no plan.", at=DAY)
    task.refresh_from_db()
    assert (task.status, task.closed_by) == (Task.Status.DONE, clinic.prescriber)
    with pytest.raises(RefusedError, match="closed already"):
        close_task(by=clinic.prescriber, task=task, outcome="Reviewed once more today.", at=DAY)


@pytest.mark.parametrize("items", [[4] + [0] * 8, [0] * 8, [0] * 10, [1.5] + [0] * 8, ["2"] + [0] * 8])
def test_an_impossible_answer_is_refused_and_nothing_is_stored(clinic, course, items) -> None:
    with pytest.raises(InputError):
        record(clinic, course, items)
    assert not QuestionnaireResponse.objects.exists()
    assert not Fact.objects.exists()


def test_a_pharmacist_may_not_record(clinic, course) -> None:
    with pytest.raises(DeniedError):
        record(clinic, course, [0] * 9, by=clinic.pharmacist)


def test_the_trajectory_keeps_what_was_not_answered(clinic, course) -> None:
    record(clinic, course, [2] * 9)
    record(clinic, course, [1] * 5 + [None] * 4, at=DAY + timedelta(days=7))
    points = trajectory(course.patient, [])["points"]
    assert [(point["total"], point["status"]) for point in points] == [(18, "complete"), (None, "incomplete")]


def test_no_session_starts_while_a_safety_answer_waits(clinic, course) -> None:
    from limen.clinic.courses.models import Plan, ScreeningResult
    from limen.clinic.sessions.actions import start_session
    from limen.clinic.sessions.models import Session

    record(clinic, course, [0] * 8 + [1])
    with acting(by="test", action="test", site=clinic.site):
        screening = ScreeningResult.objects.create(
            course=course, case={}, result={}, verdict="eligible", knowledge_release="test", on=DAY.date()
        )
        plan = Plan.objects.create(course=course, screening=screening, protocol="TRD-IV", result={}, on=DAY.date())
        session = Session.objects.create(course=course, patient=course.patient, plan=plan, chair=clinic.chair, number=1)
    with pytest.raises(RefusedError, match="waits for a prescriber"):
        start_session(by=clinic.nurse, session=session)
    session.refresh_from_db()
    assert session.started_at is None


def test_the_questionnaire_by_page(clinic, course) -> None:
    """Nine numbered questions, nothing chosen; a safety answer is said first, and closed by whoever may."""
    nurse, prescriber, pharmacist = Client(), Client(), Client()
    nurse.force_login(clinic.nurse)
    prescriber.force_login(clinic.prescriber)
    pharmacist.force_login(clinic.pharmacist)
    address = reverse("outcomes:questionnaire", args=[course.pk, "PHQ-9"])
    asked = nurse.get(address).content.decode()
    items = re.search(r'<ol class="items">.*?</ol>', asked, re.S)[0]
    assert (items.count("<li>"), items.count('type="radio"'), items.count("checked")) == (9, 36, 0)
    answer = nurse.post(address, {"phase": "baseline"} | {f"item{n}": "1" for n in range(1, 10)}, follow=True)
    page = answer.content.decode()
    assert page.index("A person must look at this") < page.index("Answers, as given")
    assert '9<span class="u">&nbsp;of 27</span>' in page
    assert re.search(r"better off dead[^<]*<span class=\"u\">safety item", page)
    tasks = reverse("outcomes:tasks")
    assert "A prescriber closes this task." in nurse.get(tasks).content.decode()
    assert "Close this task" not in nurse.get(tasks).content.decode()
    assert "Close this task" in prescriber.get(tasks).content.decode()
    where = reverse("courses:detail", args=[course.pk])
    assert "Ask PHQ-9 now" in nurse.get(where).content.decode()
    assert "Ask PHQ-9 now" not in pharmacist.get(where).content.decode()


def test_every_scale_can_be_asked_by_page(clinic, course) -> None:
    """Words where they ship, numbers where they do not, the total alone where the items may not be held."""
    nurse = Client()
    nurse.force_login(clinic.nurse)
    listed = nurse.get(reverse("outcomes:choose", args=[course.pk])).content.decode()
    for name, scale in instruments().items():
        address = reverse("outcomes:questionnaire", args=[course.pk, name])
        assert (f'href="{address}"' in listed) == (scale.rule != "c-ssrs-triage"), name
        page = nurse.get(address).content.decode()
        assert ("The words are not held here" in page) == (scale.wording is None), name
        assert page.count("<li>") >= scale.item_count
        assert ('name="total"' in page) == (scale.items is None), name
        assert not re.search(r"<input[^>]*\schecked", page)


@pytest.mark.parametrize(
    ("name", "posted", "shown"),
    [
        ("DAST-10", {f"item{n}": "no" for n in range(1, 11)}, '1<span class="u">&nbsp;of 10</span>'),
        ("YMRS", {f"item{n}": "0.5" for n in range(1, 12)}, '5.5<span class="u">&nbsp;of 60</span>'),
        ("MoCA", {"total": "25"}, '25<span class="u">&nbsp;of 30</span>'),
        ("MOAA/S", {"item1": "4"}, '4<span class="u">&nbsp;of 5</span>'),
        ("PHQ-2", {"item1": "1", "item2": "2"}, '3<span class="u">&nbsp;of 6</span>'),
    ],
)
def test_scales_without_shipped_words_are_scored_by_page(clinic, course, name, posted, shown) -> None:
    nurse = Client()
    nurse.force_login(clinic.nurse)
    address = reverse("outcomes:questionnaire", args=[course.pk, name])
    page = nurse.post(address, {"phase": "baseline", **posted}, follow=True).content.decode()
    assert shown in page, page[page.index("<main") :]
    refused = nurse.post(address, {"phase": "baseline", "total": "999", "item1": "999"})
    assert refused.status_code == 400
