"""The second person signs with their own name and password, on the form where they stand."""

from __future__ import annotations

from typing import cast

from allauth.account.adapter import get_adapter
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from limen.clinic.accounts.models import User
from limen.errors import InputError


def second_person(request: HttpRequest, username: str, password: str) -> User:
    """The person whose name and password these are. Nobody is signed in or out.

    Wrong attempts count against the same limits as signing in.

    Raises
    ------
    InputError
        If they do not fit, or there were too many attempts.
    """
    try:
        found = get_adapter(request).authenticate(request, username=username.strip().lower(), password=password)
    except ValidationError as problem:
        raise InputError(" ".join(problem.messages), where="witness", allowed="one try at a time") from None
    if found is None or not found.is_active:
        raise InputError(
            "this name and password do not fit",
            where="witness",
            allowed="the second person's own user name and password",
        )
    return cast(User, found)
