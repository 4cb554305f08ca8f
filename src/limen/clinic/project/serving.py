"""Starting the clinic: the folder, the database, the socket, the server."""

from __future__ import annotations

import gc
import ipaddress
import os
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from limen.clinic.project.home import home, prepare_home
from limen.errors import InputError, RefusedError

SETTINGS = "limen.clinic.project.settings"
DEMO_MARK = "demonstration"
FIRST_PAGE_S = 1.0
KEEP_ALIVE_S = 75  # a device that sends every few seconds, and a nurse who taps as often, find their connection open


@dataclass(frozen=True, slots=True)
class Bind:
    """Where the server listens, and how it is protected."""

    host: str = "127.0.0.1"
    port: int = 8000
    tls_cert: Path | None = None
    tls_key: Path | None = None
    insecure_lan: bool = False
    names: tuple[str, ...] = ()

    @property
    def tls(self) -> bool:
        """Whether it is served by HTTPS."""
        return self.tls_cert is not None


def check_bind(bind: Bind) -> None:
    """Refuse to put patients' records on a network in the clear.

    Raises
    ------
    RefusedError
        If the address can be reached from outside and there is neither TLS nor ``--insecure-lan``.
    InputError
        If only one of certificate and key is given, or a file is not there.
    """
    if (bind.tls_cert is None) != (bind.tls_key is None):
        raise InputError("half of TLS", where="--tls-cert --tls-key", allowed="both, or neither")
    for name, path in (("--tls-cert", bind.tls_cert), ("--tls-key", bind.tls_key)):
        if path is not None and not path.is_file():
            raise InputError(f"no file {path}", where=name, allowed="a PEM file")
    if not 0 <= bind.port <= 65535:
        raise InputError(f"port {bind.port}", where="--port", allowed="1 to 65535, or 0 for any")
    if not is_loopback(bind.host) and not bind.tls and not bind.insecure_lan:
        raise RefusedError(
            f"{bind.host} can be reached from other machines, and records would travel in the clear",
            where="--host",
            hint="Give --tls-cert and --tls-key, or --insecure-lan to accept it (every page will say so)",
        )


def is_loopback(host: str) -> bool:
    """Whether an address stays on this machine.

    Examples
    --------
    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "192.168.1.4", "clinic.example")]
    [True, True, True, False, False, False]
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def hosts_of(bind: Bind) -> list[str]:
    """The names in an address line that the server answers to; any other is refused."""
    names = ["127.0.0.1", "localhost", "[::1]", *bind.names]
    if is_loopback(bind.host):
        return names
    if bind.host in ("0.0.0.0", "::"):  # noqa: S104
        own = socket.gethostname()
        names += [own, socket.getfqdn(), *_addresses(own)]
    else:
        names.append(f"[{bind.host}]" if ":" in bind.host else bind.host)
    return list(dict.fromkeys(names))


def _addresses(name: str) -> list[str]:
    try:
        return sorted({str(entry[4][0]) for entry in socket.getaddrinfo(name, None, socket.AF_INET)})
    except OSError:
        return []


def set_up() -> None:
    """Load Django with the settings of this environment."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS)
    import django

    django.setup()


def prepare() -> None:
    """Folder, secret, tables: whatever is missing is made; a database of a newer version is refused."""
    os.umask(0o077)  # records are readable by the clinic's own account only
    prepare_home(home())
    set_up()
    from django.core.management import call_command

    if pending():
        call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)


def pending() -> bool:
    """Whether the database lacks a migration of this version.

    Raises
    ------
    RefusedError
        If the database was migrated by a newer version, or cannot be opened.
    """
    from django.db import DatabaseError, connection
    from django.db.migrations.executor import MigrationExecutor

    try:
        executor = MigrationExecutor(connection)
    except DatabaseError as problem:
        name = connection.settings_dict["NAME"]
        raise RefusedError(f"the database cannot be opened: {problem}", where=str(name)) from None
    unknown = [key for key in executor.loader.applied_migrations if key not in executor.loader.disk_migrations]
    if unknown:
        names = ", ".join(sorted(f"{app}.{name}" for app, name in unknown))
        raise RefusedError(f"the database was made by a newer Limen ({names})", hint="Install that version")
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def need_database() -> None:
    """For commands beside the server: set up, and refuse a database that is not ready.

    Raises
    ------
    RefusedError
        If the tables are not there yet.
    """
    set_up()
    if pending():
        raise RefusedError("the database is not ready", where=str(home()), hint="Start `limen serve` once, or migrate")


def refuse_demo_folder() -> None:
    """Demo accounts have published passwords: they are served by ``limen demo`` only.

    Raises
    ------
    RefusedError
        If the folder in use holds a demonstration clinic.
    """
    if (home() / DEMO_MARK).exists():
        raise RefusedError(
            f"{home()} holds a demonstration clinic, whose passwords are public",
            where="LIMEN_HOME",
            hint="Use `limen demo`, or another folder",
        )


def configure(bind: Bind) -> None:
    """Tell the settings how the clinic is served. Before ``prepare``."""
    os.environ["LIMEN_HOSTS"] = ",".join(hosts_of(bind))
    os.environ["LIMEN_HTTPS"] = "1" if bind.tls else "0"
    os.environ["LIMEN_INSECURE_LAN"] = "1" if bind.insecure_lan and not bind.tls and not is_loopback(bind.host) else "0"


def listen(bind: Bind) -> tuple[socket.socket, str]:
    """The listening socket and the address people open.

    Raises
    ------
    InputError
        If the port is taken or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in bind.host else socket.AF_INET
    # Naming the protocol lets asyncio switch Nagle's algorithm off: else each answer waits 40 ms for the browser.
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((bind.host, bind.port))
        opened.listen()
    except OSError as problem:
        opened.close()
        raise InputError(
            f"cannot listen on {bind.host} port {bind.port}: {problem.strerror or problem}",
            where="--port",
            allowed="a free port",
            hint="PORT=8001 or --port 8001 chooses another",
        ) from None
    port = opened.getsockname()[1]
    host = f"[{bind.host}]" if family == socket.AF_INET6 else bind.host
    return opened, f"{'https' if bind.tls else 'http'}://{host}:{port}"


def serve(bind: Bind, opened: socket.socket, then: Callable[[], None] | None = None) -> None:
    """Serve until told to stop. Open streams are given 3 s; they take up where they left when they reconnect.

    ``then`` is called once pages are being answered: what else has to start does not hold up the first page.
    """
    import uvicorn
    from django.urls import get_resolver

    config = uvicorn.Config(
        "limen.clinic.project.asgi:application",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=3,
        timeout_keep_alive=KEEP_ALIVE_S,
        ssl_certfile=bind.tls_cert,
        ssl_keyfile=bind.tls_key,
    )
    config.load()
    _ = get_resolver().url_patterns
    later = threading.Timer(FIRST_PAGE_S, _afterwards, [then])
    later.daemon = True
    later.start()
    uvicorn.Server(config).run(sockets=[opened])


def _afterwards(then: Callable[[], None] | None) -> None:
    if then is not None:
        then()
    _warm()
    # What has been read so far stays as long as the process does. Walking it again would halt every page for 0.1 s.
    gc.collect()
    gc.freeze()


def _warm() -> None:
    """Read the rules and run one small plan, so that the first person does not wait for it."""
    from limen.care.case_json import case_from_json
    from limen.care.planning import plan
    from limen.clinic.courses.forecasts import forecaster
    from limen.knowledge.release import knowledge_release

    knowledge_release()
    case = case_from_json({"on": "2000-01-01", "patient": {"age_years": 40, "sex": "female", "weight_kg": 70}})
    plan(case, "TRD-IV", forecast=forecaster("racemic", case))


def say(line: str) -> None:
    """One line for whoever started the command."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
