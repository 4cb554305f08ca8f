"""What a patient is told before a course, and when a consent asks again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from limen.care.case import INDICATIONS, PRODUCTS, SETTINGS
from limen.care.consent import Given, consent_form, standing
from limen.errors import InputError
from limen.knowledge.consent import consent_checklist

ON = date(2026, 11, 22)
FORM = consent_form("trd", "racemic", "iv", "clinic")
GIVEN = Given(FORM.version, ON, FORM.digests)
# The eighteen headings of the clinical reference.
HEADINGS = {f"CON-{number:02}" for number in range(1, 19)}


def said(heading: str, indication: str, product: str, setting: str = "clinic") -> str:
    form = consent_form(indication, product, None, setting)
    return next(item.text for item in form.items if item.id == heading)


def test_every_heading_of_the_reference_is_asked_in_the_clinic() -> None:
    assert {item.id for item in FORM.items} == HEADINGS


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("indication", INDICATIONS)
def test_every_course_has_words_for_every_heading(indication: str, product: str, setting: str) -> None:
    form = consent_form(indication, product, None, setting)
    at_home = {"CON-19"} if setting == "home" else set()
    without_escort = set() if setting in ("clinic", "home") else {"CON-10"}
    assert {item.id for item in form.items} == (HEADINGS | at_home) - without_escort
    assert all(item.text and item.sources for item in form.items)


@pytest.mark.parametrize(
    ("indication", "product", "off_label"),
    [
        ("trd", "racemic", True),
        ("trd", "s-ketamine", True),
        ("trd", "esketamine-nasal", False),
        ("mdd-suicidality", "esketamine-nasal", False),
        ("ptsd", "esketamine-nasal", True),
        ("anaesthesia", "racemic", False),
        ("crps", "racemic", True),
    ],
)
def test_what_is_off_label_is_said_so(indication: str, product: str, off_label: bool) -> None:
    assert ("off label" in said("CON-02", indication, product)) is off_label


def test_product_and_indication_have_their_own_words() -> None:
    assert "electroconvulsive" in said("CON-05", "trd", "racemic")
    assert "electroconvulsive" not in said("CON-05", "crps", "racemic")
    assert "Do not breastfeed" in said("CON-08", "trd", "esketamine-nasal")
    assert "cost" in said("CON-04", "trd", "racemic")


def test_words_are_plain() -> None:
    # Short sentences of short words: an audit of 23 clinics found every form hard to read.
    for item in FORM.items:
        sentences = [part for part in item.text.replace(":", ".").split(".") if part.strip()]
        assert len(item.text.split()) / len(sentences) <= 20, item.id
    words = [word for item in FORM.items for word in item.text.split()]
    assert sum(map(len, words)) / len(words) < 5


def test_a_consent_stands_until_its_last_day() -> None:
    days = FORM.expires_after_days
    assert standing(FORM, GIVEN, ON).state == "valid"
    assert standing(FORM, GIVEN, ON + timedelta(days=days)).state == "valid"
    assert standing(FORM, GIVEN, ON + timedelta(days=days + 1)).state == "expired"


def test_none_and_withdrawn() -> None:
    assert standing(FORM, None, ON).state == "none"
    assert standing(FORM, replace(GIVEN, withdrawn_on=ON), ON).state == "withdrawn"


def test_a_changed_word_asks_that_heading_again() -> None:
    old = replace(GIVEN, version="0-2025-01-01-00000000", digests={**FORM.digests, "CON-07": "another words"})
    found = standing(FORM, old, ON)
    assert (found.state, found.ask) == ("changed", ("CON-07",))


def test_a_new_heading_asks_again() -> None:
    fewer = {name: digest for name, digest in FORM.digests.items() if name != "CON-17"}
    assert standing(FORM, replace(GIVEN, version="0-old", digests=fewer), ON).ask == ("CON-17",)
    assert standing(FORM, replace(GIVEN, digests=fewer), ON).state == "incomplete"


def test_a_consent_to_one_product_is_none_to_another() -> None:
    nasal = consent_form("trd", "esketamine-nasal", "in", "clinic")
    found = standing(nasal, GIVEN, ON)
    assert found.state == "changed"
    assert {"CON-02", "CON-08", "CON-09"} <= set(found.ask)


def test_the_same_words_have_the_same_version() -> None:
    assert consent_form("trd", "racemic", "iv", "clinic").version == FORM.version
    assert FORM.version.startswith(f"{consent_checklist().version}-")


def test_an_unknown_product_is_refused() -> None:
    with pytest.raises(InputError, match="unknown product 'ketamine'"):
        consent_form("trd", "ketamine")
