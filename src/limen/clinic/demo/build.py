"""What the demonstration clinic holds: its people, its chairs, its patients."""

from __future__ import annotations

from dataclasses import dataclass

from limen.clinic.accounts.actions import bootstrap_user
from limen.clinic.sites.actions import bootstrap_chair, create_site

BY = "demo"
PASSWORD = "limen-demonstration"  # noqa: S105 - published on purpose; such accounts exist only in a demonstration


@dataclass(frozen=True, slots=True)
class Account:
    """One person of the demonstration."""

    username: str
    name: str
    initials: str
    role: str
    title: str
    password: str = PASSWORD


@dataclass(frozen=True, slots=True)
class VirtualChair:
    """A virtual chair that runs beside the server: its device, its secret, options of ``limen device chair``."""

    device: str
    token: str
    options: tuple[str, ...] = ()


ACCOUNTS = (
    Account("prescriber", "Paula Reyes", "PR", "prescriber", "prescriber"),
    Account("nurse", "Nina Abadi", "NA", "nurse", "nurse"),
    Account("nurse2", "Jon Weller", "JW", "nurse", "second nurse, to witness"),
    Account("pharmacist", "Piet Maas", "PM", "pharmacist", "pharmacist"),
    Account("director", "Dora Kessel", "DK", "medical-director", "medical director"),
)


def build_demo() -> None:
    """Make the site, its chairs and its people."""
    site = create_site(by=BY, name="Harbour Ketamine Clinic", timezone="Europe/Berlin", slug="harbour")
    for number in range(1, 5):
        bootstrap_chair(by=BY, site=site, name=f"Chair {number}")
    for account in ACCOUNTS:
        bootstrap_user(
            by=BY,
            site=site,
            username=account.username,
            display_name=account.name,
            initials=account.initials,
            password=account.password,
            roles=[account.role],
        )


def virtual_chairs() -> list[VirtualChair]:
    """The chairs to run beside the server."""
    return []
