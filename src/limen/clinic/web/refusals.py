"""A refusal as a page: what, where, what is allowed. 400 for input, 403 for rights, 409 for the state of things.

And two answers of the database that are nobody's defect: 409 where somebody else was quicker, 503 where it does not
answer.
"""

from __future__ import annotations

import logging

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.forms import Form
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from limen.errors import InputError, LimenError, RefusedError

RETRY_S = "5"
UNANSWERED = (OperationalError, InterfaceError)  # locked for too long, deadlocked, gone, full
_LOG = logging.getLogger(__name__)


def status_of(problem: LimenError) -> int:
    """The HTTP status of a refusal."""
    if isinstance(problem, PermissionDenied):
        return 403
    if isinstance(problem, RefusedError):
        return 409
    return 400 if isinstance(problem, InputError) else 500


def overtaken() -> RefusedError:
    """What stands where a row could not be written because another one, written meanwhile, has its place."""
    return RefusedError(
        "somebody else wrote the same at this moment; nothing was changed", hint="Look again, then decide"
    )


def unstorable() -> InputError:
    """What stands where PostgreSQL holds no such text or number: a NUL character above all."""
    return InputError("a character or number that cannot be stored or looked for", allowed="plain text and numbers")


def unanswered(request: HttpRequest, problem: Exception) -> HttpResponse:
    """503: the database did not answer. Reads nothing from it."""
    _LOG.error("%s %s: the database did not answer", request.method, request.path, exc_info=problem)
    headers = {"Retry-After": RETRY_S}
    what = "the database did not answer in time"
    hint = "What was sent is not confirmed. Look whether it stands before it is sent again"
    if reads_json(request):
        body = {"error": {"what": what, "where": "database", "allowed": "", "hint": hint}}
        return JsonResponse(body, status=503, headers=headers)
    return HttpResponse(render_to_string("unanswered.html", {"what": what, "hint": hint}), status=503, headers=headers)


def reads_json(request: HttpRequest) -> bool:
    """Whether the asker is a program or a script of ours."""
    accepts = request.headers.get("Accept", "")
    return request.path.startswith("/api/") or accepts.startswith("application/json")


def refusal(request: HttpRequest, problem: LimenError) -> HttpResponse:
    """The answer to a refusal, as the asker reads: JSON, a fragment, or a page."""
    status = status_of(problem)
    if reads_json(request):
        body = {"error": problem.what, "where": problem.where, "allowed": problem.allowed, "hint": problem.hint}
        return JsonResponse(body, status=status)
    return render(request, "problem.html", {"problem": problem, "status": status}, status=status)


def blame(form: Form, problem: LimenError) -> int:
    """Put a refusal on the form that caused it, beside its field where one is named; the typed input stays.

    Returns the HTTP status. A refusal for want of rights is raised again: a form cannot mend it.
    """
    if isinstance(problem, PermissionDenied):
        raise problem
    names = (problem.where, problem.where.rsplit(".", 1)[-1])
    name = next((name for name in names if name in form.fields), None)
    form.add_error(name, str(problem) if name is None else _without_where(problem))
    return status_of(problem)


def _without_where(problem: LimenError) -> str:
    return str(LimenError(problem.what, allowed=problem.allowed, hint=problem.hint))
