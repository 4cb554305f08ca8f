"""Commands: session."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from limen.cli.output import Json, print_json, read_json
from limen.errors import InputError, LimenError


def register(app: typer.Typer) -> None:
    """Add the commands of this topic."""
    group = typer.Typer(no_args_is_help=True, help="Recorded treatment sessions.")
    group.command("replay")(replay)
    group.command("export")(export)
    group.command("check")(check)
    group.command("note")(note)
    group.command("alarms")(alarms)
    group.command("rems")(rems)
    app.add_typer(group, name="session")


def replay(
    file: Annotated[str, typer.Argument(metavar="S.json", help="The recorded session; - reads standard input.")],
    what_if: Annotated[
        str | None,
        typer.Option("--what-if", metavar="L.json", help="Other own limits: which alarms would have come, which not."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Run a recorded session again: its alarms, its state, its discharge answers and its note.

    A file that was changed since its export, or whose replay raises other alarms than were recorded, says so on stderr.
    """
    from limen.session import replay as engine
    from limen.session.black_box import record_check, seal_words

    recorded = read_json(file)
    state, words = seal_words(recorded)
    if state == "does not fit":
        # Said first: an edited record may not even replay.
        typer.echo(words, err=True)
    result = engine.replay(recorded) if what_if is None else engine.what_if(recorded, read_json(what_if))
    value = result.to_json()
    value["record"] = record_check(recorded, value["alarms"])
    if value["record"]["alarms_same"] is False:
        typer.echo(value["record"]["said"][1], err=True)
    if as_json:
        print_json(value)
    else:
        _show(value)


def check(
    file: Annotated[str, typer.Argument(metavar="S.json", help="The recorded session; - reads standard input.")],
    as_json: Json = False,
) -> None:
    """Say whether a file is as it was exported and replays to the alarms recorded then; exit 2 where it does not."""
    from limen.session.black_box import record_check, seal_words
    from limen.session.replay import replay as run

    recorded = read_json(file)
    try:
        alarms = [dict(alarm) for alarm in run(recorded).alarms]
    except LimenError as problem:
        state, words = seal_words(recorded)
        raise InputError(
            f"{problem.what}. {words}" if state == "does not fit" else problem.what,
            where=problem.where,
            allowed=problem.allowed,
        ) from None
    found = record_check(recorded, alarms)
    if as_json:
        print_json(found)
    else:
        for line in found["said"]:
            typer.echo(line)
    if found["seal"] != "fits" or found["alarms_same"] is not True:
        raise typer.Exit(2)


def note(
    file: Annotated[str, typer.Argument(metavar="S.json", help="The recorded session; - reads standard input.")],
    out: Annotated[
        str, typer.Option("--out", metavar="NOTE.pdf", help="A .pdf of the note; .svg or .png: its figure.")
    ],
    started_at: Annotated[
        str | None,
        typer.Option("--started-at", metavar="ISO", help="The wall clock at its start, with its offset."),
    ] = None,
    zone: Annotated[str | None, typer.Option("--zone", metavar="NAME", help="The time zone: Europe/Berlin.")] = None,
) -> None:
    """Print the note of a recorded session with its figure, or the figure alone. The same file gives the same bytes."""
    from limen.cli.output import check_ending, write_whole
    from limen.reports.replayed import ENDINGS, note_bytes

    check_ending(out, ENDINGS, "out")
    made = note_bytes(read_json(file), ending=Path(out).suffix, started_at=started_at, zone=zone)
    write_whole(out, lambda path: path.write_bytes(made))
    typer.echo(f"{out} written")


def rems(
    file: Annotated[str, typer.Argument(metavar="S.json", help="The recorded session; - reads standard input.")],
    as_json: Json = False,
) -> None:
    """Fill the monitoring form of nasal esketamine from a session's events; says what is missing."""
    from limen.session.replay import rems_of

    form = rems_of(read_json(file))
    if as_json:
        print_json(form)
        return
    if not form["applies"]:
        typer.echo("This form is owed for nasal esketamine; this session gave another product or none.")
    for group in form["groups"]:
        typer.echo(group["title"])
        for row in group["fields"]:
            why = f" ({row['why']})" if row["why"] else ""
            origin = f"  [{', '.join(row['events'])}]" if row["events"] else ""
            typer.echo(f"  {row['title']}: {row['said']}{why}{origin}")
    for problem in form["problems"]:
        typer.echo(f"Does not fit: {problem}")


def export(
    session: Annotated[str, typer.Argument(metavar="ID", help="The session's id in the clinic.")],
    database: Annotated[
        str | None,
        typer.Option("--database", metavar="URL", help="The clinic's database; else LIMEN_DATABASE_URL, else its own."),
    ] = None,
    with_names: Annotated[
        bool, typer.Option("--with-names", help="With what the clinic adds to the note: names, order, lots, book.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print a session of the clinic as a sealed record that can be replayed: JSON, with or without --json."""
    import limen.clinic

    limen.clinic.setup(database)
    from limen.clinic.notes.content import recorded_of
    from limen.clinic.sessions.export import black_box, find_session

    print_json(black_box(session, recorded=recorded_of(find_session(session)) if with_names else None))


def alarms(
    files: Annotated[list[str], typer.Argument(metavar="S.json...", help="Recorded sessions.")],
    limits: Annotated[
        str | None,
        typer.Option("--limits", metavar="L.yaml", help="Other limits to try on them: alarms gained, lost, missed."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Count the alarms of sessions against the budget, and try other limits on them before they go live."""
    from limen.cli.progress import bar
    from limen.knowledge.alarm_response import alarm_response
    from limen.session.alarm_budget import Watched, alarm_budget
    from limen.session.export import read_export
    from limen.session.limits_trial import try_limits
    from limen.session.replay import read_limits, run_alarms
    from limen.session.state import corrected

    rules = alarm_response().budget
    given = read_json(limits) if limits is not None else None
    counted: list[Watched] = []
    trials: list[dict[str, Any]] = []
    with bar("Sessions") as show:
        for done, file in enumerate(files):
            show(done, len(files))
            recorded = read_export(read_json(file))
            run = run_alarms(recorded)
            counted.append(Watched(run.alarms, corrected(recorded.events), run.ticks / 3600.0))
            if given is not None:
                pairs = read_limits(given, recorded.rules.monitoring)
                trial = try_limits(recorded, pairs, warned_within_s=rules.action_within_s)
                trials.append({"file": file, **trial.to_json()})
    value: dict[str, Any] = {"budget": alarm_budget(counted, rules).to_json()}
    if given is not None:
        value["trial"] = trials
    if as_json:
        print_json(value)
    else:
        _show_budget(value)


def _show_budget(value: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    budget = value["budget"]
    rate, acted = budget["per_chair_h"], budget["acted_pct"]
    console.print(
        f"{budget['sessions']} sessions, {budget['chair_h']:.1f} chair-hours: "
        + (f"{rate:.1f} alarms a chair-hour" if rate is not None else "nothing was watched")
        + f", budget {budget['most_per_chair_h']:.1f}"
        + (f"; {acted:.0f} in 100 were acted on" if acted is not None else "")
    )
    table = Table(title="Alarms by condition", title_justify="left")
    for column in ("condition", "rule", "priority", "times", "acted on", "looked again", "neither"):
        table.add_column(column)
    for row in budget["rows"]:
        cells = (row["condition"], row["rule"], row["priority"], row["count"], row["acted"], row["checked"])
        table.add_row(*(escape(str(cell)) for cell in (*cells, row["neither"])))
    console.print(table)
    for trial in value.get("trial", ()):
        console.print(
            f"{escape(trial['file'])}: {len(trial['gained'])} gained, {len(trial['lost'])} lost, "
            f"{len(trial['missed'])} events missed"
        )
        for event in trial["missed"]:
            warned = ", ".join(event["warned"])
            console.print(f"  {_clock(event['t_s'])} {escape(event['text'])}: no longer warned of by {escape(warned)}")


def _show(value: dict[str, Any]) -> None:
    """The replay for a reader: state, alarms, discharge, what the note lacks."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    state = value["state"]
    dose = state["dose"]
    console.print(
        f"[bold]{state['phase']}[/bold] at {_clock(state['at_t_s'])}: {dose['given_mg']:.1f} mg given, "
        f"{len(state['observations'])} observations, {state['ticks']} seconds watched"
    )
    for entry in state["irregular"]:
        console.print(f"  irregular: {escape(entry['kind'])} at {_clock(entry['t_s'])}, {escape(entry['because'])}")
    for entry in state["unjudged"]:
        console.print(f"  not judged: {entry['rule']} for {escape(entry['input'])}, {escape(entry['why'])}")
    for entry in state["open_sides"]:
        console.print(f"  own limits leave {entry['signal']} {entry['side']} open ({entry['rule']})")
    tables = {"Alarms": value["alarms"]}
    if "what_if" in value:
        tables["Alarms gained with the other limits"] = value["what_if"]["gained"]
        tables["Alarms lost with the other limits"] = value["what_if"]["lost"]
    for title, alarms in tables.items():
        console.print(_alarm_table(title, alarms, Table) if alarms else f"{title}: none")
    for answer in value["discharge"]:
        console.print(f"Discharge asked at {_clock(answer['t_s'])}: {'ready' if answer['ready'] else 'not ready'}")
        for entry in answer["unmet"]:
            console.print(f"  {entry['rule']} {escape(entry['because'])}")
    for line in value["note"]["differences"]:
        what = line.get("cannot_compare") or f"{line['difference_mg']:+.1f} mg, {line['explained_by']}"
        console.print(f"Difference, {escape(line['what'])}: {escape(what)}")
    console.print(f"Note: {len(value['note']['missing'])} fields not recorded")
    if value["unknown_inputs"]:
        console.print(f"Unknown inputs: {escape(', '.join(value['unknown_inputs']))}")


def _alarm_table(title: str, alarms: list[dict[str, Any]], table_type: Any) -> Any:
    from rich.markup import escape

    table = table_type(title=f"{title}: {len(alarms)}", title_justify="left")
    for column in ("from", "to", "priority", "kind", "rule", "because", "seen"):
        table.add_column(column)
    for alarm in alarms:
        marks = {"high": "!!!", "medium": "!!", "low": "!"}[alarm["priority"]]
        table.add_row(
            _clock(alarm["t_s"]),
            _clock(alarm["ended_t_s"]) if alarm["ended_t_s"] is not None else "stands",
            f"{marks} {alarm['priority']}",
            alarm["kind"],
            alarm["rule"],
            escape(alarm["because"]),
            _clock(alarm["acknowledged_t_s"]) if alarm["acknowledged_t_s"] is not None else "",
        )
    return table


def _clock(t_s: float) -> str:
    from limen.care.alarm_limits import span

    return f"-{span(-t_s)}" if t_s < 0 else span(t_s)
