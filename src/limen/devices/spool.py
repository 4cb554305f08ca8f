"""What has been measured and not yet taken by the clinic: bounded, and kept on disk across a crash."""

from __future__ import annotations

import fcntl
import json
import os
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any, TextIO

from limen.errors import InputError, RefusedError
from limen.simulator.samples import Sample

# Lines that may stand in the file beyond what waits, before it is written anew.
_SLACK = 2000
# Messages that are remembered, so that one sent again after a crash is not charted twice.
_MESSAGES = 2000
# How far the clock of a device moves before that is written down.
_MOVED_S = 1.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A sample on its way, with the patient that its device believes it is of."""

    sample: Sample
    patient: str | None = None

    @property
    def key(self) -> tuple[int, str]:
        """What the clinic stores once."""
        return self.sample.seq, self.sample.signal


class Spool:
    """A queue of samples, oldest first, mirrored in an append-only file that one process owns. Threads may share it.

    When it is full the oldest samples go: in a long silence the newest values are the ones that protect the patient.
    ``dropped`` counts them over restarts; the loss is never silent. When the disk is full the queue goes on in memory,
    ``problem`` says so, and the file is written whole as soon as there is room.

    Parameters
    ----------
    path : Path, optional
        The file; without one the queue is in memory only.
    capacity : int
        The most samples that wait, in memory and on disk.

    Raises
    ------
    InputError
        If the file cannot be used, or is damaged.
    RefusedError
        If another process uses it.
    """

    def __init__(self, path: Path | None = None, *, capacity: int = 20_000) -> None:
        self.capacity = capacity
        self.dropped = 0
        self.problem = ""
        self.last_seq = 0
        self.boot = ""
        self.offset_s: float | None = None
        self.device_ahead_s: float | None = None
        self._path = path
        self._lines = 0
        self._whole = True
        self._waiting: deque[Waiting] = deque()
        self._messages: deque[str] = deque(maxlen=_MESSAGES)
        self._turn = RLock()
        self._lock: TextIO | None = None
        if path is not None:
            self._lock = _own(path)
            if path.exists():
                self._load(path)
            self._rewrite(strict=True)

    def __len__(self) -> int:
        return len(self._waiting)

    def mark_clock(self, boot: str, offset_s: float) -> None:
        """Note on which clock the samples are timed, so that the next process can go on with it."""
        with self._turn:
            self.boot, self.offset_s = boot, offset_s
            self._append([self._mark()])

    def mark_device(self, ahead_s: float) -> None:
        """Note how far the device's own clock is ahead of that clock: what waited for a restart is late by it."""
        with self._turn:
            if self.device_ahead_s is None or abs(ahead_s - self.device_ahead_s) > _MOVED_S:
                self.device_ahead_s = ahead_s
                self._append([{"device_ahead_s": ahead_s}], sync=False)

    def add(self, samples: list[Sample], patient: str | None = None, message: str | None = None) -> None:
        """Queue samples; they are in the file when this returns, or ``problem`` says why they are not.

        ``message`` names what they came in; it is in the file with them or not at all.
        """
        with self._turn:
            added = [Waiting(sample, patient) for sample in samples]
            self._waiting.extend(added)
            self.last_seq = max([self.last_seq, *(sample.seq for sample in samples)])
            if message is not None:
                self._messages.append(message)
            records = [_record(added, message)]
            gone = []
            while len(self._waiting) > self.capacity:
                gone.append(self._waiting.popleft().key)
            self.dropped += len(gone)
            if gone:
                records.append({"dropped": gone})
            self._append(records)

    def safe(self) -> bool:
        """Whether all that waits is on disk; where it is not, this tries once more."""
        with self._turn:
            if not self._whole:
                self._rewrite()
            return self._whole

    def has(self, message: str) -> bool:
        """Whether this message was queued before."""
        with self._turn:
            return message in self._messages

    def head(self, count: int) -> list[Waiting]:
        """The oldest samples of one patient, without taking them out."""
        found: list[Waiting] = []
        with self._turn:
            for entry in self._waiting:
                if len(found) >= count or (found and entry.patient != found[0].patient):
                    break
                found.append(entry)
        return found

    def taken(self, entries: Iterable[Waiting]) -> None:
        """Forget samples that the clinic has stored, or has said it will never store."""
        done = {entry.key for entry in entries}
        with self._turn:
            self._waiting = deque(entry for entry in self._waiting if entry.key not in done)
            self._append([{"taken": sorted(done)}], sync=False)

    def drop(self, unfit: Callable[[Waiting], bool]) -> int:
        """Forget samples that nobody has and nobody will take; they are counted in ``dropped``. Returns how many."""
        with self._turn:
            gone = [entry.key for entry in self._waiting if unfit(entry)]
            if gone:
                self._waiting = deque(entry for entry in self._waiting if not unfit(entry))
                self.dropped += len(gone)
                self._append([{"dropped": gone}])
            return len(gone)

    def close(self) -> None:
        """Let another process have the file."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _mark(self) -> dict[str, Any]:
        return {
            "boot": self.boot,
            "offset_s": self.offset_s,
            "device_ahead_s": self.device_ahead_s,
            "last_seq": self.last_seq,
            "lost": self.dropped,
            "messages": list(self._messages),
        }

    def _append(self, records: list[dict[str, Any]], *, sync: bool = True) -> None:
        if self._path is None or not records:
            return
        if not self._whole or self._lines > 2 * len(self._waiting) + _SLACK:
            self._rewrite()
            return
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(record) + "\n" for record in records)
                file.flush()
                if sync:
                    os.fsync(file.fileno())
        except OSError as problem:
            self._stuck(problem)
            return
        self._lines += len(records)

    def _rewrite(self, *, strict: bool = False) -> None:
        """Write what waits into a new file, and put it in the place of the old one in a single step."""
        if self._path is None:
            return
        fresh = self._path.with_name(self._path.name + ".new")
        records = [self._mark(), *(_record([entry], None) for entry in self._waiting)]
        try:
            with fresh.open("w", encoding="utf-8") as file:
                file.writelines(json.dumps(record) + "\n" for record in records)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
            _sync_folder(self._path.parent)
        except OSError as problem:
            if strict:
                raise InputError(
                    f"cannot write here: {problem.strerror}", where=str(self._path), allowed="a file in a folder"
                ) from None
            self._stuck(problem)
            return
        self._lines, self._whole, self.problem = len(records), True, ""

    def _stuck(self, problem: OSError) -> None:
        self._whole = False
        self.problem = f"values are kept in memory only: {problem.strerror or problem} ({self._path})"

    def _load(self, path: Path) -> None:
        gone: set[tuple[int, str]] = set()
        read: list[Waiting] = []
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        for number, line in enumerate(lines, start=1):
            try:
                record = json.loads(line)
                if "offset_s" in record:
                    self.boot, self.offset_s = str(record["boot"]), record["offset_s"]
                    self.device_ahead_s = record.get("device_ahead_s")
                    self.last_seq, self.dropped = int(record["last_seq"]), int(record["lost"])
                    self._messages.extend(str(entry) for entry in record["messages"])
                elif "device_ahead_s" in record:
                    self.device_ahead_s = record["device_ahead_s"]
                elif "taken" in record:
                    gone.update((int(seq), str(signal)) for seq, signal in record["taken"])
                elif "dropped" in record:
                    gone.update((int(seq), str(signal)) for seq, signal in record["dropped"])
                    self.dropped += len(record["dropped"])
                else:
                    for t_s, seq, name, value in record["add"]:
                        read.append(Waiting(Sample(float(t_s), int(seq), str(name), value), record["patient"]))
                    if record["message"] is not None:
                        self._messages.append(str(record["message"]))
            except (ValueError, KeyError, TypeError):
                if number == len(lines):  # a crash in mid-write leaves half a last line
                    break
                raise InputError("the spool file is damaged", where=f"{path}:{number}", hint="Move it aside") from None
        self.last_seq = max([self.last_seq, *(entry.sample.seq for entry in read)])
        self._waiting.extend(entry for entry in read if entry.key not in gone)


def _record(entries: list[Waiting], message: str | None) -> dict[str, Any]:
    """What came together is one line: all of it is in the file, or nothing."""
    samples = [[entry.sample.t_s, entry.sample.seq, entry.sample.signal, entry.sample.value] for entry in entries]
    return {"add": samples, "patient": entries[0].patient if entries else None, "message": message}


def _sync_folder(folder: Path) -> None:
    """Without this a power cut may bring back the old file, and with it lose what was added to the new one."""
    place = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)


def _own(path: Path) -> TextIO:
    """Hold the file for this process until it ends, however it ends."""
    try:
        lock = path.with_name(path.name + ".lock").open("w", encoding="utf-8")
    except OSError as problem:
        raise InputError(
            f"cannot write here: {problem.strerror}", where=str(path), allowed="a file in a folder"
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise RefusedError(
            "another process uses this spool", where=str(path), hint="One file for each device"
        ) from None
    return lock
