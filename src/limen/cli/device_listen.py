"""Commands: drivers that listen to real monitors and pumps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from datetime import tzinfo

    from limen.devices.stations import Station

Url = Annotated[str, typer.Option("--url", help="Root of the clinic.")]
SendsAs = Annotated[str | None, typer.Option("--sends-as", help="What the device calls itself (MSH-3, EUI-64).")]
Device = Annotated[str | None, typer.Option("--device", help="Its name in the clinic, as registered.")]
Token = Annotated[str | None, typer.Option("--token", envvar="LIMEN_DEVICE_TOKEN", help="The device's secret.")]
Devices = Annotated[Path | None, typer.Option("--devices", help="YAML of several devices: sends_as, device, token.")]
SpoolFolder = Annotated[Path | None, typer.Option("--spool", help="Folder that keeps unsent values across a crash.")]

LOCAL = "http://127.0.0.1:8000"


def register(device: typer.Typer) -> None:
    """Add the listening drivers."""

    @device.command("hl7")
    def hl7_listener(
        url: Url = LOCAL,
        sends_as: SendsAs = None,
        device: Device = None,
        token: Token = None,
        devices: Devices = None,
        spool: SpoolFolder = None,
        host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
        port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 2575,
        zone: Annotated[str | None, typer.Option(help="Zone of time stamps that say none, as Europe/Zurich.")] = None,
    ) -> None:
        """Listen for HL7 v2 ORU^R01 (IHE PCD-01) over MLLP."""
        import asyncio
        import signal

        from limen.devices.gateway import GatewayRefusedError
        from limen.devices.hl7_listen import Listener, listen
        from limen.devices.stations import gateways
        from limen.errors import InputError

        _say_where(spool)
        listener = Listener(gateways(_stations(sends_as, device, token, devices), url, spool), _say, zone=_zone(zone))

        async def run() -> None:
            stopped = asyncio.Event()
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, stopped.set)
            await listen(listener, host, port, stopped=stopped, ready=lambda at: _say(f"listening on {host}:{at}"))

        try:
            asyncio.run(run())
        except OSError as problem:
            raise InputError(
                f"cannot listen: {problem.strerror or problem}", where=f"{host}:{port}", allowed="a free port"
            ) from None
        except GatewayRefusedError as problem:
            raise InputError(problem.what, where=problem.where, allowed=problem.allowed) from None
        finally:
            for gateway in listener.gateways.values():
                gateway.close()
        told = listener.counts
        typer.echo(
            f"{told.accepted} messages taken, {told.repeated} repeated, {told.refused} refused; "
            f"{told.values} values, {told.left} not charted"
        )

    @device.command("sdc")
    def sdc_consumer(
        address: Annotated[str, typer.Option(help="The device: https://HOST:PORT/PATH.")],
        token: Annotated[str, typer.Option("--token", envvar="LIMEN_DEVICE_TOKEN", help="The device's secret.")],
        device: Annotated[str, typer.Option("--device", help="Its name in the clinic, as registered.")],
        url: Url = LOCAL,
        spool: SpoolFolder = None,
        certificates: Annotated[
            Path | None, typer.Option(help="Folder with userkey.pem, usercert.pem, cacert.pem.")
        ] = None,
    ) -> None:
        """Follow an IEEE 11073 SDC device (extra sdc). It reads and calls no operation."""
        import signal
        import threading

        from limen.devices.gateway import GatewayRefusedError
        from limen.devices.sdc import Consumer, follow, load_library
        from limen.devices.stations import Station, gateways
        from limen.errors import InputError

        load_library()
        _say_where(spool)
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        sender = gateways([Station(sends_as=address, device=device, token=token)], url, spool)[address]
        try:
            follow(Consumer(sender, _say), address, certificates=certificates, stopped=stop.is_set)
        except GatewayRefusedError as problem:
            raise InputError(problem.what, where=problem.where, allowed=problem.allowed) from None
        finally:
            sender.close()
        typer.echo(f"{sender.taken} values taken by the clinic, {len(sender.spool)} waiting")


def _say(word: str) -> None:
    typer.echo(word, err=True)


def _say_where(spool: Path | None) -> None:
    if spool is None:
        _say("what waits is kept in memory only and lost with this process; --spool FOLDER keeps it on disk")


def _stations(sends_as: str | None, device: str | None, token: str | None, devices: Path | None) -> tuple[Station, ...]:
    from limen.devices.stations import Station, read_stations
    from limen.errors import InputError

    if devices is not None:
        if sends_as or device:
            raise InputError("one device and a file of devices", where="--devices", allowed="one of the two")
        return read_stations(devices)
    given: dict[str, Any] = {"--sends-as": sends_as, "--device": device, "--token": token}
    for name, value in given.items():
        if not value:
            raise InputError("missing", where=name, allowed="--sends-as, --device and --token, or --devices FILE")
    return (Station(sends_as=sends_as or "", device=device or "", token=token or ""),)


def _zone(name: str | None) -> tzinfo | None:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from limen.errors import InputError

    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise InputError(f"unknown zone {name!r}", where="--zone", allowed="a name such as Europe/Zurich") from None
