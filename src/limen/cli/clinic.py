"""Commands: serve the clinic, its demonstration, its monitor, and the few acts that come before anybody can sign in."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limen.cli.orders import sign_standing_orders

if TYPE_CHECKING:
    from limen.clinic.sites.models import Site

Host = Annotated[str, typer.Option("--host", help="Address to listen on.")]
Port = Annotated[int, typer.Option("--port", envvar="PORT", help="Port to listen on.")]
Slug = Annotated[str, typer.Option("--site", help="The site's short name.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this topic."""
    app.command()(serve)
    app.command()(demo)
    app.command()(monitor)
    app.command()(twin)
    admin = typer.Typer(no_args_is_help=True, help="Sites and people, from the machine itself.")
    app.add_typer(admin, name="admin")
    commands = (
        migrate,
        create_site,
        declare_settings,
        declare_dosing,
        add_chair,
        create_user,
        set_password,
        sign_standing_orders,
    )
    for command in commands:
        admin.command()(command)


def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate, PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key, PEM.")] = None,
    insecure_lan: Annotated[bool, typer.Option("--insecure-lan", help="Accept a network without TLS.")] = False,
    name: Annotated[list[str] | None, typer.Option(help="A name the server answers to, such as clinic.lan.")] = None,
) -> None:
    """Serve the clinic. Run `limen monitor` beside it (without it every page says NOT MONITORED), and `limen twin`."""
    from limen.clinic.project import serving

    bind = serving.Bind(host, port, tls_cert, tls_key, insecure_lan, tuple(name or ()))
    serving.check_bind(bind)
    serving.refuse_demo_folder()
    serving.configure(bind)
    opened, address = serving.listen(bind)
    serving.prepare()
    serving.say(f"Limen on {address}")
    serving.serve(bind, opened)


def demo(
    port: Port = 8000,
    home: Annotated[Path | None, typer.Option(help="Folder of the demonstration; var/demo where not given.")] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Forget the demonstration so far.")] = False,
) -> None:
    """Serve a demonstration clinic on this machine: synthetic patients, a live session on a virtual chair."""
    from limen.clinic.demo.run import run

    run(port=port, folder=home, reset=reset)


def monitor() -> None:
    """Watch every running session once a second, raise its alarms, and give a sign of life."""
    from limen.clinic.project.serving import need_database

    need_database()
    from limen.clinic.sessions.monitor import run

    run()


def twin() -> None:
    """Forecast every patient in a chair, fitted to what is seen; beside `limen monitor`, and no alarm waits for it."""
    from limen.clinic.project.serving import need_database

    need_database()
    from limen.clinic.sessions.twins import run

    run()


def migrate() -> None:
    """Make or update the database's tables."""
    from limen.clinic.project import serving

    serving.prepare()
    serving.say("The database is up to date.")


def create_site(
    name: Annotated[str, typer.Argument(help="The clinic's name.")],
    timezone: Annotated[str, typer.Option(help="Such as Europe/Berlin.")] = "UTC",
) -> None:
    """Make a site."""
    ready()
    from limen.clinic.sites import actions

    site = actions.create_site(by=_who(), name=name, timezone=timezone)
    typer.echo(f"{site.slug}: {site.name}, {site.timezone}")


def declare_settings(
    site: Slug,
    setting: Annotated[
        list[str], typer.Argument(help="clinic, palliative, emergency, anaesthesia, intensive-care; those it has.")
    ],
) -> None:
    """Say where a site can treat; protocols for other settings are read there and not ordered."""
    ready()
    from limen.clinic.sites import actions

    known = actions.bootstrap_settings(by=_who(), site=site_named(site), settings=setting).capabilities["settings"]
    typer.echo(f"{site}: {', '.join(known)}")


def declare_dosing(
    site: Slug,
    file: Annotated[str, typer.Argument(help="JSON of limits and equipment, or - for standard input.")],
    why: Annotated[str, typer.Option(help="The reason, for the record.")],
) -> None:
    """Put dosing settings into force: limits of the site's own, and what its syringes and pumps can do.

    The whole of them, as a new version; the page "Dosing" shows each version, and what it changed.
    """
    ready()
    from limen.care.site_dosing import site_dosing
    from limen.cli.output import read_json
    from limen.clinic.sites.proposing import bootstrap_dosing

    row = bootstrap_dosing(by=_who(), site=site_named(site), dosing=read_json(file), why=why)
    known = site_dosing(row.content)
    typer.echo(f"version {row.number} in force at {site}")
    for name in row.effect["idle"] if row.effect else ():
        typer.echo(f"{name}: binds nowhere; the protocols' own limits are tighter")
    for limit in known.limits:
        typer.echo(f"{limit.name}: {limit.kind}, {limit.limit:g} {limit.unit} by {limit.measure}")
    for name, value in known.equipment.model_dump().items():
        typer.echo(f"{name}: {'not declared' if value is None else f'{value:g}'}")


def add_chair(site: Slug, name: Annotated[str, typer.Argument(help="The chair's name.")]) -> None:
    """Add a chair to a site."""
    ready()
    from limen.clinic.sites import actions

    chair = actions.bootstrap_chair(by=_who(), site=site_named(site), name=name)
    typer.echo(f"{chair.name} at {site}")


def create_user(
    username: Annotated[str, typer.Argument(help="What the person signs in with.")],
    site: Slug,
    role: Annotated[list[str], typer.Option(help="prescriber, nurse, pharmacist or medical-director; repeatable.")],
    name: Annotated[str, typer.Option(help="The name on documents.")],
    initials: Annotated[str, typer.Option(help="1 to 4 letters.")] = "",
) -> None:
    """Make a person who can sign in. Asks for the password, or takes LIMEN_NEW_PASSWORD."""
    ready()
    from limen.clinic.accounts import actions

    short = initials or "".join(word[0] for word in name.split())[:4].upper()
    user = actions.bootstrap_user(
        by=_who(),
        site=site_named(site),
        username=username,
        display_name=name,
        initials=short,
        password=_password(),
        roles=role,
    )
    typer.echo(f"{user.username}: {', '.join(role)} at {site}")


def set_password(username: Annotated[str, typer.Argument(help="The person's user name.")], site: Slug) -> None:
    """Set a person's password."""
    ready()
    from limen.clinic.accounts import actions
    from limen.clinic.accounts.models import User
    from limen.errors import InputError

    user = User.objects.filter(username=username.lower()).first()
    if user is None:
        raise InputError(f"no person {username!r}", where="USERNAME", allowed="an existing user name")
    actions.set_password(by=_who(), site=site_named(site), user=user, password=_password())
    typer.echo(f"password of {user.username} set")


def ready() -> None:
    """The database is there and up to date; the demonstration's is not touched."""
    from limen.clinic.project import serving

    serving.refuse_demo_folder()
    serving.prepare()


def _who() -> str:
    return f"cli:{getpass.getuser()}"


def site_named(slug: str) -> Site:
    """The site with this short name."""
    from limen.clinic.sites.models import Site
    from limen.errors import InputError

    site = Site.objects.filter(slug=slug).first()
    if site is None:
        known = (
            ", ".join(Site.objects.values_list("slug", flat=True)) or "none yet; `limen admin create-site` makes one"
        )
        raise InputError(f"no site {slug!r}", where="--site", allowed=known)
    return site


def _password() -> str:
    given = os.environ.get("LIMEN_NEW_PASSWORD")
    if given:
        return given
    typed: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return typed
