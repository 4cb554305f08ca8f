"""Rows belong to a site, change only inside an act, and the append-only ones not even then."""

from __future__ import annotations

from datetime import date

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import DatabaseError, connection, models, transaction
from django.utils import timezone

from clinic.people import Clinic, append_only_tables
from limen.clinic.audit.act import WriteOutsideActError, WrongSiteError, acting
from limen.clinic.audit.guard import Guarded, SiteRow
from limen.clinic.audit.models import AuditEntry
from limen.clinic.patients.models import Fact, Patient
from limen.clinic.sessions.models import LiveEvent, Sample, SampleBatch
from limen.clinic.sites.models import Chair, Site
from limen.errors import RefusedError

OURS = [model for model in apps.get_models() if model.__module__.startswith("limen.")]


def test_every_clinic_row_belongs_to_a_site_and_is_guarded() -> None:
    # The site itself; people (memberships have the site); the trail (text ids); those that hang on one session, process
    # or device.
    free = {"Site", "User", "AuditEntry", "Heartbeat", "AlarmSnapshot", "DeviceHealth"}
    for model in OURS:
        if model._meta.auto_created:
            continue
        assert issubclass(model, SiteRow) or model.__name__ in free, model
        assert issubclass(model, Guarded) or model.__name__ in {"User", "AuditEntry"}, model


def test_migrations_are_complete(db) -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_a_row_is_refused_outside_an_act(clinic: Clinic) -> None:
    with pytest.raises(WriteOutsideActError):
        Chair(site=clinic.site, name="Chair 2").save()
    with pytest.raises(WriteOutsideActError):
        Chair.objects.create(site=clinic.site, name="Chair 2")
    with pytest.raises(WriteOutsideActError):
        Chair.objects.bulk_create([Chair(site=clinic.site, name="Chair 2")])
    with pytest.raises(WriteOutsideActError):
        Chair.objects.update(name="x")
    with pytest.raises(WriteOutsideActError):
        clinic.chair.delete()
    with pytest.raises(WriteOutsideActError):
        Chair.objects.all().delete()
    assert list(Chair.objects.values_list("name", flat=True)) == ["Chair 1"]


def test_an_act_at_one_site_cannot_write_at_another(clinic: Clinic) -> None:
    with pytest.raises(WrongSiteError), acting(by="tests", action="t", site=clinic.site):
        Chair.objects.create(site=clinic.other_site, name="Chair 2")


def test_an_act_stamps_its_rows(clinic: Clinic) -> None:
    with acting(by="somebody", action="t", site=clinic.site):
        chair = Chair.objects.create(name="Chair 2")
    assert (chair.site, chair.created_by) == (clinic.site, "somebody")


def test_a_failed_act_leaves_neither_row_nor_audit(clinic: Clinic) -> None:
    before = AuditEntry.objects.count()
    with pytest.raises(ZeroDivisionError):
        _half_an_act(clinic)
    assert Chair.objects.count() == 1
    assert AuditEntry.objects.count() == before


def _half_an_act(clinic: Clinic) -> None:
    with acting(by="tests", action="t", site=clinic.site):
        Chair.objects.create(name="Chair 2")
        raise ZeroDivisionError


def test_append_only_rows_refuse_change_inside_an_act(clinic: Clinic, patient: Patient) -> None:
    with acting(by="tests", action="t", site=clinic.site):
        fact = Fact.objects.create(patient=patient, kind="vitals.hr_per_min", value=70, source="t")
    fact.value = 60
    with pytest.raises(RefusedError), acting(by="tests", action="t", site=clinic.site):
        fact.save()
    with pytest.raises(RefusedError), acting(by="tests", action="t", site=clinic.site):
        Fact.objects.filter(pk=fact.pk).update(value=60)
    with pytest.raises(RefusedError), acting(by="tests", action="t", site=clinic.site):
        fact.delete()
    fact.refresh_from_db()
    assert fact.value == 70


def test_the_database_holds_a_trigger_for_every_append_only_table(db) -> None:
    tables = append_only_tables()
    assert {
        "audit_auditentry",
        "treatment_sessionevent",
        "treatment_sample",
        "treatment_samplebatch",
        "stock_ledgerentry",
        "patients_fact",
        "courses_override",
    } <= set(tables)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT tbl_name, count(*) FROM sqlite_master WHERE type = 'trigger' GROUP BY 1")
        else:
            cursor.execute(
                "SELECT c.relname, count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
                "WHERE t.tgname LIKE %s GROUP BY 1",
                ["%_no_%"],
            )
        counted = dict(cursor.fetchall())
    assert counted == dict.fromkeys(tables, 2)


def test_the_database_itself_refuses_update_and_delete(clinic: Clinic, patient: Patient) -> None:
    with acting(by="tests", action="t", site=clinic.site):
        Fact.objects.create(patient=patient, kind="vitals.hr_per_min", value=70, source="t")
    for table in ("audit_auditentry", "patients_fact"):
        for statement in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}"):  # noqa: S608
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
    assert Fact.objects.count() == 1


def test_replace_does_not_slip_past_the_triggers(clinic: Clinic) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("INSERT OR REPLACE is SQLite's")
    entry = AuditEntry.objects.first()
    assert entry is not None
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT OR REPLACE INTO audit_auditentry (id, at, site_id, actor, action, target, outcome, detail) "
            "VALUES (%s, %s, '', 'forger', '', '', 'done', '{}')",
            [entry.pk, timezone.now()],
        )
    entry.refresh_from_db()
    assert entry.actor == "tests"


def test_sqlite_is_set_to_keep_what_it_acknowledged(db) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("SQLite's pragmas")
    with connection.cursor() as cursor:
        values = {}
        for pragma in ("synchronous", "foreign_keys", "recursive_triggers"):
            cursor.execute(f"PRAGMA {pragma}")
            values[pragma] = cursor.fetchone()[0]
    assert values == {"synchronous": 2, "foreign_keys": 1, "recursive_triggers": 1}
    assert connection.settings_dict["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in connection.settings_dict["OPTIONS"]["init_command"]


def test_one_record_number_once_at_a_site(clinic: Clinic, patient: Patient) -> None:
    with pytest.raises(DatabaseError), acting(by="tests", action="t", site=clinic.site):
        Patient.objects.create(
            mrn=patient.mrn, family_name="B", given_name="C", birth_date=date(1990, 1, 1), sex="male"
        )
    with acting(by="tests", action="t", site=clinic.other_site):
        Patient.objects.create(
            mrn=patient.mrn, family_name="B", given_name="C", birth_date=date(1990, 1, 1), sex="male"
        )


def test_floats_in_models_carry_their_unit() -> None:
    from limen.units import UNIT_SUFFIXES

    bare = {("Sample", "value")}  # its unit is its signal's
    for model in OURS:
        for field in model._meta.concrete_fields:
            if isinstance(field, models.FloatField | models.DecimalField) and (model.__name__, field.name) not in bare:
                assert field.name.endswith(UNIT_SUFFIXES), (model, field.name)


def test_site_needs_no_act_to_be_read(clinic: Clinic) -> None:
    assert Site.objects.count() == 2


@pytest.mark.parametrize("model", [Sample, SampleBatch, LiveEvent])
def test_tables_that_grow_every_second_carry_no_index_that_another_begins_with(db, model):
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)
    indexes = [entry["columns"] for entry in found.values() if entry["index"] or entry["unique"]]
    doubled = [one for one in indexes for other in indexes if one is not other and other[: len(one)] == one]
    assert not doubled
    assert ["site_id"] not in indexes
