"""No index of a foreign key alone on the tables that grow every second: other indexes begin with the same columns."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

# Django's own name for each index, the same on every database.
INDEXES = {
    "treatment_sample_site_id_c1e0f770": ("treatment_sample", "site_id"),
    "treatment_sample_session_id_3bee4f3a": ("treatment_sample", "session_id"),
    "treatment_sample_device_id_738e5ba0": ("treatment_sample", "device_id"),
    "treatment_samplebatch_site_id_bfa89b95": ("treatment_samplebatch", "site_id"),
    "treatment_samplebatch_device_id_692d4f39": ("treatment_samplebatch", "device_id"),
    "treatment_liveevent_site_id_529370d1": ("treatment_liveevent", "site_id"),
    "treatment_liveevent_session_id_5b013574": ("treatment_liveevent", "session_id"),
}


def _foreign(to: str, name: str) -> models.ForeignKey:
    return models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name=name, to=to)


class Migration(migrations.Migration):
    """Drop them by name: altering the fields would rebuild the tables on SQLite, and lose the triggers that guard them."""

    dependencies = [
        ("sites", "0001_initial"),
        ("treatment", "0007_device_health"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    f'DROP INDEX IF EXISTS "{name}"', f'CREATE INDEX IF NOT EXISTS "{name}" ON "{table}" ("{column}")'
                )
                for name, (table, column) in INDEXES.items()
            ],
            state_operations=[
                migrations.AlterField("sample", "site", _foreign("sites.site", "+")),
                migrations.AlterField("sample", "session", _foreign("treatment.session", "samples")),
                migrations.AlterField("sample", "device", _foreign("treatment.device", "samples")),
                migrations.AlterField("samplebatch", "site", _foreign("sites.site", "+")),
                migrations.AlterField("samplebatch", "device", _foreign("treatment.device", "batches")),
                migrations.AlterField("liveevent", "site", _foreign("sites.site", "+")),
                migrations.AlterField("liveevent", "session", _foreign("treatment.session", "live_events")),
            ],
        )
    ]
