"""``limen``: the command line's front door."""

from __future__ import annotations

import importlib
import io
import os
import sys
from typing import Any, cast

import typer

from limen import __version__
from limen.errors import LimenError

# Every way a command line can be wrong; typer's public names hold only some of them.
_UsageError = cast("type[Exception]", typer.BadParameter.__mro__[1])

app = typer.Typer(
    name="limen",
    help="Ketamine therapy: dose science, supervised sessions, and a ledger that closes. It advises; a person decides.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

# Each topic is one module with ``register(app)``; it imports its engine only when its command runs.
TOPICS = (
    "pharmacology",
    "individualise",
    "validate",
    "draw",
    "regimen",
    "course",
    "targeting",
    "protocols",
    "screening",
    "planning",
    "scoring",
    "surveillance",
    "session",
    "ledger",
    "instruments",
    "knowledge",
    "clinic",
    "device",
    "bench",
)


@app.callback(invoke_without_command=True)
def root(
    ctx: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version and stop."),
) -> None:
    """Limen."""
    if version:
        typer.echo(__version__)
        raise typer.Exit


def load_topics() -> None:
    """Add every topic's commands."""
    for topic in TOPICS:
        importlib.import_module(f"limen.cli.{topic}").register(app)


def main() -> None:
    """Run the command line: exit 0 on success, 2 with one line on standard error for a user's error."""
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):
            # JSON is UTF-8 whatever the terminal's locale; a name that is no text is shown by its codes.
            stream.reconfigure(encoding="utf-8", errors="strict" if stream is sys.stdin else "backslashreplace")
    if "LIMEN_LIFELINE" in os.environ:
        from limen.clinic.project.children import end_with_parent

        end_with_parent()
    load_topics()
    try:
        code = app(standalone_mode=False)
    except LimenError as problem:
        _say(str(problem))
        sys.exit(2)
    except _UsageError as problem:
        _say(_usage(problem))
        sys.exit(2)
    except _database_failures() as problem:
        _say(f"the database cannot be used: {problem}")
        sys.exit(2)
    except typer.Abort:
        _say("stopped")
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    sys.exit(code if isinstance(code, int) else 0)


def _database_failures() -> tuple[type[Exception], ...]:
    """A database that is locked, read-only, full or not reached; looked up only where a command has loaded one."""
    django = sys.modules.get("django.db.utils")
    return () if django is None else (django.OperationalError, django.InterfaceError)


def _usage(problem: Any) -> str:
    """The words for a command line that cannot be read; none where the help was asked for by giving nothing."""
    words = " ".join(problem.format_message().split()).removesuffix(".")
    return f"{words}. Try '{problem.ctx.command_path} --help'" if words and problem.ctx else words


def _say(words: str) -> None:
    """One line, whatever the words hold: a line break or a terminal's command in a user's file stays visible text."""
    if words:
        line = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in words)
        sys.stderr.write(f"limen: {line}\n")


if __name__ == "__main__":
    main()
