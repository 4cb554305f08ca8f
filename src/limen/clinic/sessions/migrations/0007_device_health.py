"""What is known of a device now, what of it was kept aside, and a session's time over a clock that was turned."""

from __future__ import annotations

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    """Four fields, two tables."""

    dependencies = [
        ("sites", "0001_initial"),
        ("treatment", "0006_the_floor"),
    ]

    operations = [
        migrations.CreateModel(
            name="DeviceHealth",
            fields=[
                (
                    "device",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="health",
                        serialize=False,
                        to="treatment.device",
                    ),
                ),
                ("offsets", models.JSONField(default=list)),
                ("skew_s", models.FloatField(null=True)),
                ("skew_at", models.DateTimeField(null=True)),
                ("held", models.BigIntegerField(default=0)),
                ("held_at", models.DateTimeField(null=True)),
                ("held_why", models.CharField(blank=True, max_length=300)),
                ("held_where", models.CharField(blank=True, max_length=40)),
                ("lost", models.BigIntegerField(default=0)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="alarmsnapshot",
            name="clock_offset_s",
            field=models.FloatField(default=0.0),
        ),
        migrations.AddField(
            model_name="device",
            name="label",
            field=models.CharField(blank=True, max_length=80),
        ),
        migrations.AddField(
            model_name="deviceassociation",
            name="read_back",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="deviceassociation",
            name="started_t_s",
            field=models.FloatField(null=True),
        ),
        migrations.CreateModel(
            name="HeldBatch",
            fields=[
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("created_by", models.CharField(editable=False, max_length=150)),
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("batch_key", models.CharField(max_length=80)),
                ("held_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("why", models.CharField(max_length=300)),
                ("count", models.PositiveIntegerField()),
                ("body", models.JSONField(default=dict)),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="held_batches", to="treatment.device"
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sites.site"),
                ),
            ],
            options={
                "ordering": ("id",),
                "indexes": [models.Index(fields=["held_at"], name="held_by_time")],
                "constraints": [models.UniqueConstraint(fields=("device", "batch_key"), name="held_batch_once")],
            },
        ),
    ]
