"""Consent to a course, against the words that were read."""

from __future__ import annotations

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from limen.clinic.audit.triggers import append_only


class Migration(migrations.Migration):
    """The table and its guard."""

    dependencies = [
        ("courses", "0003_newest_verdict"),
        ("patients", "0002_append_only"),
        ("sites", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ConsentRecord",
            fields=[
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("created_by", models.CharField(editable=False, max_length=150)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("kind", models.CharField(choices=[("given", "Given"), ("withdrawn", "Withdrawn")], max_length=10)),
                ("on", models.DateField()),
                ("version", models.CharField(max_length=60)),
                ("said", models.JSONField(default=list)),
                ("signed_name", models.CharField(max_length=120)),
                ("language", models.CharField(blank=True, max_length=40)),
                ("interpreter", models.CharField(blank=True, max_length=120)),
                ("reason", models.CharField(blank=True, max_length=300)),
                (
                    "course",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="consents", to="courses.course"
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sites.site"),
                ),
            ],
            options={
                "ordering": ("created_at",),
                "indexes": [models.Index(fields=["course", "created_at"], name="consent_by_course")],
            },
        ),
        append_only("patients_consentrecord"),
    ]
