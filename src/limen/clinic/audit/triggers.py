"""Append-only tables: the database itself refuses UPDATE and DELETE, whoever asks.

A migration that rebuilds such a table on SQLite loses its triggers; it must end with ``append_only`` again. A test
compares the triggers in the database with the models that say they are append-only.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_SQLITE = (
    "CREATE TRIGGER {table}_no_{verb} BEFORE {VERB} ON {table} "
    "BEGIN SELECT RAISE(ABORT, '{table} is append-only: {verb} refused'); END"
)
_POSTGRES_FUNCTION = """
CREATE OR REPLACE FUNCTION limen_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, lower(TG_OP)
    USING ERRCODE = 'integrity_constraint_violation';
END $$
"""
_POSTGRES = (
    "CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
    "FOR EACH ROW EXECUTE FUNCTION limen_append_only()",
    "CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION limen_append_only()",
)


def create_statements(table: str, vendor: str) -> list[str]:
    """The SQL that makes a table append-only."""
    if vendor == "sqlite":
        return [_SQLITE.format(table=table, verb=verb, VERB=verb.upper()) for verb in ("update", "delete")]
    if vendor == "postgresql":
        return [_POSTGRES_FUNCTION, *(statement.format(table=table) for statement in _POSTGRES)]
    raise RuntimeError(f"no append-only triggers for {vendor}; Limen runs on SQLite and PostgreSQL")


def drop_statements(table: str, vendor: str) -> list[str]:
    """The SQL that takes the triggers away again."""
    if vendor == "sqlite":
        return [f"DROP TRIGGER IF EXISTS {table}_no_{verb}" for verb in ("update", "delete")]
    return [f"DROP TRIGGER IF EXISTS {table}_no_{kind} ON {table}" for kind in ("change", "truncate")]


def append_only(table: str) -> migrations.RunPython:
    """The migration operation that makes ``table`` append-only."""

    def create(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
        for statement in create_statements(table, editor.connection.vendor):
            editor.execute(statement, params=None)

    def drop(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
        for statement in drop_statements(table, editor.connection.vendor):
            editor.execute(statement, params=None)

    return migrations.RunPython(create, drop)
