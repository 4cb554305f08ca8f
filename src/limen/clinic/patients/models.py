"""A patient, and the dated facts on record. Never edited: a correction is a new row that names the old one."""

from __future__ import annotations

from django.db import models

from limen.clinic.audit.guard import SiteModel


class Patient(SiteModel):
    """FHIR Patient."""

    class Sex(models.TextChoices):
        """Administrative sex, as FHIR spells it."""

        FEMALE = "female"
        MALE = "male"
        OTHER = "other"
        UNKNOWN = "unknown"

    mrn = models.CharField("medical record number", max_length=64)
    family_name = models.CharField(max_length=120)
    given_name = models.CharField(max_length=120)
    birth_date = models.DateField()
    sex = models.CharField(max_length=10, choices=Sex.choices)
    phone = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ("family_name", "given_name")
        constraints = (models.UniqueConstraint(fields=["site", "mrn"], name="patient_mrn_once"),)

    def __str__(self) -> str:
        return f"{self.family_name}, {self.given_name}"


class Recorded(SiteModel):
    """Something on record about a patient: when it was true, where it comes from, and what it corrects."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="%(class)ss")
    effective_at = models.DateTimeField(null=True)  # null: the source gave no date, so its age is not known
    source = models.CharField(max_length=120)
    entered_in_error_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="corrections")
    retracted = models.BooleanField(default=False)  # true on a correction that puts nothing in the old row's place
    reason = models.CharField(max_length=300, blank=True)

    append_only = True

    class Meta:
        abstract = True
        ordering = ("effective_at", "created_at")


class Fact(Recorded):
    """One value with its unit. ``kind`` is a key of ``limen.knowledge.inputs``: ``scores.PHQ-9`` ...

    Beside those, ``history.conditions``, ``history.medications`` and ``history.trials`` say that a history was taken,
    ``history.allergies`` what was answered (``none known``, ``listed``), and ``allergy`` names one.
    """

    kind = models.CharField(max_length=60)
    value = models.JSONField(null=True)
    unit = models.CharField(max_length=20, blank=True)

    class Meta(Recorded.Meta):
        indexes = (models.Index(fields=["patient", "kind", "effective_at"], name="fact_by_kind"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.value} {self.unit}".strip()


class ConditionRecord(Recorded):
    """FHIR Condition."""

    code = models.CharField(max_length=40, blank=True)
    system = models.CharField(max_length=20, blank=True)
    text = models.CharField(max_length=300)
    status = models.CharField(max_length=20, choices=[("active", "active"), ("resolved", "resolved")])
    onset = models.DateField(null=True)

    def __str__(self) -> str:
        return self.text


class MedicationRecord(Recorded):
    """FHIR MedicationStatement."""

    name = models.CharField(max_length=300)
    code = models.CharField(max_length=40, blank=True)
    system = models.CharField(max_length=20, blank=True)
    dose = models.CharField(max_length=120, blank=True)
    status = models.CharField(max_length=20, default="active", choices=[("active", "active"), ("stopped", "stopped")])
    last_taken_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class TrialRecord(Recorded):
    """One antidepressant that was tried: how much, how long, whether it was taken, what came of it."""

    drug = models.CharField(max_length=120)
    dose_mg_per_day = models.FloatField(null=True)  # the highest that was held
    held_weeks = models.FloatField(null=True)
    adherence = models.CharField(max_length=10, blank=True)
    response = models.CharField(max_length=12, blank=True)
    improvement_pct = models.FloatField(null=True)
    episode = models.CharField(max_length=10, default="current")

    class Meta(Recorded.Meta):
        indexes = (models.Index(fields=["patient", "created_at"], name="trial_by_patient"),)

    def __str__(self) -> str:
        dose = "dose not known" if self.dose_mg_per_day is None else f"{self.dose_mg_per_day:g} mg a day"
        return f"{self.drug}, {dose}"


class BundleImport(SiteModel):
    """A FHIR bundle as it came, and what was taken from it."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="imports")
    file_name = models.CharField(max_length=200, blank=True)
    sha256 = models.CharField(max_length=64)
    report = models.JSONField()
    raw = models.JSONField()

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"bundle {self.sha256[:12]}"


class ConsentRecord(SiteModel):
    """FHIR Consent to one course: given against one version of the checklist, or withdrawn.

    ``said`` holds the words as they were read, so that the record shows what was agreed to after the checklist changes.
    """

    class Kind(models.TextChoices):
        """What the patient did."""

        GIVEN = "given"
        WITHDRAWN = "withdrawn"

    course = models.ForeignKey("courses.Course", on_delete=models.PROTECT, related_name="consents")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    on = models.DateField()
    version = models.CharField(max_length=60)
    said = models.JSONField(default=list)  # the headings that were gone through, with their words and digests
    signed_name = models.CharField(max_length=120)
    language = models.CharField(max_length=40, blank=True)
    interpreter = models.CharField(max_length=120, blank=True)
    reason = models.CharField(max_length=300, blank=True)

    append_only = True

    class Meta:
        ordering = ("created_at",)
        indexes = (models.Index(fields=["course", "created_at"], name="consent_by_course"),)

    def __str__(self) -> str:
        return f"consent {self.kind} on {self.on}"
