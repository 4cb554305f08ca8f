"""Writes go through named acts: said by the code's own text, and by what the trail holds afterwards."""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

import limen.clinic
from clinic.people import Clinic
from limen.clinic.audit.models import AuditEntry
from limen.clinic.patients.actions import record_facts
from limen.clinic.patients.models import Patient
from limen.errors import RefusedError

ROOT = Path(limen.clinic.__file__).parent
# Beside every actions.py, the modules that hold an act's writes because it is long, and the processes without a person:
# each writes inside ``acting``. The guard's own code and the makers of people and audit rows are the mechanism itself.
WRITERS = {
    "patients/allergies.py",
    "patients/consents.py",
    "patients/imports.py",
    "patients/trials.py",
    "sessions/devices.py",
    "sessions/handover.py",
    "sessions/health.py",
    "sessions/ingest.py",
    "sessions/monitor.py",
    "sessions/outbox.py",
    "sessions/patient_call.py",
    "sessions/record.py",
    "sessions/watching.py",
    "sites/dosing.py",
    "sites/standing_orders.py",
    "stock/book.py",
    "audit/guard.py",
    "audit/models.py",
    "accounts/models.py",
}
VERBS = {"save", "delete", "create", "bulk_create", "bulk_update", "get_or_create", "update_or_create", "update"}


def writes(path: Path) -> list[int]:
    """The lines of a module that write rows: ``x.save()``, ``Model.objects...create()``, ``rows.filter().update()``."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in VERBS):
            continue
        text = ast.unparse(node.func.value)
        on_rows = ".objects" in text or "filter(" in text or "exclude(" in text
        if node.func.attr in {"save", "delete", "bulk_create", "bulk_update", "get_or_create"} or on_rows:
            found.append(node.lineno)
    return found


def modules() -> list[str]:
    found = [str(path.relative_to(ROOT)) for path in sorted(ROOT.rglob("*.py"))]
    return [name for name in found if "migrations/" not in name and not name.startswith("demo/")]


@pytest.mark.parametrize("name", modules())
def test_only_actions_write(name: str) -> None:
    if name.endswith("/actions.py") or name in WRITERS:
        return
    assert writes(ROOT / name) == [], f"{name} writes rows outside an action"


def test_the_check_sees_a_write(tmp_path: Path) -> None:
    bad = tmp_path / "views.py"
    bad.write_text("row.save()\nA.objects.create(x=1)\nA.objects.filter(x=1).update(y=2)\ndigest.update(b'')\n")
    assert writes(bad) == [1, 2, 3]


def test_every_act_of_a_person_names_its_permission() -> None:
    seen = 0
    for path in sorted(ROOT.glob("*/actions.py")):
        module = importlib.import_module(f"limen.clinic.{path.parent.name}.actions")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if name.startswith("_") or function.__module__ != module.__name__:
                continue
            parameter = inspect.signature(function).parameters.get("by")
            if parameter is None or parameter.annotation in ("str", str):
                continue
            assert hasattr(function, "permission"), f"{module.__name__}.{name} is not an action"
            assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
            seen += 1
    assert seen > 15


def test_an_entry_never_changes(clinic: Clinic) -> None:
    entry = AuditEntry.objects.first()
    assert entry is not None
    entry.actor = "somebody else"
    with pytest.raises(RefusedError):
        entry.save()
    with pytest.raises(RefusedError):
        entry.delete()


def test_the_trail_outlives_nothing_it_points_to(clinic: Clinic, patient: Patient) -> None:
    relations = [field.name for field in AuditEntry._meta.get_fields() if field.is_relation]
    assert relations == []


def test_who_may_read_the_trail(clinic: Clinic, patient: Patient) -> None:
    record_facts(by=clinic.nurse, patient=patient, values={"patient.weight_kg": 70})
    where = reverse("audit:list")
    for person, status in (
        (clinic.nurse, 403),
        (clinic.prescriber, 403),
        (clinic.pharmacist, 200),
        (clinic.director, 200),
    ):
        client = Client()
        client.force_login(person)
        assert client.get(where).status_code == status, person
    page = client.get(where, {"actor": "nina-nurse"}).content.decode()
    assert "patients.record_facts" in page
    assert AuditEntry.objects.filter(outcome="denied", action="audit:read").count() == 2
    other = Client()
    other.force_login(clinic.stranger)
    assert "nina-nurse" not in other.get(where).content.decode()
