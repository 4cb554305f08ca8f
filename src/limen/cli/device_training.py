"""Commands: virtual chairs for training and tests, and trouble on demand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from limen.devices.gateway import Gateway
    from limen.simulator.chair import VirtualChair
    from limen.simulator.samples import Sample

MOST_CHAIRS = 100


def register(device: typer.Typer) -> None:
    """Add the commands of training."""

    @device.command()
    def simulate(
        chairs: Annotated[int, typer.Option(min=1, max=MOST_CHAIRS, help="How many chairs.")] = 4,
        until: Annotated[str, typer.Option(help="The patients' time that is lived through.")] = "150 min",
        speed: Annotated[float, typer.Option(min=0.01, max=1000, help="Patients' time over real time.")] = 1.0,
        seed: Annotated[int, typer.Option(help="The same seed gives the same patients.")] = 1,
        baseline: Annotated[str, typer.Option(help="SYS/DIA,HR,SPO2,RR at rest.")] = "124/76,70,98,14",
        dose: Annotated[list[str] | None, typer.Option(help="What each is given, as '35 mg iv over 40 min'.")] = None,
        weight_kg: Annotated[float, typer.Option(min=20, max=350, help="Their weight.")] = 70.0,
        fault: Annotated[
            list[str] | None, typer.Option(help="As chair=2,at=10min,kind=probe-off,for=3min[,signal=SPO2].")
        ] = None,
        deterioration: Annotated[list[str] | None, typer.Option(help="As chair=2,at=20min,kind=apnoea.")] = None,
        devices: Annotated[
            Path | None, typer.Option(help="Send to a clinic: YAML of device and token for chair-1, chair-2, ...")
        ] = None,
        url: Annotated[str, typer.Option(help="Root of the clinic.")] = "http://127.0.0.1:8000",
    ) -> None:
        """Virtual patients with monitors: as JSON lines at once, or to a clinic in time."""
        from limen.simulator.rooms import furnish, read_baseline
        from limen.simulator.trouble import parse_trouble, seconds

        troubles = [parse_trouble(text, where="--fault") for text in fault or []]
        troubles += [parse_trouble(text, where="--deterioration") for text in deterioration or []]
        made = furnish(
            chairs,
            seed=seed,
            doses=dose or [],
            weight_kg=weight_kg,
            rest=read_baseline(baseline, where="--baseline"),
            troubles=troubles,
        )
        until_s = seconds(until, where="--until")
        if devices is None:
            _print(made, until_s)
        else:
            _send(made, until_s, speed, devices, url)

    @device.command()
    def trouble(
        chair: Annotated[str, typer.Argument(help="The virtual chair's device, as virtual-chair-1.")],
        kind: Annotated[str, typer.Argument(help="A fault or a deterioration; 'list' tells them all.")],
        training: Annotated[
            Path | None, typer.Option("--training", help="The chairs' folder; the demonstration's by default.")
        ] = None,
        lasting: Annotated[
            str | None, typer.Option("--for", help="How long, as 2min; its own time by default.")
        ] = None,
        signal: Annotated[str | None, typer.Option(help="Of one signal only, for a fault.")] = None,
    ) -> None:
        """Make trouble at a virtual chair that runs, to train with."""
        from limen.devices.training import ask
        from limen.simulator.deterioration import deteriorations
        from limen.simulator.faults import KINDS

        if kind == "list":
            for entry in deteriorations():
                typer.echo(f"{entry.id:<22} {entry.title}")
            for name in KINDS:
                typer.echo(f"{name:<22} fault")
            return
        asked: dict[str, Any] = {"kind": kind, "for": lasting, "signal": signal}
        ask(training or _demo_folder(), chair, {key: value for key, value in asked.items() if value})
        typer.echo(f"{kind} at {chair}, from its next second")

    @device.command()
    def scenario(
        file: Annotated[Path, typer.Argument(help="A scenario in YAML.")],
        as_json: Annotated[bool, typer.Option("--json", help="The whole replay as JSON.")] = False,
    ) -> None:
        """Run a scenario file: its alarms, and whether all came out as the file says."""
        from limen.errors import RefusedError
        from limen.session.replay import replay
        from limen.simulator.scenario import export_of, problems, read_scenario

        read = read_scenario(file)
        result = replay(export_of(read))
        if as_json:
            typer.echo(json.dumps(result.to_json(), allow_nan=False))
        else:
            typer.echo(f"{read.title}\n{read.about}\n")
            for alarm in result.alarms:
                typer.echo(f"{_clock(alarm['t_s'])}  {alarm['priority']:<6}  {alarm['kind']:<13}  {alarm['because']}")
        wrong = problems(read, result)
        if wrong:
            raise RefusedError("; ".join(wrong), where=file.name, allowed="what the file expects")


def _clock(t_s: float) -> str:
    return f"{int(t_s) // 60:3d}:{int(t_s) % 60:02d}"


def _demo_folder() -> Path:
    from limen.clinic.project.home import demo_home

    return demo_home() / "training"


def _print(chairs: list[VirtualChair], until_s: float) -> None:
    while chairs[0].now_s <= until_s:
        for number, chair in enumerate(chairs, start=1):
            for sample in chair.step():
                typer.echo(json.dumps(_line(number, sample)))


def _line(number: int, sample: Sample) -> dict[str, Any]:
    return {
        "chair": number,
        "t_s": sample.t_s,
        "seq": sample.seq,
        "signal": sample.signal,
        "value": sample.value,
    }


def _send(chairs: list[VirtualChair], until_s: float, speed_ratio: float, devices: Path, url: str) -> None:
    """Each chair in a thread of its own, through its own gateway."""
    import signal
    import threading

    from limen.devices.stations import gateways, read_stations
    from limen.errors import InputError

    stations = {station.sends_as: station for station in read_stations(devices)}
    names = [f"chair-{number}" for number in range(1, len(chairs) + 1)]
    missing = [name for name in names if name not in stations]
    if missing:
        raise InputError(f"names no {missing[0]}", where=devices.name, allowed=f"sends_as {names[0]} to {names[-1]}")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    senders = gateways([stations[name] for name in names], url, None)
    threads = [
        threading.Thread(target=_play, args=(chair, senders[name], until_s, speed_ratio, stop))
        for name, chair in zip(names, chairs, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = sum(sender.taken for sender in senders.values())
    waiting = sum(len(sender.spool) for sender in senders.values())
    typer.echo(f"{taken} values taken by the clinic, {waiting} waiting")


def _play(chair: VirtualChair, sender: Gateway, until_s: float, speed_ratio: float, stop: Any) -> None:
    from limen.devices.gateway import GatewayRefusedError
    from limen.devices.runner import chair_moments, play

    def each(chair: VirtualChair) -> None:
        sender.device_ahead_s = chair.clock_ahead_s()

    def report(word: str) -> None:
        typer.echo(f"{sender.device}: {word}", err=True)

    moments = chair_moments(chair, speed_ratio=speed_ratio, until_s=until_s, each=each)
    try:
        play(moments, sender, report=report, stopped=stop.is_set)
    except GatewayRefusedError as problem:
        report(f"ended: {problem}")
    finally:
        sender.close()
