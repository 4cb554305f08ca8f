"""Command: limen bench."""

from __future__ import annotations

import json as text
import subprocess
import sys
from typing import Annotated, Any

import typer

from limen.cli.output import Json
from limen.errors import InputError


def register(app: typer.Typer) -> None:
    """Add ``limen bench``."""

    @app.command()
    def bench(
        work: Annotated[
            list[str] | None, typer.Argument(help="Works to measure; all of them where none is named.")
        ] = None,
        json: Json = False,
    ) -> None:
        """How fast the engine is, beside others that do the same work in the same run and agree; one object a line."""
        from limen.benchmarks import names
        from limen.cli.progress import bar

        chosen = work or list(names())
        for name in chosen:
            if name not in names():
                raise InputError(f"unknown work {name!r}", where="work", allowed=", ".join(names()))
        with bar("Measuring") as progress:
            for done, name in enumerate(chosen, start=1):
                result = _measured(name)
                typer.echo(text.dumps(result, allow_nan=False) if json else "\n".join(_lines(result)))
                progress(done, len(chosen))


def _measured(name: str) -> dict[str, Any]:
    """One work in a process of its own, so that memory and imports are its own."""
    done = subprocess.run([sys.executable, "-m", "limen.benchmarks", name], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = done.stderr.strip().splitlines()
        raise InputError(f"{name} failed: {reason[-1] if reason else 'no words'}", where="work")
    result: dict[str, Any] = text.loads(done.stdout.splitlines()[-1])
    return result


def _lines(result: dict[str, Any]) -> list[str]:
    size = f"{result['n']:,} x {result['points']:,} points"
    speed = f"{result['rate_mpt_per_s']:,.3g} million points/s" if result["points"] > 1 else ""
    lines = [f"{result['work']:17} {size:24} {_time(result['median_s']):>9}  {speed}"]
    lines += [
        f"    {name:24} {_time(seconds):>9}  {seconds / result['median_s']:,.3g} times"
        for name, seconds in sorted(result["peers"].items(), key=lambda item: item[1])
    ]
    return lines + [f"    {name:24} {reason}" for name, reason in result.get("peers_skipped", {}).items()]


def _time(seconds: float) -> str:
    for scale, unit in ((1.0, "s"), (1e-3, "ms")):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} us"
