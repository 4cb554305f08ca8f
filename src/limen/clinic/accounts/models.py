"""People, and the roles they hold at each site."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from limen.clinic.accounts.roles import ROLES
from limen.clinic.audit.guard import SiteModel


class UserManager(BaseUserManager["User"]):
    """Makes people; ``accounts.actions`` is the way in."""

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> User:
        """A person who can sign in; without a password, one who cannot yet."""
        user = self.model(username=self.model.normalize_username(username).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """A person. Belongs to no site by itself: a membership gives a role at one."""

    username = models.CharField(max_length=150, unique=True)
    display_name = models.CharField(max_length=150)
    initials = models.CharField(max_length=4)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["display_name", "initials"]

    def __str__(self) -> str:
        return self.display_name

    def get_full_name(self) -> str:
        """The name on screens and documents."""
        return self.display_name

    def get_short_name(self) -> str:
        """The initials in tight places."""
        return self.initials


class Membership(SiteModel):
    """A person's role at a site. Several roles are several memberships."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=30, choices=[(role.id, role.title) for role in ROLES.values()])
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["site", "user", "role"], name="membership_once"),
            models.CheckConstraint(condition=models.Q(role__in=sorted(ROLES)), name="membership_role_known"),
        )

    def __str__(self) -> str:
        return f"{self.user_id} {self.role} at {self.site_id}"
