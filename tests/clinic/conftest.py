"""A small clinic: one site with a person in each role, and a second site whose people must see nothing of the first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from clinic.people import Clinic, append_only_tables, make_user
from limen.clinic.audit.triggers import create_statements, drop_statements
from limen.clinic.patients.actions import register_patient
from limen.clinic.patients.models import Patient
from limen.clinic.sites.actions import bootstrap_chair, create_site


@pytest.fixture(autouse=True)
def _plain_surroundings(settings, monkeypatch) -> None:
    """Fast hashing, and sign-in limits that start at zero."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_xdist_suffix) -> None:
    """Transactional tests empty every table at their end: lift the append-only triggers for that moment only."""
    ops = type(connection.ops)
    flush = ops.execute_sql_flush

    def lifted(self, sql_list) -> None:
        tables = append_only_tables()
        with connection.cursor() as cursor:
            for table in tables:
                for statement in drop_statements(table, connection.vendor):
                    cursor.execute(statement)
        flush(self, sql_list)
        with connection.cursor() as cursor:
            for table in tables:
                for statement in create_statements(table, connection.vendor):
                    cursor.execute(statement)

    ops.execute_sql_flush = lifted


@pytest.fixture
def clinic(db) -> Clinic:
    site = create_site(by="tests", name="Harbour Clinic", timezone="Europe/Berlin")
    other = create_site(by="tests", name="Hill Clinic")
    return Clinic(
        site=site,
        chair=bootstrap_chair(by="tests", site=site, name="Chair 1"),
        prescriber=make_user(site, "paula-prescriber", "prescriber"),
        nurse=make_user(site, "nina-nurse", "nurse"),
        second_nurse=make_user(site, "noel-nurse", "nurse"),
        pharmacist=make_user(site, "piet-pharmacist", "pharmacist"),
        director=make_user(site, "dora-director", "medical-director"),
        stranger=make_user(other, "sam-stranger", "prescriber"),
        other_site=other,
    )


@pytest.fixture
def patient(clinic: Clinic) -> Patient:
    return register_patient(
        by=clinic.nurse,
        site=clinic.site,
        mrn="H-1001",
        family_name="Okafor",
        given_name="Ada",
        birth_date=date(1984, 3, 2),
        sex="female",
    )


@pytest.fixture
def browser(clinic: Clinic) -> Iterator[Client]:
    """A signed-in nurse."""
    client = Client()
    client.force_login(clinic.nurse)
    return client


@pytest.fixture
def clock() -> Iterator[time_machine.Coordinates]:
    """Now, standing still until the test moves it."""
    with time_machine.travel(timezone.now(), tick=False) as found:
        yield found
