"""A chair in use always has an owner; hand-overs that wait; what calms a patient; the patient's own call page."""

from __future__ import annotations

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from limen.clinic.audit.triggers import append_only


class Migration(migrations.Migration):
    """One field, one constraint, two tables."""

    dependencies = [
        ("treatment", "0005_session_indexes"),
        ("patients", "0001_initial"),
        ("sites", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.AddField(
            model_name="session",
            name="offered_to",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["running", "recovery"]), _negated=True)
                | models.Q(("owner__isnull", False)),
                name="a_chair_in_use_has_an_owner",
            ),
        ),
        migrations.CreateModel(
            name="Comfort",
            fields=[
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("created_by", models.CharField(editable=False, max_length=150)),
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("helps", models.CharField(max_length=300)),
                ("words", models.CharField(blank=True, max_length=300)),
                ("avoid", models.CharField(blank=True, max_length=300)),
                (
                    "touch",
                    models.CharField(
                        choices=[
                            ("welcome", "a hand is welcome"),
                            ("ask", "ask first"),
                            ("no", "please do not touch"),
                        ],
                        max_length=10,
                    ),
                ),
                ("person", models.CharField(blank=True, max_length=150)),
                ("recorded_by", models.CharField(max_length=150)),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="comforts", to="patients.patient"
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sites.site"),
                ),
            ],
            options={"ordering": ("-id",)},
        ),
        migrations.CreateModel(
            name="PatientLink",
            fields=[
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("created_by", models.CharField(editable=False, max_length=150)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                ("device_hash", models.CharField(blank=True, max_length=64)),
                ("opened_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="patient_links",
                        to="treatment.session",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sites.site"),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("session",),
                        name="one_call_page_for_a_session",
                    )
                ],
            },
        ),
        append_only("treatment_comfort"),
    ]
