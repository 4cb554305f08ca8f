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
    names = (problem.where, problem.where.rsplit(".", 1)[-1])
    name = next((name for name in names if name in form.fields), None)
    form.add_error(name, str(problem) if name is None else _without_where(problem))
    return status_of(problem)


def _without_where(problem: LimenError) -> str:
    return str(LimenError(problem.what, allowed=problem.allowed, hint=problem.hint))
