"""The newest verdict of a course is read from an index, not from the long rows."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """An index that holds the verdict and its day."""

    dependencies = [("courses", "0002_append_only")]
    operations = [
        migrations.AddIndex(
            model_name="screeningresult",
            index=models.Index(fields=["course", "created_at", "verdict", "on"], name="screening_verdict"),
        ),
    ]
