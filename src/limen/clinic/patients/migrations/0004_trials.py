"""Antidepressants that were tried: written once, corrected by another row."""

from __future__ import annotations

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from limen.clinic.audit.triggers import append_only


class Migration(migrations.Migration):
    dependencies = [
        ("patients", "0003_consent"),
        ("sites", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="TrialRecord",
            fields=[
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("created_by", models.CharField(editable=False, max_length=150)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("effective_at", models.DateTimeField(null=True)),
                ("source", models.CharField(max_length=120)),
                ("retracted", models.BooleanField(default=False)),
                ("reason", models.CharField(blank=True, max_length=300)),
                ("drug", models.CharField(max_length=120)),
                ("dose_mg_per_day", models.FloatField(null=True)),
                ("held_weeks", models.FloatField(null=True)),
                ("adherence", models.CharField(blank=True, max_length=10)),
                ("response", models.CharField(blank=True, max_length=12)),
                ("improvement_pct", models.FloatField(null=True)),
                ("episode", models.CharField(default="current", max_length=10)),
                (
                    "entered_in_error_of",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="corrections",
                        to="patients.trialrecord",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)ss",
                        to="patients.patient",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sites.site"),
                ),
            ],
            options={
                "ordering": ("effective_at", "created_at"),
                "abstract": False,
                "indexes": [models.Index(fields=["patient", "created_at"], name="trial_by_patient")],
            },
        ),
        append_only("patients_trialrecord"),
    ]
