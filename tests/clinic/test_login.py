"""Signing in: by name and password, attempts counted in the database, all of it in the audit trail."""

from __future__ import annotations

import pytest
from django.contrib.auth.hashers import identify_hasher, make_password
from django.core.management import call_command
from django.test import Client, override_settings
from django.urls import reverse

from clinic.people import PASSWORD, Clinic
from limen.clinic.audit.models import AuditEntry
from limen.clinic.project import settings as product

WRONG = {"login": "nina-nurse", "password": "not the password"}


def sign_in(client: Client, **given: str):
    return client.post(reverse("account_login"), {"login": "nina-nurse", "password": PASSWORD, **given})


def test_the_way_in(clinic: Clinic) -> None:
    client = Client()
    answer = client.get(reverse("home"))
    assert answer["Location"] == "/login/?next=/"
    answer = sign_in(client)
    assert answer.status_code == 302
    page = client.get(reverse("patients:list")).content.decode()
    assert "Nina Nurse" in page
    answer = client.post(reverse("account_logout"))
    assert answer.status_code == 302
    assert client.get(reverse("patients:list")).status_code == 302


def test_work_starts_where_the_role_is(clinic: Clinic) -> None:
    for person, name in ((clinic.pharmacist, "stock:ledger"), (clinic.nurse, "patients:list")):
        client = Client()
        client.force_login(person)
        assert client.get(reverse("home"))["Location"] == reverse(name)


def test_a_wrong_password_says_the_same_as_an_unknown_name(clinic: Clinic) -> None:
    known = Client().post(reverse("account_login"), WRONG)
    unknown = Client().post(reverse("account_login"), {**WRONG, "login": "nobody-here"})
    assert known.status_code == unknown.status_code == 200
    said = [line for line in known.content.decode().splitlines() if "errors" in line and "<h2>" in line]
    assert said
    assert said[0] in unknown.content.decode()


def test_next_leads_back_and_never_elsewhere(clinic: Clinic) -> None:
    where = reverse("patients:register")
    answer = Client().post(f"{reverse('account_login')}?next={where}", {**WRONG, "password": PASSWORD, "next": where})
    assert answer["Location"] == where
    answer = Client().post(
        reverse("account_login"), {**WRONG, "password": PASSWORD, "next": "https://elsewhere.example/"}
    )
    assert "elsewhere" not in answer["Location"]


def test_guessing_is_slowed_down_for_every_process(clinic: Clinic) -> None:
    # The product's own cache: a table, so that all processes count the same attempts.
    with override_settings(CACHES=product.CACHES):
        call_command("createcachetable", verbosity=0)
        for _ in range(5):
            assert "too many" not in Client().post(reverse("account_login"), WRONG).content.decode().lower()
        answer = sign_in(Client())
        assert answer.status_code == 200, "the right password is refused too, for a while"
        assert "too many" in answer.content.decode().lower()
        # Somebody else can still work.
        assert sign_in(Client(), login="paula-prescriber").status_code == 302


def test_coming_leaving_and_failing_stand_in_the_trail(clinic: Clinic) -> None:
    client = Client()
    client.post(reverse("account_login"), WRONG)
    client.post(reverse("account_login"), {"login": PASSWORD, "password": "typed into the wrong field"})
    sign_in(client)
    client.post(reverse("account_logout"))
    rows = AuditEntry.objects.filter(action__startswith="accounts.sign").order_by("id")
    assert [(row.actor, row.action, row.outcome) for row in rows] == [
        ("nina-nurse", "accounts.sign_in", "denied"),
        ("unknown", "accounts.sign_in", "denied"),
        ("nina-nurse", "accounts.sign_in", "done"),
        ("nina-nurse", "accounts.sign_out", "done"),
    ]
    assert PASSWORD not in str([row.detail for row in rows])


def test_nobody_signs_up(clinic: Clinic) -> None:
    for where in ("/signup/", "/accounts/signup/", "/password/reset/"):
        assert Client().get(where).status_code in (302, 404)
        if (answer := Client().get(where)).status_code == 302:
            assert answer["Location"].startswith("/login/")


def test_somebody_who_has_left_cannot_come_in(clinic: Clinic) -> None:
    clinic.nurse.is_active = False
    clinic.nurse.save()
    answer = sign_in(Client())
    assert "patients" not in answer.headers.get("Location", "")
    assert Client().get(reverse("patients:list")).status_code == 302


def test_passwords_are_kept_by_argon2() -> None:
    with override_settings(PASSWORD_HASHERS=product.PASSWORD_HASHERS):
        assert identify_hasher(make_password(PASSWORD)).algorithm == "argon2"


@pytest.mark.parametrize("name", ["account_change_password", "mfa_index", "mfa_activate_totp"])
def test_own_account_pages(browser: Client, name: str) -> None:
    answer = browser.get(reverse(name), follow=True)
    assert answer.status_code == 200
    assert "unsafe" not in answer["Content-Security-Policy"]
