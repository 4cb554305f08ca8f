"""Vials, and the hash-chained lines that move every milligram of them."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from limen.clinic.audit.guard import SiteModel, SiteRow


class Vial(SiteModel):
    """One vial of one lot, under its own label.

    One that the book alone received has no strength on file, and is never drawn from for a patient.
    """

    label = models.CharField(max_length=60)
    product = models.CharField(max_length=30, blank=True)
    strength_mg_per_mL = models.DecimalField(max_digits=10, decimal_places=3, null=True)
    volume_mL = models.DecimalField(max_digits=10, decimal_places=3, null=True)
    lot = models.CharField(max_length=60, blank=True)
    expiry = models.DateField(null=True)

    class Meta:
        ordering = ("expiry", "label")
        constraints = (
            models.UniqueConstraint(fields=["site", "label"], name="vial_label_once"),
            models.CheckConstraint(
                condition=models.Q(strength_mg_per_mL__gt=0, volume_mL__gt=0), name="vial_holds_something"
            ),
        )

    def __str__(self) -> str:
        return self.label


class LedgerEntry(SiteRow):
    """One line of a site's book. ``hash`` covers the line and ``prev_hash``: a changed past breaks the chain."""

    id = models.BigAutoField(primary_key=True)
    position = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=12)
    vial = models.ForeignKey(Vial, on_delete=models.PROTECT, related_name="entries")
    amount_mg = models.DecimalField(max_digits=12, decimal_places=3)
    session = models.ForeignKey("treatment.Session", on_delete=models.PROTECT, null=True, related_name="ledger_entries")
    by = models.CharField(max_length=150)
    witness = models.CharField(max_length=150, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    key = models.CharField(max_length=80)
    at = models.DateTimeField(default=timezone.now)
    data = models.JSONField(default=dict)
    prev_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    append_only = True

    class Meta:
        ordering = ("site", "position")
        verbose_name = "ledger entry"
        verbose_name_plural = "ledger entries"
        constraints = (
            models.UniqueConstraint(fields=["site", "position"], name="ledger_position_once"),
            models.UniqueConstraint(fields=["site", "key"], name="ledger_key_once"),
        )
        indexes = (models.Index(fields=["vial", "position"], name="ledger_by_vial"),)

    def __str__(self) -> str:
        return f"{self.position} {self.kind} {self.amount_mg} mg"
