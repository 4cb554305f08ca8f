"""What happens around a chair, beside the treatment itself: a hand-over offered and answered, a patient who calls."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from limen.session.event_base import Recorded

Name = Annotated[str, Field(min_length=1, max_length=150)]


class OwnerOffered(Recorded):
    """The owner asks another person to take charge. Until that person accepts, nothing has changed."""

    kind: Literal["owner.offered"] = "owner.offered"
    to: Name


class OwnerDeclined(Recorded):
    """The person asked does not take the chair, or the owner takes the question back; the owner stays."""

    kind: Literal["owner.declined"] = "owner.declined"
    reason: str | None = None


class PatientCalled(Recorded):
    """The patient says on the own device: come, or all is well."""

    kind: Literal["patient.called"] = "patient.called"
    signal: Literal["come", "ok"]


class CallAnswered(Recorded):
    """A person goes to the patient who called."""

    kind: Literal["call.answered"] = "call.answered"
