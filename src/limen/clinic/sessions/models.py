"""A treatment session: its header, its append-only events, and what the monitors sent."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from limen.clinic.audit.guard import Guarded, SiteModel, SiteRow


class Session(SiteModel):
    """One session of a course (FHIR Encounter). Its state is what its events fold to; ``status`` is that, for lists."""

    class Status(models.TextChoices):
        """Where the session stands."""

        PLANNED = "planned"
        RUNNING = "running"
        RECOVERY = "recovery"
        ENDED = "ended"
        DISCHARGED = "discharged"

    course = models.ForeignKey("courses.Course", on_delete=models.PROTECT, related_name="sessions")
    patient = models.ForeignKey("patients.Patient", on_delete=models.PROTECT, related_name="sessions")
    plan = models.ForeignKey("courses.Plan", on_delete=models.PROTECT, related_name="sessions")
    chair = models.ForeignKey("sites.Chair", on_delete=models.PROTECT, related_name="sessions")
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.PLANNED)
    header = models.JSONField(default=dict)  # the contract's S.session
    rules_snapshot = models.JSONField(null=True)
    knowledge_release = models.CharField(max_length=80, blank=True)
    product_version = models.CharField(max_length=30, blank=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    # Whom the owner asked to take over; until that person accepts, the owner is the owner.
    offered_to = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            # A session that was ended before it began was none: the next one has its number, and its plan.
            models.UniqueConstraint(
                fields=["course", "number"],
                condition=~models.Q(status="ended", started_at=None),
                name="session_number_once",
            ),
            models.UniqueConstraint(
                fields=["chair"],
                condition=models.Q(status__in=["running", "recovery"]),
                name="one_open_session_in_a_chair",
            ),
            models.CheckConstraint(
                condition=~models.Q(status__in=["running", "recovery"]) | models.Q(owner__isnull=False),
                name="a_chair_in_use_has_an_owner",
            ),
        )
        # What the monitor asks each second and the board each time: never by reading every session there ever was.
        indexes = (
            models.Index(fields=["status", "site"], name="session_by_status"),
            models.Index(fields=["site", "started_at"], name="session_by_start"),
            models.Index(fields=["ended_at"], name="session_by_end"),
        )

    def __str__(self) -> str:
        return f"session {self.number}"


class SessionEvent(SiteRow):
    """One thing that happened. ``id`` orders all events of the clinic; ``seq`` those of a session."""

    id = models.BigAutoField(primary_key=True)
    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="events")
    seq = models.PositiveIntegerField()
    kind = models.CharField(max_length=40)
    t_s = models.FloatField()
    at = models.DateTimeField(default=timezone.now)
    by = models.CharField(max_length=150)
    data = models.JSONField(default=dict)
    key = models.CharField(max_length=80, null=True)

    append_only = True

    class Meta:
        ordering = ("session", "seq")
        constraints = (
            models.UniqueConstraint(fields=["session", "seq"], name="event_seq_once"),
            models.UniqueConstraint(fields=["session", "key"], name="event_key_once"),
        )

    def __str__(self) -> str:
        return f"{self.seq} {self.kind}"


class Device(SiteModel):
    """A monitor, pump or gateway that may send samples with its token."""

    class Status(models.TextChoices):
        """Whether its token is accepted."""

        ACTIVE = "active"
        RETIRED = "retired"

    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=40)
    token_hash = models.CharField(max_length=128, unique=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    streams = models.JSONField(default=dict)  # signal -> {"period_s": seconds, or null for a cuff}
    label = models.CharField(max_length=80, blank=True)  # what stands on its barcode; its name where it has none

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=["site", "name"], name="device_name_once"),)

    def __str__(self) -> str:
        return self.name


class DeviceAssociation(SiteModel):
    """From when to when a device measured the patient of a session."""

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="associations")
    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="associations")
    started_at = models.DateTimeField(default=timezone.now)
    started_t_s = models.FloatField(null=True)  # in session time; null where it was put on before the start
    ended_at = models.DateTimeField(null=True)
    read_back = models.CharField(max_length=200, blank=True)  # what the person read on device and chair

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["device"], condition=models.Q(ended_at=None), name="device_on_one_patient_at_a_time"
            ),
        )

    def __str__(self) -> str:
        return f"{self.device_id} on {self.session_id}"


class DeviceHealth(Guarded):
    """What is known of a device now: its clock against ours, and what of it was not charted. One row, overwritten."""

    device = models.OneToOneField(Device, on_delete=models.PROTECT, primary_key=True, related_name="health")
    offsets = models.JSONField(default=list)  # the newest differences of the clocks, in seconds
    skew_s = models.FloatField(null=True)  # device minus server
    skew_at = models.DateTimeField(null=True)
    held = models.BigIntegerField(default=0)  # values refused and kept aside, ever
    held_at = models.DateTimeField(null=True)
    held_why = models.CharField(max_length=300, blank=True)
    held_where = models.CharField(max_length=40, blank=True)
    lost = models.BigIntegerField(default=0)  # values that its own gateway says it had to drop

    def __str__(self) -> str:
        return f"health of {self.device_id}"


class HeldBatch(SiteRow):
    """Values that belong to no session that we know of, or to another patient: kept aside, never charted."""

    id = models.BigAutoField(primary_key=True)
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="held_batches")
    batch_key = models.CharField(max_length=80)
    held_at = models.DateTimeField(default=timezone.now)
    why = models.CharField(max_length=300)
    count = models.PositiveIntegerField()
    body = models.JSONField(default=dict)

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["device", "batch_key"], name="held_batch_once"),)
        indexes = (models.Index(fields=["held_at"], name="held_by_time"),)

    def __str__(self) -> str:
        return f"{self.batch_key} held"


class SampleBatch(SiteRow):
    """A batch that was taken in: sending it again changes nothing."""

    id = models.BigAutoField(primary_key=True)
    site = models.ForeignKey("sites.Site", on_delete=models.PROTECT, related_name="+", db_index=False)
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="batches", db_index=False)
    batch_key = models.CharField(max_length=80)
    received_at = models.DateTimeField(default=timezone.now)
    count = models.PositiveIntegerField()

    append_only = True

    class Meta:
        constraints = (models.UniqueConstraint(fields=["device", "batch_key"], name="batch_key_once"),)

    def __str__(self) -> str:
        return self.batch_key


class Sample(SiteRow):
    """One value of one signal. ``value`` null: the device spoke, and had no value.

    The longest table by far: an index of each foreign key alone would be a third of it, and the indexes below begin
    with those columns. The same holds for the two tables beside it.
    """

    id = models.BigAutoField(primary_key=True)
    site = models.ForeignKey("sites.Site", on_delete=models.PROTECT, related_name="+", db_index=False)
    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="samples", db_index=False)
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="samples", db_index=False)
    seq = models.BigIntegerField()
    signal = models.CharField(max_length=12)
    value = models.FloatField(null=True)
    t_s = models.FloatField()
    received_t_s = models.FloatField()
    received_at = models.DateTimeField(default=timezone.now)

    append_only = True

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["device", "seq", "signal"], name="sample_once"),)
        indexes = (
            models.Index(fields=["session", "signal", "t_s"], name="sample_by_signal"),
            models.Index(fields=["session", "received_t_s"], name="sample_by_arrival"),
        )

    def __str__(self) -> str:
        return f"{self.signal} {self.value}"


class Heartbeat(Guarded):
    """The last sign of life of a process such as the monitor."""

    name = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField()
    pid = models.IntegerField()
    version = models.CharField(max_length=30)
    counter = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class AlarmSnapshot(Guarded):
    """The alarm state of a session after its last tick. ``version`` is compared and set: two cannot step at once."""

    session = models.OneToOneField(Session, on_delete=models.PROTECT, primary_key=True, related_name="alarms")
    version = models.BigIntegerField(default=0)
    tick_t_s = models.FloatField(null=True)
    clock_offset_s = models.FloatField(default=0.0)  # how far the server's clock was turned, back being positive
    state = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"alarms of {self.session_id}, version {self.version}"


class LiveEvent(SiteRow):
    """One thing that a live page must hear of. Made from other rows; old ones may go."""

    class Kind(models.TextChoices):
        """What changed."""

        SAMPLES = "samples"
        EVENT = "event"
        ALARM = "alarm"
        MONITOR = "monitor"

    id = models.BigAutoField(primary_key=True)
    site = models.ForeignKey("sites.Site", on_delete=models.PROTECT, related_name="+", db_index=False)
    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="live_events", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ("id",)
        indexes = (
            models.Index(fields=["session", "id"], name="live_by_session"),
            models.Index(fields=["site", "id"], name="live_by_site"),
        )

    def __str__(self) -> str:
        return f"{self.id} {self.kind}"


class AlarmRecord(SiteRow):
    """One change of one alarm, as the monitor decided it: raised, ended, acknowledged, sound held or returned."""

    append_only = True

    id = models.BigAutoField(primary_key=True)
    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="alarm_records")
    seq = models.PositiveIntegerField()
    kind = models.CharField(max_length=16)
    key = models.CharField(max_length=120, blank=True)
    t_s = models.FloatField()
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["session", "seq"], name="alarm_seq_once"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


from limen.clinic.sessions.floor_models import Comfort as Comfort  # noqa: E402  Django finds models here
from limen.clinic.sessions.floor_models import PatientLink as PatientLink  # noqa: E402
