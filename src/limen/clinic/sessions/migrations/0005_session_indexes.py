"""The monitor finds the live sessions each second, and the board those of today, by index."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Three indexes on sessions."""

    dependencies = [("treatment", "0004_device_streams")]
    operations = [
        migrations.AddIndex(
            model_name="session",
            index=models.Index(fields=["status", "site"], name="session_by_status"),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(fields=["site", "started_at"], name="session_by_start"),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(fields=["ended_at"], name="session_by_end"),
        ),
    ]
