"""Whose screens can be heard."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """The last time that a page whose sound was tested asked for calls."""

    dependencies = [("calls", "0002_append_only")]
    operations = [
        migrations.AddField(model_name="screen", name="sounded_at", field=models.DateTimeField(null=True)),
    ]
