"""Reads about people."""

from __future__ import annotations

from collections.abc import Iterable

from limen.clinic.accounts.models import User


def names(usernames: Iterable[str]) -> dict[str, str]:
    """The names on screens of those who made rows; a name that is no person's stays as it is."""
    asked = set(usernames)
    if not asked:
        return {}
    known = dict(User.objects.filter(username__in=asked).values_list("username", "display_name"))
    return {username: known.get(username) or username for username in asked}


def name_of(username: str) -> str:
    """The name on screens of who made a row."""
    return names([username])[username]
