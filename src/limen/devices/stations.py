"""The devices behind one driver: whose messages are whose, and one gateway for each."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import Field

from limen.devices.gateway import Gateway
from limen.devices.spool import Spool
from limen.errors import InputError
from limen.evidence import read_yaml
from limen.evidence.yaml import Record


class Station(Record):
    """One device as it calls itself, and as the clinic knows it.

    Attributes
    ----------
    sends_as : str
        What it calls itself: the application or unique id (EUI-64) in its messages, or its endpoint.
    device : str
        Its name in the clinic.
    token : str
        Its secret.
    """

    sends_as: str = Field(min_length=1)
    device: str = Field(min_length=1)
    token: str = Field(min_length=1)


class _Stations(Record):
    devices: tuple[Station, ...]


def read_stations(path: Path) -> tuple[Station, ...]:
    """The devices in a file: a list under ``devices`` of ``sends_as``, ``device``, ``token``.

    Raises
    ------
    InputError
        If it cannot be read, or others than its owner may read it.
    """
    if not path.is_file():
        raise InputError("cannot read the file", where=str(path), allowed="a YAML file of devices")
    if path.stat().st_mode & 0o077:
        raise InputError("others can read this file", where=str(path), hint="It holds secrets: chmod 600")
    return checked(read_yaml(path, _Stations).devices, where=path.name)


def checked(stations: Iterable[Station], *, where: str = "devices") -> tuple[Station, ...]:
    """The same, where no two share a name; each name is one device's."""
    listed = tuple(stations)
    for name in ("sends_as", "device", "token"):
        names = [getattr(station, name) for station in listed]
        if len(set(names)) != len(names):
            raise InputError(f"two devices with one {name}", where=where, allowed="each once")
    if not listed:
        raise InputError("names no device", where=where, allowed="at least one")
    return listed


def gateways(stations: Iterable[Station], url: str, spool: Path | None) -> dict[str, Gateway]:
    """A gateway for each device by the name it sends as; ``spool`` is the folder of their files."""
    if spool is not None:
        spool.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {
        station.sends_as: Gateway(
            url,
            station.token,
            station.device,
            spool=Spool(spool / f"{_file_name(station.device)}.spool" if spool is not None else None),
        )
        for station in stations
    }


def _file_name(device: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else f"_{ord(letter):x}_" for letter in device)
