"""``limen``: the command line's front door."""

from __future__ import annotations

import importlib
import sys

import typer

from limen import __version__
from limen.errors import LimenError

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
    "protocols",
    "screening",
    "planning",
    "scoring",
    "session",
    "ledger",
    "knowledge",
    "clinic",
    "device",
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
    load_topics()
    try:
        app()
    except LimenError as problem:
        sys.stderr.write(f"limen: {problem}\n")
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)


if __name__ == "__main__":
    main()
