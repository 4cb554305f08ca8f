"""The words a questionnaire is asked in: shipped with their licence, or the clinic's own, or a file that is no use."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from limen.clinic.audit.act import acting
from limen.clinic.courses.models import Course

pytestmark = pytest.mark.django_db

OWN = """instrument: CADSS-6
language: en
right: "Permission number 17"
stem: At this time
items: [One thing, Another thing, A third thing, A fourth thing, A fifth thing, A sixth thing]
options: [Never seen, Slightly, Moderately, Considerably, Extremely]
"""


@pytest.fixture
def course(clinic, patient) -> Course:
    with acting(by="test", action="test", site=clinic.site):
        return Course.objects.create(
            patient=patient, indication="trd", product="racemic", route="iv", setting="clinic", protocol="TRD-IV"
        )


@pytest.fixture
def texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIMEN_HOME", str(tmp_path))
    folder = tmp_path / "texts"
    folder.mkdir()
    return folder


def asked(clinic, course, name: str) -> str:
    nurse = Client()
    nurse.force_login(clinic.nurse)
    return nurse.get(reverse("outcomes:questionnaire", args=[course.pk, name])).content.decode()


def test_shipped_words_stand_with_their_licence(clinic, course, texts: Path) -> None:
    page = asked(clinic, course, "AUDIT-C")
    assert "in the public domain (SAMHSA" in page
    # Each question has its own answers.
    assert (page.count("Monthly or less"), page.count("Less than monthly"), page.count("10 or more")) == (1, 1, 1)
    assert "The words are not held here" not in page


def test_a_clinics_own_words_are_asked_once_they_are_there(clinic, course, texts: Path) -> None:
    assert "The words are not held here" in asked(clinic, course, "CADSS-6")
    (texts / "cadss-6.yaml").write_text(OWN, encoding="utf-8")
    page = asked(clinic, course, "CADSS-6")
    assert "The words are not held here" not in page
    assert ("Permission number 17" in page, page.count("Never seen")) == (True, 6)
    nurse = Client()
    nurse.force_login(clinic.nurse)
    address = reverse("outcomes:questionnaire", args=[course.pk, "CADSS-6"])
    posted = {"phase": "baseline", **{f"item{number}": "1" for number in range(1, 7)}}
    answered = nurse.post(address, posted, follow=True).content.decode()
    assert re.search(r"A sixth thing.*Slightly", answered, re.S)
    # The total is 6 of 24, as without words.
    assert '6<span class="u">&nbsp;of 24</span>' in answered


def test_a_text_that_cannot_be_used_is_said_and_the_numbers_stay(clinic, course, texts: Path) -> None:
    (texts / "cadss-6.yaml").write_text(OWN.replace(", A sixth thing", ""), encoding="utf-8")
    page = asked(clinic, course, "CADSS-6")
    assert "cannot be used: cadss-6.yaml CADSS-6: wording needs 6 items, has 5" in page
    assert "Question 6" in page
