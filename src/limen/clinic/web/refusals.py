"""A refusal as a page: what, where, what is allowed. 400 for input, 403 for rights, 409 for the state of things.

And two answers of the database that are nobody's defect: 409 where somebody else was quicker, 503 where it does not
answer or its disk is full.
"""

from __future__ import annotations

import logging
import time

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
FULL = "the disk of the clinic's server is full: nothing can be stored"
FULL_FOR_S = 10.0  # pages and devices write every few seconds, so a full disk is met anew while it lasts
_full_at_s = -FULL_FOR_S


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


def disk_full(problem: BaseException | None) -> bool:
    """Whether the database could not write for want of room: SQLite's own word, a limit on the file, PostgreSQL's."""
    while problem is not None:
        named = getattr(problem, "sqlite_errorname", "")
        if named in ("SQLITE_FULL", "SQLITE_IOERR_WRITE") or getattr(problem, "sqlstate", None) == "53100":
            return True
        problem = problem.__cause__
    return False


def trouble() -> str:
    """What this server suffers from now, for its pages to say; empty where it met nothing of the kind lately."""
    return FULL if time.monotonic() - _full_at_s < FULL_FOR_S else ""


def unanswered(request: HttpRequest, problem: Exception) -> HttpResponse:
    """503: the database did not answer, or has no room. Reads nothing from it."""
    global _full_at_s  # noqa: PLW0603  one process, one disk
    headers = {"Retry-After": RETRY_S}
    what = "the database did not answer in time"
    hint = "What was sent is not confirmed. Look whether it stands before it is sent again"
    if disk_full(problem):
        _full_at_s = time.monotonic()
        what, hint = FULL, "What was sent is not stored. Make room on the server, then send it again"
    _LOG.error("%s %s: %s", request.method, request.path, what, exc_info=problem)
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


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form came without its token: mostly a page left open over a sign-in. What was typed is kept in the page."""
    problem = RefusedError("this form is older than your sign-in", hint="Go back, reload the page and send it again")
    return render(request, "problem.html", {"problem": problem, "status": 403}, status=403)


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
