"""A session that was ended before it began does not hold its number."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """The table of sessions carries no trigger: SQLite may build it anew."""

    dependencies = [
        ("treatment", "0008_fewer_indexes"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="session", name="session_number_once"),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.UniqueConstraint(
                condition=~models.Q(status="ended", started_at=None),
                fields=("course", "number"),
                name="session_number_once",
            ),
        ),
    ]
