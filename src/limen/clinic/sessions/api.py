"""The devices' door: ``POST /api/ingest``. Typed by django-ninja; its schema is at ``/api/openapi.json``."""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import HttpBearer
from pydantic import AllowInfNan, Field

import limen
from limen.clinic.sessions.health import hold_refused
from limen.clinic.sessions.ingest import (
    Batch,
    Measured,
    Taken,
    UnknownError,
    WrongPatientError,
    audit_refusal,
    device_of,
    take_batches,
)
from limen.clinic.sessions.models import Device
from limen.clinic.sessions.together import Together
from limen.clinic.web.refusals import unanswered
from limen.errors import InputError, LimenError, RefusedError

Finite = Annotated[float, AllowInfNan(False)]
SignalName = Literal[
    "HR", "PULSE", "SPO2", "RR", "NIBP_SYS", "NIBP_DIA", "NIBP_MEAN", "ETCO2", "TEMP", "PUMP_VOLUME", "PUMP_RATE"
]
MAX_SAMPLES = 1000
TAKEN: Together[Batch, Taken] = Together(take_batches)
PLAIN = "^[^\\x00-\\x1f]*$"  # PostgreSQL stores no NUL, and a name has no line break


class SampleIn(Schema, extra="forbid"):
    """One value. ``t_s`` is on the device's own clock."""

    seq: int = Field(ge=0, lt=2**62)
    t_s: Finite
    signal: SignalName
    value: Finite | None


class BatchIn(Schema, extra="forbid"):
    """A batch: sent again as it is until it is answered. ``sent_s`` is on the clock of the samples' ``t_s``."""

    device: str = Field(min_length=1, max_length=80, pattern=PLAIN)
    batch: str = Field(min_length=1, max_length=80, pattern=PLAIN)
    sent_s: Finite
    samples: list[SampleIn] = Field(min_length=1, max_length=MAX_SAMPLES)
    session: str | None = Field(default=None, max_length=80, pattern=PLAIN)
    patient: str | None = Field(default=None, max_length=64, pattern=PLAIN)
    clock_s: Finite | None = None  # what the device's own clock shows, in seconds since the epoch
    lost: int = Field(default=0, ge=0, lt=2**62)  # values that its gateway had to drop, ever


class BatchOut(Schema):
    """What became of it."""

    batch: str
    session: str
    stored: int
    known: int
    outside: int


class Problem(Schema):
    """What is wrong, where, and what is allowed."""

    what: str
    where: str
    allowed: str


class Refusal(Schema):
    """An answer that stored nothing."""

    error: Problem


class DeviceToken(HttpBearer):
    """``Authorization: Bearer TOKEN``."""

    def authenticate(self, request: HttpRequest, token: str) -> Device | None:
        """The device that holds this token."""
        return device_of(token)


api = NinjaAPI(
    title="Limen devices",
    version=limen.__version__,
    auth=DeviceToken(),
    docs_url=None,
    openapi_url=None,
    urls_namespace="devices",
)


@api.post("/ingest", response={200: BatchOut, frozenset({400, 401, 404, 409, 422, 503}): Refusal}, url_name="ingest")
def ingest(request: HttpRequest, batch: BatchIn) -> Taken:
    """Take a batch of samples for the session the device is on."""
    device: Device = request.auth  # type: ignore[attr-defined]
    try:
        return TAKEN.do(
            Batch(
                device=device,
                key=batch.batch,
                samples=[
                    Measured(sample.seq, sample.signal, sample.value, age_s=batch.sent_s - sample.t_s)
                    for sample in batch.samples
                ],
                named_device=batch.device,
                named_session=batch.session,
                named_patient=batch.patient,
                clock_off_s=None if batch.clock_s is None else batch.clock_s - time.time(),
                lost=batch.lost,
            )
        )
    except (UnknownError, RefusedError) as problem:
        disagrees = isinstance(problem, UnknownError | WrongPatientError)
        hold_refused(device, batch.batch, batch.model_dump(), problem, disagrees=disagrees)
        raise


def _answer(request: HttpRequest, status: int, what: str, where: str = "", allowed: str = "") -> HttpResponse:
    body = {"error": {"what": what, "where": where, "allowed": allowed}}
    return api.create_response(request, body, status=status)


@api.exception_handler(LimenError)
def _refused(request: HttpRequest, problem: LimenError) -> HttpResponse:
    if isinstance(problem, WrongPatientError):
        audit_refusal(problem)
    status = 500
    for kind, code in ((UnknownError, 404), (InputError, 400), (RefusedError, 409)):
        if isinstance(problem, kind):
            status = code
            break
    return _answer(request, status, problem.what, problem.where, problem.allowed)


@api.exception_handler(DatabaseError)
@api.exception_handler(InterfaceError)
def _unanswered(request: HttpRequest, problem: Exception) -> HttpResponse:
    """Not now: the device sends the batch again until it is taken."""
    return unanswered(request, problem)


@api.exception_handler(ValidationError)
def _malformed(request: HttpRequest, problem: ValidationError) -> HttpResponse:
    first = problem.errors[0]
    where = ".".join(str(part) for part in first["loc"][2:])  # after "body" and the name of the argument
    return _answer(request, 422, str(first["msg"]), where or "body")


@api.exception_handler(HttpError)
def _unreadable(request: HttpRequest, problem: HttpError) -> HttpResponse:
    return _answer(request, problem.status_code, str(problem), "body", "one JSON object as in /api/openapi.json")


@api.exception_handler(AuthenticationError)
def _unknown_token(request: HttpRequest, problem: AuthenticationError) -> HttpResponse:
    return _answer(request, 401, "no active device has this token", "Authorization", "Bearer TOKEN of a device")


@login_not_required
@require_GET
def openapi(request: HttpRequest) -> JsonResponse:
    """The schema of this door."""
    return JsonResponse(api.get_openapi_schema(path_prefix="/api/"))


urls: Any = api.urls
for _pattern in urls[0]:
    _pattern.callback = login_not_required(_pattern.callback)  # devices hold tokens, not sign-ins
