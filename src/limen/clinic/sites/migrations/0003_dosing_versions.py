"""A site's dosing settings by version; what was declared before becomes the first one."""

from __future__ import annotations

import uuid
from typing import Any

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from limen.care.site_dosing import site_dosing
from limen.clinic.audit.triggers import append_only

_BEFORE = "Declared before settings were kept by version"


def keep_what_was_declared(apps: Any, _: Any) -> None:
    site_model, version_model = apps.get_model("sites", "Site"), apps.get_model("sites", "DosingVersion")
    for site in site_model.objects.all():
        declared = site.capabilities.pop("dosing", None)
        if declared is None:
            continue
        known = site_dosing(declared)
        for kind in ("propose", "sign"):
            version_model.objects.create(
                site=site,
                kind=kind,
                number=1,
                based_on=0,
                content=known.model_dump(mode="json"),
                digest=known.digest,
                why=_BEFORE,
                knowledge_release="not recorded",
                created_by="migration",
                at=django.utils.timezone.now(),
            )
        site.save(update_fields=["capabilities"])


class Migration(migrations.Migration):
    dependencies = [
        ("sites", "0002_standing_orders"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DosingVersion",
            fields=[
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("created_by", models.CharField(editable=False, max_length=150)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("propose", "Propose"), ("sign", "Sign"), ("drop", "Drop")], max_length=10
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("based_on", models.PositiveIntegerField()),
                ("content", models.JSONField()),
                ("digest", models.CharField(max_length=64)),
                ("effect", models.JSONField(null=True)),
                ("why", models.CharField(max_length=300)),
                ("knowledge_release", models.CharField(max_length=80)),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sites.site"),
                ),
            ],
            options={
                "ordering": ("number", "at"),
                "indexes": [models.Index(fields=["site", "kind", "number"], name="dosing_in_force")],
                "constraints": [
                    models.UniqueConstraint(fields=("site", "number", "kind"), name="dosing_version_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "propose"), _negated=True),
                        fields=("site", "number"),
                        name="dosing_decided_once",
                    ),
                ],
            },
        ),
        migrations.RunPython(keep_what_was_declared, migrations.RunPython.noop),
        append_only("sites_dosingversion"),
    ]
