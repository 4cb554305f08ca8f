"""Which weight a plan's dose follows."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """A plan remembers the weight that was chosen."""

    dependencies = [("courses", "0003_newest_verdict")]
    operations = [
        migrations.AddField(
            model_name="plan",
            name="weight_basis",
            field=models.CharField(blank=True, default="", max_length=10),
            preserve_default=False,
        ),
    ]
