"""The Django project: the only place that holds state."""

from __future__ import annotations

import os


def setup(database: str | None = None) -> None:
    """Ready the clinic for a command that reads or writes its database.

    Parameters
    ----------
    database : str, optional
        A database URL; else ``LIMEN_DATABASE_URL``; else the one in ``LIMEN_HOME``; else the demonstration's.

    Raises
    ------
    InputError
        If the URL names no database.
    RefusedError
        If there is no database there, or its tables are not ready.
    """
    from limen.clinic.project.database import database_from_url, sqlite
    from limen.clinic.project.home import demo_home, home
    from limen.clinic.project.serving import need_database
    from limen.errors import InputError, RefusedError

    url = database or os.environ.get("LIMEN_DATABASE_URL")
    if url:
        try:
            named = database_from_url(url)
        except InputError as problem:
            where = "--database" if database else "LIMEN_DATABASE_URL"
            raise InputError(problem.what, where=where, allowed=problem.allowed) from None
        os.environ["LIMEN_DATABASE_URL"] = url
    else:
        if not (home() / "limen.sqlite3").exists() and (demo_home() / "limen.sqlite3").exists():
            os.environ["LIMEN_HOME"] = str(demo_home())
        named = sqlite(home() / "limen.sqlite3")
    # SQLite makes an empty file of any name it is asked to open: look first.
    if named["ENGINE"].endswith("sqlite") and not os.path.isfile(named["NAME"]):
        raise RefusedError(
            f"no database at {named['NAME']}",
            where="--database" if database else "",
            hint="`limen demo` or `limen serve` makes one; --database names another",
        )
    need_database()
