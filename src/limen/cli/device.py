"""Commands: devices that send samples to the clinic."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limen.cli import device_listen, device_training

if TYPE_CHECKING:
    from limen.devices.gateway import Gateway
    from limen.devices.runner import Moments
    from limen.simulator.chair import VirtualChair
    from limen.simulator.faults import Fault

Url = Annotated[str, typer.Option("--url", help="Root of the clinic.")]
Token = Annotated[str, typer.Option("--token", envvar="LIMEN_DEVICE_TOKEN", help="The device's secret.")]
Device = Annotated[str, typer.Option("--device", help="The device's name, as registered.")]
Session = Annotated[str | None, typer.Option("--session", help="The session it serves; refused if it is another.")]
Training = Annotated[
    Path | None, typer.Option("--training", help="Folder where a trainer asks for trouble: limen device trouble.")
]
Spool = Annotated[Path | None, typer.Option("--spool", help="File that keeps unsent values across a crash.")]

LOCAL = "http://127.0.0.1:8000"


def register(app: typer.Typer) -> None:
    """Add the commands of this topic."""
    device = typer.Typer(no_args_is_help=True, help="Send samples to the clinic as a bedside monitor does.")
    app.add_typer(device, name="device")
    device_listen.register(device)
    device_training.register(device)

    @device.command()
    def chair(
        token: Token,
        device: Device = "virtual-chair-1",
        url: Url = LOCAL,
        session: Session = None,
        spool: Spool = None,
        seed: Annotated[int, typer.Option(help="The same seed gives the same patient.")] = 1,
        baseline: Annotated[str, typer.Option(help="SYS/DIA,HR,SPO2,RR at rest.")] = "124/76,70,98,14",
        cuff_min: Annotated[float, typer.Option(help="Minutes between cuff readings.")] = 5.0,
        dose: Annotated[
            list[str] | None, typer.Option(help="A dose it answers to, such as '35 mg iv over 40 min'.")
        ] = None,
        weight_kg: Annotated[float, typer.Option(help="Its weight.")] = 70.0,
        since: Annotated[
            str | None, typer.Option(help="ISO time at which the doses' clock began; now by default.")
        ] = None,
        fault: Annotated[list[str] | None, typer.Option(help="KIND[:SIGNAL]:START-END in seconds.")] = None,
        training: Training = None,
    ) -> None:
        """A virtual patient at a virtual chair, in real time, until stopped."""
        import numpy as np

        from limen.devices.runner import chair_moments
        from limen.devices.training import Script, script_of
        from limen.simulator.chair import VirtualChair
        from limen.simulator.patient import draw_patient
        from limen.simulator.rooms import course_of, read_baseline

        rng = np.random.default_rng(seed)
        made = VirtualChair(
            draw_patient(rng, read_baseline(baseline, where="--baseline")),
            rng,
            effect_site=course_of(dose or [], weight_kg, where="--dose"),
            cuff_s=cuff_min * 60.0,
            start_s=_elapsed_s(since),
            faults=[_fault(text) for text in fault or []],
        )
        script = Script(script_of(training, device)) if training is not None else None
        sender = _gateway(token, device, url, session, spool)

        def each(chair: VirtualChair) -> None:
            for word in script.befall(chair) if script is not None else ():
                typer.echo(word, err=True)
            sender.device_ahead_s = chair.clock_ahead_s()

        _run(chair_moments(made, each=each), sender)

    @device.command()
    def replay(
        file: Annotated[Path, typer.Argument(help="CSV of numerics, one row a moment.")],
        token: Token,
        device: Device = "replay-1",
        url: Url = LOCAL,
        session: Session = None,
        spool: Spool = None,
        speed: Annotated[float, typer.Option(help="Recorded time over replayed time; 60 is a minute a second.")] = 1.0,
        start_min: Annotated[float, typer.Option(help="Recorded minute to begin at.")] = 0.0,
    ) -> None:
        """A recorded monitor, replayed at a chosen speed."""
        from limen.devices.replay import continuous_period_s, read_numerics
        from limen.devices.runner import moments

        samples = read_numerics(file, speed_ratio=speed, start_min=start_min)
        period_s = continuous_period_s(samples)
        typer.echo(f"one moment every {period_s:g} s; a live session takes at most 5 s")
        _run(moments(samples), _gateway(token, device, url, session, spool))


def _gateway(token: str, device: str, url: str, session: str | None, spool: Path | None) -> Gateway:
    from limen.devices.gateway import Gateway
    from limen.devices.spool import Spool as Kept

    return Gateway(url, token, device, session=session, spool=Kept(spool))


def _run(source: Moments, gateway: Gateway) -> None:
    from limen.devices.runner import play

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        taken = play(source, gateway, report=lambda word: typer.echo(word, err=True), stopped=stop.is_set)
    finally:
        gateway.close()
    typer.echo(f"{taken} values taken by the clinic, {len(gateway.spool)} waiting")


def _elapsed_s(since: str | None) -> float:
    from datetime import UTC, datetime

    from limen.errors import InputError

    if not since:
        return 0.0
    try:
        begun = datetime.fromisoformat(since)
    except ValueError:
        raise InputError(f"cannot read {since!r}", where="--since", allowed="an ISO date and time") from None
    return max(0.0, (datetime.now(UTC) - (begun if begun.tzinfo else begun.replace(tzinfo=UTC))).total_seconds())


def _fault(text: str) -> Fault:
    from limen.errors import InputError
    from limen.simulator.faults import Fault

    kind, *rest = text.split(":")
    try:
        start, end = rest[-1].split("-")
        return Fault(kind, float(start), float(end or "inf"), rest[0] if len(rest) == 2 else None)  # type: ignore[arg-type]
    except (ValueError, IndexError):
        raise InputError(f"cannot read {text!r}", where="--fault", allowed="KIND[:SIGNAL]:START-END") from None
