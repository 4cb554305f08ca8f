"""Commands: the controlled-drug ledger of a clinic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from limen.cli.output import Json, print_json, read_json_value

if TYPE_CHECKING:
    from limen.clinic.sites.models import Site

Database = Annotated[
    str | None,
    typer.Option("--database", metavar="URL", help="sqlite:///FILE or postgres://...; else LIMEN_DATABASE_URL."),
]
SiteName = Annotated[str | None, typer.Option("--site", help="The site's short name, where there are several.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this topic."""
    group = typer.Typer(no_args_is_help=True, help="The ledger: every milligram, to 0.0.")
    group.command("post")(post)
    group.command("balance")(balance)
    group.command("verify")(verify)
    app.add_typer(group, name="ledger")


def post(
    file: Annotated[str, typer.Argument(metavar="LINES.json", help="A list of lines; - reads standard input.")],
    database: Database = None,
    site: SiteName = None,
    as_json: Json = False,
) -> None:
    """Write lines, all or none, each with the rights of the person it names."""
    from limen.errors import InputError

    given = read_json_value(file)
    if isinstance(given, dict):
        given = given.get("lines", [given])
    if not isinstance(given, list) or not given:
        raise InputError("no lines", where="standard input" if file == "-" else file, allowed="a list of lines")
    where = _open(database, site)
    from limen.clinic.stock.commands import post_lines

    result = post_lines(where, given)
    if as_json:
        print_json(result)
        return
    for entry in result["entries"]:
        typer.echo(f"{entry['position']:>6}  {entry['kind']:<8} {entry['vial']:<16} {entry['amount_mg']:>10} mg")
    said = f"{result['posted']} written"
    if result["already_there"]:
        said += f", {result['already_there']} stood there already"
    if result["unknown_inputs"]:
        said += f"; not read: {', '.join(result['unknown_inputs'])}"
    typer.echo(said)


def balance(database: Database = None, site: SiteName = None, as_json: Json = False) -> None:
    """What each vial adds up to: received, drawn, given, wasted, returned, on hand, unexplained."""
    where = _open(database, site)
    from limen.clinic.stock.queries import site_balance

    result = site_balance(where)
    if as_json:
        print_json(result)
    else:
        _show(result["vials"])


def verify(
    database: Database = None,
    site: SiteName = None,
    checkpoint: Annotated[
        str | None, typer.Option("--checkpoint", help="POSITION:HASH noted earlier: nothing up to there was rewritten.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Whether the chain of entries is whole. Exit 1 where it is not."""
    where = _open(database, site)
    from limen.clinic.stock.queries import site_verify

    result = site_verify(where, checkpoint=checkpoint)
    if as_json:
        print_json(result)
    elif result["ok"]:
        typer.echo(f"whole: {result['entries']} entries, checkpoint {result['checkpoint'] or 'none'}")
    else:
        typer.echo(f"BROKEN at entry {result['first_bad']} of {result['entries']}")
    if not result["ok"]:
        raise typer.Exit(1)


def _open(database: str | None, site: str | None) -> Site:
    import limen.clinic

    limen.clinic.setup(database)
    from limen.clinic.stock.commands import find_site

    return find_site(site)


def _show(vials: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    names = ("received", "drawn", "given", "wasted", "returned", "in_syringe", "on_hand", "unexplained")
    table = Table("vial", *(name.replace("_", " ") for name in names), title="mg")
    for vial in vials:
        table.add_row(vial["vial"], *(vial[f"{name}_mg"] for name in names))
    Console().print(table)
