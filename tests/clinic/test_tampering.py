# ruff: noqa: S608
"""Whoever writes past the clinic: refused by the database; where its owner lifts that, found by the seal.

Everything happens in one transaction that is rolled back: both engines take triggers away and put them back in it.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from clinic.orders import planned
from clinic.people import Clinic
from limen.clinic.audit.triggers import drop_statements
from limen.clinic.patients.models import Patient
from limen.clinic.sessions.ingest import Measured, take_batch
from limen.clinic.sessions.watching import Watcher
from limen.clinic.stock.actions import count, draw, receive
from limen.clinic.stock.book import entries, rows
from limen.clinic.stock.queries import site_verify
from limen.ledger import seal
from live_room import furnish

LINE = "stock_ledgerentry"
FORGED = "0" * 64


def tell(statement: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall()) if cursor.description else []


# --- refused ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def treated(db: None) -> None:
    """A minute of a session: events, samples, alarms, an audit trail."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        room = furnish()
        session, device, _ = room.begun()
        take_batch(device=device, batch_key="b1", samples=[Measured(1, "SPO2", 80.0, 0.0)])
        clock.shift(2)
        Watcher().visit(session)


@pytest.mark.parametrize(
    "table",
    [
        "audit_auditentry",
        "treatment_sessionevent",
        "treatment_samplebatch",
        "treatment_sample",
        "treatment_alarmrecord",
        "courses_screeningresult",
    ],
)
def test_nobody_changes_what_a_session_left(treated: None, table: str) -> None:
    assert_refused(table)


def test_nobody_changes_a_line_of_the_book(book: Clinic) -> None:
    assert_refused(LINE)


def assert_refused(table: str) -> None:
    before = tell(f"SELECT * FROM {table} ORDER BY id")
    assert before
    with connection.cursor() as cursor:
        names = [column.name for column in connection.introspection.get_table_description(cursor, table)]
    attempts = [f'UPDATE {table} SET "{name}" = "{name}"' for name in names] + [f"DELETE FROM {table}"]
    if connection.vendor == "postgresql":
        tell("SET CONSTRAINTS ALL IMMEDIATE")
        attempts.append(f"TRUNCATE {table} CASCADE")
    for attempt in attempts:
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            tell(attempt)
    assert tell(f"SELECT * FROM {table} ORDER BY id") == before


# --- found -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def book(clinic: Clinic, patient: Patient) -> Clinic:
    """Six lines of two vials."""
    session = planned(clinic, patient)
    vial = {
        "product": "racemic",
        "strength_mg_per_mL": "50",
        "volume_mL": "10",
        "lot": "6K114",
        "expiry": date(2099, 3, 31),
    }
    made = [
        receive(by=clinic.pharmacist, site=clinic.site, label=label, key=label, **vial).vial for label in ("V1", "V2")
    ]
    for number in range(3):
        draw(
            by=clinic.nurse,
            session=session,
            vial=made[0],
            amount_mg="35.0",
            witness=clinic.second_nurse,
            key=f"d{number}",
        )
    count(by=clinic.pharmacist, vial=made[0], amount_mg="395.0", key="c1")
    return clinic


@pytest.fixture
def owned(book: Clinic) -> Clinic:
    """The same with the triggers taken away, as only the owner of the database can."""
    if connection.vendor == "postgresql":
        tell("SET CONSTRAINTS ALL IMMEDIATE")
    for statement in drop_statements(LINE, connection.vendor):
        tell(statement)
    return book


@pytest.mark.parametrize(
    ("column", "value", "position"),
    [
        ("amount_mg", "34.9", 3),
        ("amount_mg", "35.001", 5),
        ("kind", "give", 4),
        ("by", "somebody", 5),
        ("witness", "somebody", 3),
        ("reason", "another", 6),
        ("key", "another", 2),
        ("session_id", None, 4),
        ("at", timezone.now() - timedelta(days=1), 1),
        ("data", "{}", 1),
        ("hash", FORGED, 3),
        ("prev_hash", FORGED, 3),
        ("position", 7, 3),
    ],
)
def test_a_changed_column_is_found_where_it_stands(owned: Clinic, column: str, value: Any, position: int) -> None:
    noted = site_verify(owned.site)
    assert noted["ok"]
    tell(f'UPDATE {LINE} SET "{column}" = %s WHERE position = %s', value, position)
    found = site_verify(owned.site)
    assert (found["ok"], found["first_bad"]) == (False, position)
    assert found["checkpoint"] == (None if position == 1 else f"{position - 1}:{rows(owned.site)[position - 2].hash}")


def test_a_line_on_another_vial_and_a_vial_with_another_label_are_found(owned: Clinic) -> None:
    with transaction.atomic():
        tell(f"UPDATE {LINE} SET vial_id = (SELECT id FROM stock_vial WHERE label = 'V2') WHERE position = 4")
        assert site_verify(owned.site)["first_bad"] == 4
        transaction.set_rollback(True)
    tell("UPDATE stock_vial SET label = 'V9' WHERE label = 'V2'")
    assert site_verify(owned.site)["first_bad"] == 2


@pytest.mark.parametrize("position", [1, 2, 5])
def test_a_deleted_line_is_found(owned: Clinic, position: int) -> None:
    tell(f"DELETE FROM {LINE} WHERE position = %s", position)
    assert site_verify(owned.site)["first_bad"] == position


def test_a_line_slipped_in_is_found(owned: Clinic) -> None:
    tell(f"UPDATE {LINE} SET position = position + 10 WHERE position > 3")
    tell(f"UPDATE {LINE} SET position = position - 9 WHERE position > 10")
    chain = entries(rows(owned.site))
    names = 'kind, "by", witness, reason, at, data, amount_mg, site_id, vial_id, created_at, created_by'
    tell(
        f"INSERT INTO {LINE} (position, key, hash, prev_hash, {names}) "
        f"SELECT 4, 'slipped in', %s, %s, {names} FROM {LINE} WHERE position = 3",
        FORGED,
        chain[2].hash,
    )
    assert site_verify(owned.site)["first_bad"] == 4


def test_an_end_cut_off_is_found_by_the_checkpoint_noted_before(owned: Clinic) -> None:
    noted = site_verify(owned.site)["checkpoint"]
    tell(f"DELETE FROM {LINE} WHERE position > 4")
    assert site_verify(owned.site)["ok"]
    assert site_verify(owned.site, checkpoint=noted)["first_bad"] == 5


def test_a_chain_sealed_anew_is_found_by_the_checkpoint_noted_before(owned: Clinic) -> None:
    noted = site_verify(owned.site)["checkpoint"]
    tell(f"UPDATE {LINE} SET amount_mg = 1.0 WHERE position = 3")
    chain = entries(rows(owned.site))
    before = chain[1].hash
    for entry in chain[2:]:
        forged = seal(entry.position, entry.line, entry.at, before)
        tell(f"UPDATE {LINE} SET hash = %s, prev_hash = %s WHERE position = %s", forged, before, entry.position)
        before = forged
    assert site_verify(owned.site)["ok"]  # a seal without a secret cannot know its forger
    assert site_verify(owned.site, checkpoint=noted)["first_bad"] == 6
