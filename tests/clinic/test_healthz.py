"""The sign of life: open to anybody, and telling nothing about anybody."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import patch

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

import limen
from clinic.people import Clinic
from limen.clinic.audit.act import acting
from limen.clinic.sessions.models import Heartbeat


def test_before_the_monitor_was_ever_seen(db) -> None:
    answer = Client().get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "version": limen.__version__,
        "database": "ok",
        "monitor_age_s": None,
    }


def test_the_age_of_the_monitors_last_sign(clinic: Clinic) -> None:
    with acting(by="monitor", action="beat", site=clinic.site, audited=False):
        Heartbeat.objects.create(
            name="monitor", at=timezone.now() - timedelta(seconds=12), pid=1, version="0", counter=1
        )
    assert Client().get(reverse("healthz")).json()["monitor_age_s"] == pytest.approx(12, abs=2)


def test_a_dead_database_is_said(db) -> None:
    with patch.object(connection, "cursor", side_effect=OperationalError("disk I/O error")):
        answer = Client().get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["database"] == "unreachable"
    assert "I/O" not in answer.content.decode()


def test_it_is_never_kept(db) -> None:
    assert "no-store" in Client().get("/healthz")["Cache-Control"]
