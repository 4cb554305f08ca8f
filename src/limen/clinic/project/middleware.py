"""What stands around every request: whose page it is, the idle limit, its site, and refusals in one clear line."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import DataError, IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse

from limen.clinic.accounts.policy import DeniedError, record_denial
from limen.clinic.accounts.roles import ROLES
from limen.clinic.web.refusals import UNANSWERED, csrf_failed, overtaken, refusal, unanswered, unstorable
from limen.errors import LimenError

View = TypeVar("View", bound=Callable[..., Any])
GetResponse = Callable[[HttpRequest], HttpResponseBase]
_LOG = logging.getLogger(__name__)


def passive(view: View) -> View:
    """Mark a view that the page asks for by itself: a stream, a poll.

    It is not a sign that somebody is there, so it does not put off the idle limit. Nor does the idle limit end it: a
    board must not go blind because nobody touched it. The limit on the whole shift (``SESSION_COOKIE_AGE``) does.
    """
    view.passive = True  # type: ignore[attr-defined]
    return view


class _Passing:
    """Passes every request on; what is done hangs on the view, known only in ``process_view``, or on a fault."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass on."""
        return self.get_response(request)


class IdleTimeout(_Passing):
    """Ask an idle person to sign in again, and bring them back to the page they were on.

    What was typed stays in the browser (the page keeps it); the form is filled again after signing in.
    """

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """End the sign-in of somebody who has been away; else note that they are here."""
        if getattr(view, "passive", False) or not request.user.is_authenticated:
            return None
        now = time.time()
        seen = request.session.get("seen_at", now)
        if now - seen > settings.LIMEN_IDLE_MIN * 60:
            logout(request)
            return sign_in_again(request)
        # Once a minute is enough to count minutes, and spares a write on every click.
        if "seen_at" not in request.session or now - seen > min(60.0, settings.LIMEN_IDLE_MIN * 6):
            request.session["seen_at"] = now
        return None


class SamePerson(_Passing):
    """Refuse what a page sends that belongs to another person than the one signed in now.

    The form token changes with each sign-in and stops most of it; between its two cookies a tap could still slip
    through and go under the wrong name. A page says whose it is in ``X-Limen-Person``.
    """

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """Answer as a form without its token is answered: the page then looks whose sign-in this is."""
        whose = request.headers.get("X-Limen-Person")
        if not whose or not request.user.is_authenticated or whose == str(request.user.pk):
            return None
        return csrf_failed(request)


def sign_in_again(request: HttpRequest) -> HttpResponseBase:
    """To the sign-in page and back: for htmx by its own header, for an API as a 401, else by redirect."""
    if _wants_json(request):
        return JsonResponse({"error": "signed out after idling", "sign_in": reverse("account_login")}, status=401)
    back = request.get_full_path()
    if request.method != "GET" or request.headers.get("HX-Request"):
        came_from = urlsplit(request.headers.get("HX-Current-URL") or request.headers.get("Referer") or "")
        back = reverse("home")
        if came_from.netloc == request.get_host():
            back = came_from.path + (f"?{came_from.query}" if came_from.query else "")
    response = redirect_to_login(back)
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": response.url})
    return response


class CurrentSite(_Passing):
    """Set ``request.site``, ``request.roles`` and ``request.may`` for a signed-in person."""

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """Find the site; refuse clinic pages to a person without a role."""
        if not getattr(view, "login_required", True) or not request.user.is_authenticated:
            return None
        held = request.user.memberships.filter(is_active=True).select_related("site").order_by("site__name", "role")
        rows = list(held)
        chosen = request.session.get("site")
        site = next((row.site for row in rows if str(row.site_id) == chosen), rows[0].site if rows else None)
        roles = [row.role for row in rows if site is not None and row.site_id == site.pk]
        request.site = site  # type: ignore[assignment]
        request.roles = roles  # type: ignore[attr-defined]
        request.may = frozenset(verb for role in roles for verb in ROLES[role].permissions)  # type: ignore[attr-defined]
        if site is None and not view.__module__.startswith("allauth."):
            raise PermissionDenied("You hold no role at any site. Ask the medical director.")
        return None


class Refusals(_Passing):
    """A refusal that no form has caught, of a rule or the database: one line, the right status, never a traceback."""

    def process_exception(self, request: HttpRequest, problem: Exception) -> HttpResponseBase | None:
        """Answer a ``LimenError`` and a database in trouble; anything else is a defect and goes on its way."""
        if isinstance(problem, UNANSWERED):
            return unanswered(request, problem)
        if isinstance(problem, DataError):
            return refusal(request, unstorable())
        if isinstance(problem, IntegrityError):
            _LOG.warning("%s %s: %s", request.method, request.path, problem)
            return refusal(request, overtaken())
        if isinstance(problem, DeniedError):
            record_denial(problem)
        return refusal(request, problem) if isinstance(problem, LimenError) else None


def _wants_json(request: HttpRequest) -> bool:
    accepts = request.headers.get("Accept", "")
    return request.path.startswith("/api/") or accepts.startswith(("application/json", "text/event-stream"))
