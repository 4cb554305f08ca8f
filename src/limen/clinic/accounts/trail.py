"""Signing in and out stands in the audit trail, and so does every attempt that failed."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest

from limen.clinic.accounts.models import User
from limen.clinic.audit.models import AuditEntry


def listen() -> None:
    """Follow Django's own signals; called once, when the application is ready."""
    user_logged_in.connect(_came, dispatch_uid="limen-signed-in")
    user_logged_out.connect(_left, dispatch_uid="limen-signed-out")
    user_login_failed.connect(_failed, dispatch_uid="limen-sign-in-failed")


def _came(sender: Any, request: HttpRequest | None, user: User, **rest: Any) -> None:
    AuditEntry.signed(user.username, "accounts.sign_in", _site_of(user), done=True, detail=_from(request))


def _left(sender: Any, request: HttpRequest | None, user: User | None, **rest: Any) -> None:
    if user is not None:
        AuditEntry.signed(user.username, "accounts.sign_out", _site_of(user), done=True, detail=_from(request))


def _failed(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **rest: Any) -> None:
    # Only a name on file is kept: people type passwords into the wrong field.
    tried = str(credentials.get("username") or "").lower()
    user = User.objects.filter(username=tried).first()
    AuditEntry.signed(
        user.username if user is not None else "unknown",
        "accounts.sign_in",
        _site_of(user) if user is not None else "",
        done=False,
        detail=_from(request),
    )


def _site_of(user: User) -> str:
    site = user.memberships.filter(is_active=True).order_by("created_at").values_list("site_id", flat=True).first()
    return str(site or "")


def _from(request: HttpRequest | None) -> dict[str, Any]:
    return {"address": request.META.get("REMOTE_ADDR", "")} if request is not None else {}
