"""Signatures under standing orders: written once, never changed."""

from __future__ import annotations

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from limen.clinic.audit.triggers import append_only


class Migration(migrations.Migration):
    dependencies = [
        ("sites", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="OrderSignature",
            fields=[
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("created_by", models.CharField(editable=False, max_length=150)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("sign", "Sign"), ("withdraw", "Withdraw")], default="sign", max_length=10
                    ),
                ),
                ("order", models.CharField(max_length=80)),
                ("digest", models.CharField(max_length=64)),
                ("content", models.JSONField()),
                ("knowledge_release", models.CharField(max_length=40)),
                ("interval_min", models.FloatField(null=True)),
                ("max_doses", models.PositiveSmallIntegerField(null=True)),
                ("expires_on", models.DateField(null=True)),
                ("reason", models.CharField(blank=True, max_length=300)),
                ("signed_at", models.DateTimeField()),
                (
                    "signed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sites.site"),
                ),
            ],
            options={
                "ordering": ("signed_at", "created_at"),
                "indexes": [models.Index(fields=["site", "order", "signed_at"], name="signature_of_order")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind", "withdraw"), ("expires_on__isnull", False), _connector="OR"),
                        name="signature_ends",
                    )
                ],
            },
        ),
        append_only("sites_ordersignature"),
    ]
