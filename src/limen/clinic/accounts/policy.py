"""The one gate: does this person hold this permission at this site? A refusal is audited, and outlives the rollback."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied

from limen.clinic.accounts.permissions import Permission
from limen.clinic.accounts.roles import ROLES
from limen.errors import RefusedError

if TYPE_CHECKING:
    from limen.clinic.accounts.models import User
    from limen.clinic.sites.models import Site


@dataclass(frozen=True, slots=True)
class Denial:
    """What the audit trail keeps of a refusal."""

    site_id: str
    actor: str
    action: str
    target: str
    permission: str


class DeniedError(RefusedError, PermissionDenied):
    """A person asked for an act that no role of theirs at this site allows. HTTP 403."""

    def __init__(self, what: str, *, denial: Denial, hint: str = "") -> None:
        super().__init__(what, hint=hint)
        self.denial = denial
        self.recorded = False


def roles_at(user: User, site: Site) -> list[str]:
    """The roles a person holds at a site."""
    if not user.is_active:
        return []
    return list(user.memberships.filter(site=site, is_active=True).order_by("role").values_list("role", flat=True))


def permissions_at(user: User, site: Site) -> frozenset[Permission]:
    """Everything a person may do at a site."""
    return frozenset(verb for role in roles_at(user, site) for verb in ROLES[role].permissions)


def holds(user: User, permission: Permission, site: Site) -> bool:
    """Whether a person may do it: for showing a control. ``require`` is what guards the act."""
    return permission in permissions_at(user, site)


def require(*, by: User, permission: Permission, site: Site, target: str = "", action: str = "") -> str:
    """The role under which ``by`` may act.

    Raises
    ------
    DeniedError
        If no role of theirs at the site allows it. The refusal is in the audit trail.
    """
    for role in roles_at(by, site):
        if permission in ROLES[role].permissions:
            return role
    able = [role.title.lower() for role in ROLES.values() if permission in role.permissions]
    denial = Denial(
        site_id=str(site.pk),
        actor=by.username or "anonymous",
        action=action or permission.value,
        target=target,
        permission=permission.value,
    )
    denied = DeniedError(
        f"{by.display_name or by.username} may not do this ({permission.value})",
        denial=denial,
        hint=f"Ask a {' or '.join(able)}",
    )
    from limen.clinic.audit.act import within

    if within() is None:
        record_denial(denied)
    raise denied


def record_denial(denied: DeniedError) -> None:
    """Write the refusal to the audit trail, once."""
    from limen.clinic.audit.models import AuditEntry

    if denied.recorded:
        return
    denial = denied.denial
    AuditEntry.denied(
        site_id=denial.site_id,
        actor=denial.actor,
        action=denial.action,
        target=denial.target,
        detail={"permission": denial.permission},
    )
    denied.recorded = True
