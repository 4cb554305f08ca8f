"""A role can do only its own acts, and a denied act is in the audit trail."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction

from clinic.people import Clinic
from limen.clinic.accounts.permissions import Permission
from limen.clinic.accounts.policy import DeniedError, holds, permissions_at, require
from limen.clinic.accounts.roles import ROLES
from limen.clinic.audit.act import acting, action
from limen.clinic.audit.models import AuditEntry
from limen.clinic.patients.actions import record_facts, register_patient
from limen.clinic.patients.models import Fact, Patient
from limen.clinic.sites.actions import add_chair
from limen.clinic.sites.models import Chair, Site

# The matrix as the issue words it: who may, in every role's absence who may not.
MAY = {
    "patients:import": {"prescriber", "nurse", "medical-director"},
    "facts:record": {"prescriber", "nurse", "medical-director"},
    "screening:run": {"prescriber", "nurse", "medical-director"},
    "override:hold": {"prescriber", "medical-director"},
    "override:block": {"medical-director"},
    "plan:sign": {"prescriber", "medical-director"},
    "plan:write": {"prescriber", "medical-director"},
    "stock:receive": {"pharmacist"},
    "stock:draw": {"nurse"},
    "stock:witness": {"prescriber", "nurse", "pharmacist", "medical-director"},
    "stock:waste": {"nurse", "pharmacist"},
    "stock:count": {"pharmacist"},
    "session:start": {"prescriber", "nurse", "medical-director"},
    "session:stop": {"prescriber", "nurse", "medical-director"},
    "alarm:acknowledge": {"prescriber", "nurse", "medical-director"},
    "note:sign": {"prescriber", "nurse", "medical-director"},
    "audit:read": {"pharmacist", "medical-director"},
    "device:register": {"medical-director"},
    "users:manage": {"medical-director"},
}


@pytest.mark.parametrize("verb", sorted(MAY))
def test_matrix(clinic: Clinic, verb: str) -> None:
    allowed = {role for role, user in clinic.people.items() if holds(user, Permission(verb), clinic.site)}
    assert allowed == MAY[verb]


@pytest.mark.parametrize("role", sorted(ROLES))
@pytest.mark.parametrize("permission", sorted(Permission))
def test_require_agrees_with_the_roles_and_audits_each_refusal(
    clinic: Clinic, role: str, permission: Permission
) -> None:
    user = clinic.people[role]
    if permission in ROLES[role].permissions:
        assert require(by=user, permission=permission, site=clinic.site) == role
        return
    with pytest.raises(DeniedError):
        require(by=user, permission=permission, site=clinic.site, target="x:1")
    entry = AuditEntry.objects.get(outcome="denied")
    assert (entry.actor, entry.target, entry.site_id) == (user.username, "x:1", str(clinic.site.pk))
    assert entry.detail == {"permission": permission.value}


def test_every_permission_is_held_by_some_role() -> None:
    held = {verb for role in ROLES.values() for verb in role.permissions}
    assert held == set(Permission)


def test_a_role_at_one_site_is_nothing_at_another(clinic: Clinic) -> None:
    assert permissions_at(clinic.stranger, clinic.site) == frozenset()
    with pytest.raises(DeniedError):
        register_patient(
            by=clinic.stranger,
            site=clinic.site,
            mrn="1",
            family_name="A",
            given_name="B",
            birth_date=date(1990, 1, 1),
            sex="male",
        )
    assert Patient.objects.count() == 0
    assert AuditEntry.objects.get(outcome="denied").action == "patients.register_patient"


def test_a_person_who_has_left_may_nothing(clinic: Clinic) -> None:
    clinic.nurse.is_active = False
    assert permissions_at(clinic.nurse, clinic.site) == frozenset()


def test_denied_is_a_403_for_django(clinic: Clinic) -> None:
    with pytest.raises(PermissionDenied, match="may not do this"):
        add_chair(by=clinic.nurse, site=clinic.site, name="Chair 9")
    assert not Chair.objects.filter(name="Chair 9").exists()


def test_done_acts_say_who_what_and_under_which_role(clinic: Clinic, patient: Patient) -> None:
    record_facts(by=clinic.nurse, patient=patient, values={"patient.weight_kg": 71.5})
    entry = AuditEntry.objects.filter(action="patients.record_facts").get()
    assert entry.outcome == "done"
    assert entry.actor == "nina-nurse"
    assert entry.target == f"patient:{patient.pk}"
    assert entry.detail["role"] == "nurse"
    assert entry.detail["permission"] == "facts:record"
    assert entry.detail["facts"] == ["patient.weight_kg"]


@pytest.mark.django_db(transaction=True)
def test_a_denial_inside_an_act_outlives_its_rollback(clinic: Clinic) -> None:
    @action(Permission.FACTS_RECORD, on="site")
    def outer(*, by, site: Site) -> None:
        Chair.objects.create(name="half-made")
        add_chair(by=by, site=site, name="Chair 9")

    with pytest.raises(DeniedError):
        outer(by=clinic.nurse, site=clinic.site)
    assert not Chair.objects.filter(name="half-made").exists()
    assert AuditEntry.objects.get(outcome="denied").action == "sites.add_chair"


@pytest.mark.django_db(transaction=True)
def test_a_denial_is_committed_when_the_view_has_no_transaction(clinic: Clinic) -> None:
    with pytest.raises(DeniedError):
        add_chair(by=clinic.nurse, site=clinic.site, name="Chair 9")
    assert not transaction.get_connection().in_atomic_block
    assert AuditEntry.objects.filter(outcome="denied").count() == 1


def test_acts_take_keywords_only(clinic: Clinic) -> None:
    with pytest.raises(TypeError, match="keyword"):
        add_chair(clinic.director, clinic.site, "Chair 9")  # type: ignore[misc]


def test_unaudited_acts_are_for_receipts_only(clinic: Clinic, patient: Patient) -> None:
    before = AuditEntry.objects.count()
    with acting(by="monitor", action="beat", site=clinic.site, audited=False):
        Fact.objects.create(patient=patient, kind="vitals.hr_per_min", value=70, source="t")
    assert AuditEntry.objects.count() == before
