"""Trouble for a virtual chair that runs: a small file that a trainer writes to and the chair reads as it goes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from limen.errors import InputError
from limen.simulator.chair import VirtualChair
from limen.simulator.trouble import trouble_of


def script_of(folder: Path, device: str) -> Path:
    """The file that the chair of this device listens to."""
    if not device or "/" in device or device.startswith("."):
        raise InputError(f"device {device!r:.40}", where="device", allowed="the name of a virtual chair")
    return folder / f"{device}.jsonl"


def ask(folder: Path, device: str, trouble: dict[str, Any]) -> None:
    """Ask the chair of a device for trouble, now.

    Raises
    ------
    InputError
        If no chair listens there, or the trouble is unknown.
    """
    trouble_of({**trouble, "at": "0 s"})
    path = script_of(folder, device)
    if not path.exists():
        there = ", ".join(sorted(entry.stem for entry in folder.glob("*.jsonl"))) or "none runs here"
        raise InputError(f"no virtual chair {device!r} listens", where=str(folder), allowed=there)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(trouble) + "\n")


class Script:
    """What a trainer asked for, read as it is written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("", encoding="utf-8")

    def befall(self, chair: VirtualChair) -> list[str]:
        """Let what is new come over the chair, from its next second; returns it in words."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except OSError:
            return []  # a trainer who took the file away asks for nothing more
        said = []
        lines = text[self._read :].splitlines(keepends=True)
        for line in lines:
            if not line.endswith("\n"):
                break  # half written; the rest comes
            self._read += len(line)
            try:
                trouble = trouble_of({**json.loads(line), "at": f"{chair.now_s:.0f} s"})
            except (InputError, ValueError, TypeError) as problem:
                said.append(f"not understood: {problem}")
                continue
            trouble.befall(chair)
            said.append(f"{trouble.kind} begins")
        return said
