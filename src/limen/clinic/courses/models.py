"""A course of treatment (FHIR EpisodeOfCare): what was screened, what was overridden and by whom, what was signed."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from limen.clinic.audit.guard import SiteModel


class Course(SiteModel):
    """One patient, one indication, one product by one route."""

    class Status(models.TextChoices):
        """Where the course stands."""

        PROPOSED = "proposed"
        ACTIVE = "active"
        COMPLETED = "completed"
        STOPPED = "stopped"

    patient = models.ForeignKey("patients.Patient", on_delete=models.PROTECT, related_name="courses")
    indication = models.CharField(max_length=40)
    product = models.CharField(max_length=30)
    route = models.CharField(max_length=10)
    setting = models.CharField(max_length=20)
    protocol = models.CharField(max_length=30, blank=True)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.PROPOSED)
    started_on = models.DateField(null=True)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.indication} {self.product} {self.route}"


class ScreeningResult(SiteModel):
    """A verdict with all that it rests on. Never changed; a later screening is a new row."""

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="screenings")
    case = models.JSONField()
    result = models.JSONField()
    verdict = models.CharField(max_length=12)
    knowledge_release = models.CharField(max_length=80)
    on = models.DateField()

    append_only = True

    class Meta:
        ordering = ("-created_at",)
        # Holds the verdict and its day: lists read it without touching the rows, which are long.
        indexes = (models.Index(fields=["course", "created_at", "verdict", "on"], name="screening_verdict"),)

    def __str__(self) -> str:
        return f"{self.verdict} on {self.on}"


class Override(SiteModel):
    """A person's decision beside a refusal, which stays as it is."""

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="overrides")
    screening = models.ForeignKey(ScreeningResult, on_delete=models.PROTECT, related_name="overrides")
    rule = models.CharField(max_length=40)
    level = models.CharField(max_length=10)
    because = models.TextField(blank=True)  # the refusal as it read when it was overridden
    reason = models.TextField()
    role = models.CharField(max_length=30)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    on = models.DateField()

    append_only = True

    class Meta:
        ordering = ("created_at",)
        constraints = (models.UniqueConstraint(fields=["screening", "rule", "level"], name="override_once"),)

    def __str__(self) -> str:
        return f"{self.rule} overridden"


class Plan(SiteModel):
    """One session's dose, as asked and as the limits allow, and the signature under it."""

    class Status(models.TextChoices):
        """Draft until signed; superseded when another is signed."""

        DRAFT = "draft"
        SIGNED = "signed"
        SUPERSEDED = "superseded"

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="plans")
    screening = models.ForeignKey(ScreeningResult, on_delete=models.PROTECT, related_name="plans")
    protocol = models.CharField(max_length=30)
    dose_text = models.CharField(max_length=120, blank=True)  # what was asked; empty: the protocol's own dose
    concentration_mg_per_mL = models.FloatField(null=True)  # of the vial
    dilute_to_mg_per_mL = models.FloatField(null=True)  # of what the pump runs; null: as the protocol prepares it
    weight_basis = models.CharField(max_length=10, blank=True)  # which weight doses follow; empty: the protocol's own
    passed_walls = models.JSONField(default=list)  # soft limits passed on purpose
    passed_because = models.CharField(max_length=300, blank=True)
    on = models.DateField()
    result = models.JSONField()
    overrides = models.ManyToManyField(Override, related_name="plans")
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.DRAFT)
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    signed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=["course"], condition=models.Q(status="signed"), name="one_signed_plan_in_a_course"
            ),
            models.CheckConstraint(
                condition=models.Q(signed_by=None, signed_at=None, status__in=["draft", "superseded"])
                | models.Q(signed_by__isnull=False, signed_at__isnull=False, status__in=["signed", "superseded"]),
                name="plan_signature_whole",
            ),
        )

    def __str__(self) -> str:
        return f"{self.protocol} {self.status}"
