"""People and their roles: who may come in, and as what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from limen.clinic.accounts.models import Membership, User
from limen.clinic.accounts.permissions import Permission
from limen.clinic.accounts.roles import ROLES
from limen.clinic.audit.act import about, acting, action, note
from limen.errors import InputError, RefusedError

if TYPE_CHECKING:
    from limen.clinic.sites.models import Site


@action(Permission.USERS_MANAGE, on="site")
def create_user(
    *, by: User, site: Site, username: str, display_name: str, initials: str, password: str, roles: list[str]
) -> User:
    """A new person with roles at the site."""
    return _create_user(site, username, display_name, initials, password, roles)


def bootstrap_user(
    *, by: str, site: Site, username: str, display_name: str, initials: str, password: str, roles: list[str]
) -> User:
    """The same, from the machine itself: the first medical director, and the demonstration's people."""
    with acting(by=by, action="accounts.bootstrap_user", site=site):
        return _create_user(site, username, display_name, initials, password, roles)


@action(Permission.USERS_MANAGE, on="site")
def grant_role(*, by: User, site: Site, user: User, role: str) -> Membership:
    """Give a person a role at the site."""
    return _grant(site, user, role)


@action(Permission.USERS_MANAGE, on="membership")
def revoke_role(*, by: User, membership: Membership) -> None:
    """Take a role away; what was done under it stays."""
    if membership.user_id == by.pk:
        raise RefusedError("you cannot take a role from yourself", hint="Ask another medical director")
    others = Membership.objects.filter(user=membership.user, site=membership.site, is_active=True)
    if not others.exclude(pk=membership.pk).exists():
        from limen.clinic.sessions.handover import refuse_leaving_chairs

        refuse_leaving_chairs(membership.user, membership.site_id)
    membership.is_active = False
    membership.save(update_fields=["is_active"])


def set_password(*, by: str, site: Site, user: User, password: str) -> None:
    """Set a password from the machine itself, for somebody who has lost theirs."""
    with acting(by=by, action="accounts.set_password", site=site, target=f"user:{user.username}"):
        _check_password(password, user)
        user.set_password(password)
        user.save(update_fields=["password"])


def _create_user(site: Site, username: str, display_name: str, initials: str, password: str, roles: list[str]) -> User:
    name = username.strip().lower()
    if not name or not name.replace("-", "").replace(".", "").replace("_", "").isalnum():
        raise InputError(f"user name {username!r}", where="username", allowed="letters, digits, - . and _")
    if User.objects.filter(username=name).exists():
        raise InputError(f"the user name {name!r} is taken", where="username", allowed="a new name")
    if not display_name.strip():
        raise InputError("no name", where="display_name", allowed="the person's name as documents print it")
    if not 1 <= len(initials) <= 4:
        raise InputError(f"initials {initials!r}", where="initials", allowed="1 to 4 letters")
    _check_password(password, User(username=name, display_name=display_name))
    user = User.objects.create_user(name, password, display_name=display_name.strip(), initials=initials)
    for role in roles:
        _grant(site, user, role)
    about(user)
    note(username=name, roles=roles)
    return user


def _grant(site: Site, user: User, role: str) -> Membership:
    if role not in ROLES:
        raise InputError(f"unknown role {role!r}", where="role", allowed=", ".join(ROLES))
    membership, made = Membership.objects.get_or_create(site=site, user=user, role=role)
    if not made and not membership.is_active:
        membership.is_active = True
        membership.save(update_fields=["is_active"])
    note(user=user.username, role_granted=role)
    return membership


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as problem:
        raise InputError(" ".join(problem.messages), where="password", allowed="at least 12 characters") from None
