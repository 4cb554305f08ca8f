"""Running the demonstration: its own folder, its own database, a monitor and virtual chairs beside the server."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from limen.clinic.project import serving
from limen.clinic.project.children import Children
from limen.clinic.project.home import demo_home
from limen.errors import RefusedError

_BUILT = "built"


def run(*, port: int, folder: Path | None, reset: bool) -> None:
    """Build the demonstration where it is new, and serve it on this machine only."""
    where = (folder or demo_home()).expanduser().resolve()
    mark = where / serving.DEMO_MARK
    if where.exists() and any(where.iterdir()) and not mark.exists():
        raise RefusedError(f"{where} holds something else", where="--home", hint="Give an empty folder")
    bind = serving.Bind(port=port)
    opened, address = serving.listen(bind)
    whole = mark.exists() and mark.read_text() == _BUILT
    if mark.exists() and (reset or not whole):  # a build that was cut short starts over
        shutil.rmtree(where)
        whole = False
    # Never another database than the demonstration's own: its accounts have published passwords.
    os.environ.pop("LIMEN_DATABASE_URL", None)
    os.environ["LIMEN_HOME"] = str(where)
    os.environ["LIMEN_DEMO"] = "1"
    serving.configure(bind)
    where.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not whole:
        mark.touch()
    serving.prepare()

    from limen.clinic.demo import build

    if not whole:
        serving.say("Building the demonstration clinic ...")
        build.build_demo()
        mark.write_text(_BUILT)
    serving.say(f"\nLimen, demonstration clinic: {address}\n")
    for account in build.ACCOUNTS:
        serving.say(f"  {account.username:<12} {account.password:<24} {account.title}")
    serving.say("\nStop with Ctrl-C. Everything in it is invented.")
    with Children() as children:

        def start_beside() -> None:
            children.start("monitor")
            children.start("twin")
            for chair in build.virtual_chairs():
                children.start(
                    "device",
                    "chair",
                    "--url",
                    address,
                    "--device",
                    chair.device,
                    "--training",
                    str(where / "training"),
                    *chair.options,
                    environment={"LIMEN_DEVICE_TOKEN": chair.token},
                )

        serving.serve(bind, opened, then=start_beside)
