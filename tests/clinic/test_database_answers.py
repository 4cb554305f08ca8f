"""A database that is locked, gone or quicker with somebody else: a clear answer, never a traceback, nothing written."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import psycopg
import pytest
from django.db import IntegrityError, InterfaceError, OperationalError
from django.test import Client
from django.urls import reverse

from clinic.people import Clinic
from limen.clinic.accounts.models import User
from limen.clinic.audit.models import AuditEntry
from limen.clinic.sessions import actions, api
from limen.clinic.stock import actions as stock
from limen.clinic.web import refusals
from live_room import batch, furnish, post

FORM = {
    "label": "V1",
    "product": "racemic",
    "strength_mg_per_mL": "50",
    "volume_mL": "10",
    "lot": "6K114",
    "expiry": "2099-03-31",
    "key": "r1",
}


def failing(problem: Exception):
    def act(*args, **kwargs):
        raise problem

    return act


@pytest.fixture
def pharmacist(clinic: Clinic) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(clinic.pharmacist)
    return client


@pytest.mark.parametrize("problem", [OperationalError("database is locked"), InterfaceError("connection closed")])
def test_a_form_is_told_that_the_database_did_not_answer(pharmacist: Client, monkeypatch, problem: Exception) -> None:
    monkeypatch.setattr(stock, "receive", failing(problem))
    before = AuditEntry.objects.count()
    answer = pharmacist.post(reverse("stock:receive"), FORM)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    page = answer.content.decode()
    assert "The database did not answer in time" in page
    assert "look at the patient" in page
    assert "locked" not in page
    assert AuditEntry.objects.count() == before


def test_a_form_is_told_that_somebody_was_quicker(pharmacist: Client, monkeypatch) -> None:
    monkeypatch.setattr(stock, "receive", failing(IntegrityError("UNIQUE constraint failed")))
    answer = pharmacist.post(reverse("stock:receive"), FORM)
    assert answer.status_code == 409
    assert "somebody else wrote the same" in answer.content.decode()
    assert "UNIQUE" not in answer.content.decode()


def test_a_tap_is_told_to_come_again(db: None, client: Client, monkeypatch) -> None:
    room = furnish()
    session, _, _ = room.begun()
    client.force_login(room.nurse)
    monkeypatch.setattr(actions, "ask_discharge", failing(OperationalError("database is locked")))
    answer = client.post(
        f"/live/session/{session.pk}/act",
        {"kind": "discharge.asked", "key": "k"},
        content_type="application/json",
        headers={"accept": "application/json"},
    )
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer.json()["error"]["where"] == "database"


@pytest.mark.parametrize("problem", [OperationalError("locked"), IntegrityError("once"), InterfaceError("closed")])
def test_a_device_is_told_to_send_its_batch_again(db: None, client: Client, monkeypatch, problem: Exception) -> None:
    room = furnish()
    _, _, token = room.begun()
    monkeypatch.setattr(api.TAKEN, "act", failing(problem))
    answer = post(client, token, batch("chair-1", "a", [(1, "HR", 72.0)]))
    assert answer.status_code == 503  # the gateway keeps a batch that was answered so; it drops none
    assert set(answer.json()["error"]) >= {"what", "where", "allowed"}


def of_sqlite(tmp_path: Path) -> Exception:
    """SQLite's own word where a database may grow no more."""
    link = sqlite3.connect(tmp_path / "small")
    link.execute("PRAGMA max_page_count = 2")
    try:
        link.execute("CREATE TABLE a (b)")
        link.execute("INSERT INTO a VALUES (zeroblob(100000))")
    except sqlite3.OperationalError as problem:
        return problem
    finally:
        link.close()
    raise AssertionError("it grew")


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_a_full_disk_is_named_to_forms_taps_and_devices(
    pharmacist: Client, client: Client, monkeypatch, tmp_path: Path, engine: str
) -> None:
    cause = of_sqlite(tmp_path) if engine == "sqlite" else psycopg.errors.DiskFull("could not extend file")
    problem = OperationalError(str(cause))
    problem.__cause__ = cause
    monkeypatch.setattr(refusals, "_full_at_s", -refusals.FULL_FOR_S)
    assert refusals.trouble() == ""
    room = furnish()
    _, _, token = room.begun()
    monkeypatch.setattr(stock, "receive", failing(problem))
    form = pharmacist.post(reverse("stock:receive"), FORM)
    assert form.status_code == 503
    assert "disk of the clinic&#x27;s server is full" in form.content.decode()
    assert "What was sent is not stored" in form.content.decode()
    monkeypatch.setattr(api.TAKEN, "act", failing(problem))
    device = post(client, token, batch("chair-1", "a", [(1, "HR", 72.0)]))
    assert device.status_code == 503
    assert device.json()["error"]["what"] == refusals.FULL
    assert refusals.trouble() == refusals.FULL, "the pages of this server are told"


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b"])
@pytest.mark.parametrize("where", ["key", "text"])
def test_a_tap_with_what_no_database_holds_is_refused(db: None, client: Client, text: str, where: str) -> None:
    room = furnish()
    session, _, _ = room.begun()
    client.force_login(room.nurse)
    deed = {"kind": "symptom.reported", "key": "k", "data": {"text": "nausea"}}
    (deed if where == "key" else deed["data"])[where] = text  # type: ignore[index]
    answer = client.post(f"/live/session/{session.pk}/act", json.dumps(deed), content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["error"]["what"]
    assert not session.events.filter(kind="symptom.reported").exists()


def test_looking_for_what_no_database_holds_is_no_fault(browser: Client) -> None:
    answer = browser.get(reverse("patients:list"), {"q": "a\x00b"})
    assert answer.status_code in (200, 400)


def test_a_database_that_is_gone_before_the_page_begins(pharmacist: Client, monkeypatch) -> None:
    monkeypatch.setattr(User, "memberships", property(failing(OperationalError("gone"))))
    answer = pharmacist.get(reverse("stock:ledger"))
    assert answer.status_code == 503
    assert "did not answer" in answer.content.decode()


def test_a_defect_is_still_a_defect(pharmacist: Client, monkeypatch) -> None:
    monkeypatch.setattr(stock, "receive", failing(ZeroDivisionError("ours")))
    answer = pharmacist.post(reverse("stock:receive"), FORM)
    assert answer.status_code == 500
    assert "Limen made a fault" in answer.content.decode()
