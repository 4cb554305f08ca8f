"""One URL chooses the database: SQLite by default, PostgreSQL by ``LIMEN_DATABASE_URL``."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from limen.errors import InputError

# FULL: NORMAL loses acknowledged rows in a power cut. IMMEDIATE: a read-then-write otherwise issues stock twice.
# recursive_triggers: without it INSERT OR REPLACE would slip past the triggers that refuse DELETE.
_SQLITE_OPTIONS = {
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA recursive_triggers=ON;"
    ),
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
}
# As on SQLite: whoever waits this long for a lock is told so, instead of waiting for ever. The URL may say otherwise.
_POSTGRES_OPTIONS = {"connect_timeout": "10", "options": "-c lock_timeout=20s"}
KEEP_OPEN_S = 60  # requests share threads, so a connection serves many; not for ever, for a server may move
_ALLOWED = "sqlite:///path/to/file or postgres://user:password@host:port/name (or ?host=/socket/folder)"


def database_from_url(url: str) -> dict[str, Any]:
    """Django's ``DATABASES`` entry for a database URL.

    Raises
    ------
    InputError
        If the URL names another kind of database or no database.

    Examples
    --------
    >>> database_from_url("postgres://limen@/clinic?host=/run/postgresql")["HOST"]
    '/run/postgresql'
    >>> database_from_url("sqlite:////srv/limen.sqlite3")["NAME"]
    '/srv/limen.sqlite3'
    >>> database_from_url("postgres://limen@db/clinic?connect_timeout=3&sslmode=require")["OPTIONS"]
    {'connect_timeout': '3', 'options': '-c lock_timeout=20s', 'sslmode': 'require'}
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        name = unquote(parts.path)[1:]
        if not name or parts.netloc:
            raise InputError("the URL names no file", where="LIMEN_DATABASE_URL", allowed=_ALLOWED)
        return sqlite(Path(name))
    if parts.scheme not in ("postgres", "postgresql"):
        raise InputError(f"the scheme {parts.scheme!r}", where="LIMEN_DATABASE_URL", allowed=_ALLOWED)
    name = unquote(parts.path).strip("/")
    try:
        port = parts.port
    except ValueError:
        raise InputError("the port is not a number", where="LIMEN_DATABASE_URL", allowed=_ALLOWED) from None
    if not name:
        raise InputError("the URL names no database", where="LIMEN_DATABASE_URL", allowed=_ALLOWED)
    query = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or query.pop("user", "")),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", unquote(parts.hostname or "")),
        "PORT": query.pop("port", str(port or "")),
        "OPTIONS": {**_POSTGRES_OPTIONS, **query},
        "ATOMIC_REQUESTS": False,
        "CONN_MAX_AGE": KEEP_OPEN_S,
        "CONN_HEALTH_CHECKS": True,
    }


def sqlite(path: Path) -> dict[str, Any]:
    """Django's ``DATABASES`` entry for a SQLite file."""
    return {
        "ENGINE": "limen.clinic.project.sqlite",
        "NAME": str(path),
        "OPTIONS": dict(_SQLITE_OPTIONS),
        "ATOMIC_REQUESTS": False,
        "CONN_MAX_AGE": KEEP_OPEN_S,
        "TEST": {"NAME": ":memory:"},  # tools that know only Django's own engine would make a file of that name
    }
