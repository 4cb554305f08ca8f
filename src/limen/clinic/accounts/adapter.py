"""How sign-in differs from allauth's default: nobody signs up, and each sign-in is audited."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts are made by the medical director, never by whoever finds the page."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Closed."""
        return False

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """No passing messages: the page itself says who is signed in."""
