"""The clinic's Django applications. ``sessions`` carries the label ``treatment``: Django's own holds the other."""

from __future__ import annotations

from django.apps import AppConfig


class ClinicApp(AppConfig):
    """Base of the clinic's applications."""

    default_auto_field = "django.db.models.BigAutoField"


class Accounts(ClinicApp):
    """People and permissions."""

    name = "limen.clinic.accounts"
    label = "accounts"

    def ready(self) -> None:
        """Keep sign-ins in the audit trail."""
        from limen.clinic.accounts.trail import listen

        listen()


class Audit(ClinicApp):
    """The audit trail."""

    name = "limen.clinic.audit"
    label = "audit"


class Sites(ClinicApp):
    """Sites and chairs."""

    name = "limen.clinic.sites"
    label = "sites"


class Patients(ClinicApp):
    """Patients and facts."""

    name = "limen.clinic.patients"
    label = "patients"


class Courses(ClinicApp):
    """Courses of treatment."""

    name = "limen.clinic.courses"
    label = "courses"


class Treatment(ClinicApp):
    """Treatment sessions."""

    name = "limen.clinic.sessions"
    label = "treatment"


class Calls(ClinicApp):
    """Calls to people for alarms that nobody answers."""

    name = "limen.clinic.calls"
    label = "calls"


class Emergency(ClinicApp):
    """Emergency mode."""

    name = "limen.clinic.emergency"
    label = "emergency"


class Stock(ClinicApp):
    """The ledger."""

    name = "limen.clinic.stock"
    label = "stock"


class Outcomes(ClinicApp):
    """Questionnaires and tasks."""

    name = "limen.clinic.outcomes"
    label = "outcomes"


class Notes(ClinicApp):
    """Session notes."""

    name = "limen.clinic.notes"
    label = "notes"


class Web(ClinicApp):
    """Shared pages and static files."""

    name = "limen.clinic.web"
    label = "web"
