"""The people of the demonstration. Their password is published: they exist nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

PASSWORD = "threshold-demo"  # noqa: S105 - published on purpose, see SECURITY.md


@dataclass(frozen=True, slots=True)
class Account:
    """One person who can sign in to the demonstration."""

    username: str
    display_name: str
    initials: str
    roles: tuple[str, ...]
    title: str
    password: str = PASSWORD


ACCOUNTS = (
    Account("prescriber", "Dr A. Lindqvist", "AL", ("prescriber",), "prescriber"),
    Account("nurse", "D. Kessel", "DK", ("nurse",), "nurse"),
    Account("nurse2", "R. Okafor", "RO", ("nurse",), "nurse, the second person"),
    Account("pharmacist", "M. Tanaka", "MT", ("pharmacist",), "pharmacist"),
    Account("director", "Dr S. Haddad", "SH", ("medical-director",), "medical director"),
)
