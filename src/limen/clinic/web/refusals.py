"""A refusal as a page: what, where, what is allowed. 400 for input, 403 for rights, 409 for the state of things."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from limen.errors import InputError, LimenError, RefusedError


def status_of(problem: LimenError) -> int:
    """The HTTP status of a refusal."""
    if isinstance(problem, PermissionDenied):
        return 403
    if isinstance(problem, RefusedError):
        return 409
    return 400 if isinstance(problem, InputError) else 500


def refusal(request: HttpRequest, problem: LimenError) -> HttpResponse:
    """The answer to a refusal, as the asker reads: JSON, a fragment, or a page."""
    status = status_of(problem)
    accepts = request.headers.get("Accept", "")
    if request.path.startswith("/api/") or accepts.startswith("application/json"):
        body = {"error": problem.what, "where": problem.where, "allowed": problem.allowed, "hint": problem.hint}
        return JsonResponse(body, status=status)
    return render(request, "problem.html", {"problem": problem, "status": status}, status=status)


def blame(form: Form, problem: LimenError) -> int:
    """Put a refusal on the form that caused it, beside its field where one is named; the typed input stays.

    Returns the HTTP status. A refusal for want of rights is raised again: a form cannot mend it.
    """
    if isinstance(problem, PermissionDenied):
        raise problem
    name = problem.where.rsplit(".", 1)[-1]
    text = str(problem) if name not in form.fields else _without_where(problem)
    form.add_error(name if name in form.fields else None, text)
    return status_of(problem)


def _without_where(problem: LimenError) -> str:
    return str(LimenError(problem.what, allowed=problem.allowed, hint=problem.hint))
