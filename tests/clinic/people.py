"""The people and places of the clinic's tests."""

from __future__ import annotations

from dataclasses import dataclass

from django.apps import apps

from limen.clinic.accounts.actions import bootstrap_user
from limen.clinic.accounts.models import User
from limen.clinic.sites.models import Chair, Site

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Clinic:
    """The people and places of the tests."""

    site: Site
    chair: Chair
    prescriber: User
    nurse: User
    second_nurse: User
    pharmacist: User
    director: User
    stranger: User  # a prescriber of another site
    other_site: Site

    @property
    def people(self) -> dict[str, User]:
        return {
            "prescriber": self.prescriber,
            "nurse": self.nurse,
            "pharmacist": self.pharmacist,
            "medical-director": self.director,
        }


def append_only_tables() -> list[str]:
    """The tables whose models say that they are append-only."""
    return [model._meta.db_table for model in apps.get_models() if getattr(model, "append_only", False)]


def make_user(site: Site, username: str, *roles: str) -> User:
    name = username.replace("-", " ").title()
    initials = "".join(word[0] for word in name.split())[:4]
    return bootstrap_user(
        by="tests",
        site=site,
        username=username,
        display_name=name,
        initials=initials,
        password=PASSWORD,
        roles=list(roles),
    )
