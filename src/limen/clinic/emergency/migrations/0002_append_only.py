"""The database itself refuses to change or delete these rows."""

from __future__ import annotations

from django.db import migrations

from limen.clinic.audit.triggers import append_only


class Migration(migrations.Migration):
    """Append-only triggers."""

    dependencies = [("emergency", "0001_initial")]
    operations = [
        append_only("emergency_emergencyentry"),
    ]
