"""Commands: surveillance."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from limen.cli.output import Json, print_json, read_json


def register(app: typer.Typer) -> None:
    """Add ``limen surveillance``."""

    @app.command()
    def surveillance(
        exposure: Annotated[str, typer.Argument(help="JSON of sessions, checks done and signs, or - for stdin.")],
        json: Json = False,
    ) -> None:
        """Which checks repeated treatment calls for: overdue, due, coming; and signs that stop it."""
        from limen.care.exposure_json import exposure_from_json
        from limen.care.surveillance import due, missing_signs

        known, unknown = exposure_from_json(read_json(exposure))
        found = [item.to_json() for item in due(**known)]
        if json:
            missing = missing_signs(known["signs"])
            told = {"on": known["on"].isoformat(), "due": found, "missing": missing, "unknown_inputs": list(unknown)}
            print_json(told)
            return
        lines = [_line(item) for item in found] or ["Nothing is due, and nothing comes in the next four weeks."]
        typer.echo("\n".join(lines))


def _line(item: dict[str, Any]) -> str:
    when = f" {item['on']}" if item["on"] else ""
    return f"{item['level']:8}{when:11} {item['rule']:8} {item['title']}: {item['because']}. {item['action']}"
