"""Every write is part of a named act: who, what, at which site. The act opens the transaction and leaves an audit row.

Actions are keyword-only functions in an application's ``actions.py``::

    @action(Permission.FACTS_RECORD, on="patient")
    def record_fact(*, by: User, patient: Patient, ...) -> Fact: ...

``on`` names the argument that holds the site: a site, or a row that belongs to one. The monitor, device gateways
and the demonstration's builder have no person behind them; they write inside ``acting(by="monitor", ...)``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from django.db import models, transaction

from limen.clinic.accounts.permissions import Permission
from limen.errors import LimenError

if TYPE_CHECKING:
    from limen.clinic.accounts.models import User
    from limen.clinic.sites.models import Site

P = ParamSpec("P")
R = TypeVar("R")


class WriteOutsideActError(RuntimeError):
    """A programming error: a row was about to change outside an act."""


@dataclass(slots=True)
class Act:
    """The act in progress."""

    by: str
    action: str
    site: Site
    target: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    parent: Act | None = None


_current: ContextVar[Act | None] = ContextVar("limen_act", default=None)


def current() -> Act:
    """The act in progress.

    Raises
    ------
    WriteOutsideActError
        Where there is none.
    """
    act = _current.get()
    if act is None:
        raise WriteOutsideActError("clinic rows change only inside an action (limen.clinic.*.actions)")
    return act


def within() -> Act | None:
    """The act in progress, or none."""
    return _current.get()


def note(**detail: Any) -> None:
    """Add plain JSON values to the audit row of the act in progress."""
    current().detail.update(detail)


def about(row: models.Model) -> None:
    """Name the row that the act in progress is about: for acts that make their row."""
    current().target = target_of(row)


def target_of(row: object) -> str:
    """The text that stands for a row in the audit trail: its kind and its id."""
    return f"{type(row).__name__.lower()}:{row.pk}" if isinstance(row, models.Model) else str(row)


@contextmanager
def acting(*, by: str, action: str, site: Site, target: str = "", audited: bool = True) -> Iterator[Act]:
    """Write as ``by`` in one transaction, with one audit row at its end.

    ``audited=False`` is for rows that are their own receipt (samples, heartbeats): one a second would bury the trail.
    """
    from limen.clinic.accounts.policy import DeniedError, record_denial
    from limen.clinic.audit.models import AuditEntry

    act = Act(by=by, action=action, site=site, target=target, parent=_current.get())
    token = _current.set(act)
    try:
        with transaction.atomic():
            yield act
            if audited:
                AuditEntry.done(act)
    except DeniedError as denial:
        # The refusal inside rolled everything back, so its audit row is written after the outermost act has ended.
        if act.parent is None:
            record_denial(denial)
        raise
    finally:
        _current.reset(token)


def action(permission: Permission, *, on: str = "site", name: str = "") -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function an act: permission checked, one transaction, one audit row.

    Parameters
    ----------
    permission : Permission
        What ``by`` must hold at the site.
    on : str
        The keyword argument that holds the site, or a row with a ``site``.
    name : str
        What the audit trail calls it, where that is not the application and the function.
    """

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        called = name or f"{function.__module__.split('.')[-2]}.{function.__name__}"

        @functools.wraps(function)
        def act(*args: P.args, **kwargs: P.kwargs) -> R:
            from limen.clinic.accounts.policy import require
            from limen.clinic.sites.models import Site

            if args:
                raise TypeError(f"{called} takes keyword arguments only")
            by: User = kwargs["by"]  # type: ignore[assignment]
            subject: Any = kwargs[on]
            site = subject if isinstance(subject, Site) else subject.site
            target = target_of(subject)
            role = require(by=by, permission=permission, site=site, target=target, action=called)
            with acting(by=by.username, action=called, site=site, target=target) as this:
                this.detail.update(permission=permission.value, role=role)
                return function(**kwargs)  # type: ignore[call-arg]

        act.permission = permission  # type: ignore[attr-defined]
        return act

    return wrap


class WrongSiteError(LimenError):
    """A row of one site was about to be written in an act at another."""
