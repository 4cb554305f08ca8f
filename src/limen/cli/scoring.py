"""Commands: scoring."""

from __future__ import annotations

from typing import Any

import typer

from limen.cli.output import Json, print_json, read_json


def register(app: typer.Typer) -> None:
    """Add ``limen score``."""

    @app.command()
    def score(
        instrument: str = typer.Argument(help="Instrument, such as PHQ-9."),
        answers: str = typer.Argument(help="JSON file of answers, or - for standard input."),
        json: Json = False,
    ) -> None:
        """Score a questionnaire: total, band, safety item, response and remission."""
        from limen.care.scoring import score as score_answers

        result = score_answers(instrument, read_json(answers)).to_json()
        if json:
            print_json(result)
        else:
            typer.echo("\n".join(_lines(result)))


def _lines(result: dict[str, Any]) -> list[str]:
    head = f"{result['instrument']} (version {result['version']}): "
    if "tier" in result:
        head += f"tier {result['tier']}, ideation level {result['ideation_level']} of 5"
        if result["treat_as_at_least"]:
            head += f"; treat as at least {result['treat_as_at_least']}"
    elif result["total"] is None and result["status"] != "incomplete":
        head += f"{result['status']}, {result['answered']} of {len(result['items'])} answered; this scale has no total"
    elif result["total"] is None:
        head += f"no total, {result['status']}: {result['answered']} of {len(result['items'])} answered"
    else:
        head += f"{result['total']}" + (f", {result['band']}" if result["band"] else "")
        head += f" ({result['status']}, {result['answered']} of {len(result['items'])} answered)"
    lines = [head]
    change = result["change"]
    if change["pct"] is not None:
        lines.append(f"  change from baseline {change['pct']:+.1f} %, response {_yes(change['response'])}")
    lines += [f"  remission {flag}: {_yes(value)}" for flag, value in change["remission"].items()]
    lines += [f"  {name} change: {_yes(value)}" for name, value in change.get("important", {}).items()]
    lines += [f"  {name}: {'not known' if value is None else value}" for name, value in result["subscales"].items()]
    lines += [f"  {flag.replace('_', ' ')}: {_yes(value)}" for flag, value in result["flags"].items()]
    safety = result["safety"]
    if safety["action"] != "none":
        lines.append(f"  SAFETY: {safety['action'].replace('-', ' ')}")
    return lines + [f"  {note}" for note in result["notes"]]


def _yes(value: bool | str | None) -> str:
    if isinstance(value, str):
        return value
    return "not known" if value is None else "yes" if value else "no"
