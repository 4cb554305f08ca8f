"""Command: sign a site's standing orders, or list them."""

from __future__ import annotations

from typing import Annotated

import typer

from limen.cli.output import Json, print_json

Slug = Annotated[str, typer.Option("--site", help="The site's short name.")]


def sign_standing_orders(
    site: Slug,
    order: Annotated[
        list[str] | None, typer.Argument(help="Orders to sign, by id; none lists them with what is signed.")
    ] = None,
    by: Annotated[str, typer.Option("--by", help="The medical director who signs, by user name.")] = "",
    until: Annotated[
        str, typer.Option("--until", metavar="DATE", help="Last day of the signature, as 2027-11-21.")
    ] = "",
    interval: Annotated[
        list[str] | None,
        typer.Option("--interval", metavar="ORDER=MIN", help="Minutes between two doses, where the sources give none."),
    ] = None,
    doses: Annotated[
        list[str] | None,
        typer.Option("--doses", metavar="ORDER=N", help="Doses in one session, where the sources give no number."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Sign rescue drugs as standing orders of a site, with the named director's rights; or list them."""
    from limen.cli.clinic import ready, site_named

    ready()
    from limen.clinic.sites import commands

    place = site_named(site)
    if order:
        for line in commands.sign(place, order, by=by, until=until, interval=interval or (), doses=doses or ()):
            typer.echo(line)
    elif as_json:
        print_json(commands.listing(place))
    else:
        for row in commands.listing(place):
            typer.echo(f"{row['state']:<10} {row['order']:<28} {row['because']}")
