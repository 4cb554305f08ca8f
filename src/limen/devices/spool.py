"""What has been measured and not yet taken by the clinic: bounded, and kept on disk across a crash."""

from __future__ import annotations

import json
import os
from collections import deque
from dataclasses import asdict
from pathlib import Path

from limen.errors import InputError
from limen.simulator.samples import Sample


class Spool:
    """A queue of samples, oldest first, mirrored in an append-only file.

    When it is full the oldest samples go: in a long silence the newest values are the ones that protect the patient.
    ``dropped`` counts them; the loss is never silent.
    """

    def __init__(self, path: Path | None = None, *, capacity: int = 20_000) -> None:
        self.capacity = capacity
        self.dropped = 0
        self._path = path
        self._waiting: deque[Sample] = deque()
        if path is not None and path.exists():
            self._load(path)

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, samples: list[Sample]) -> None:
        """Queue samples; they are in the file when this returns."""
        self._waiting.extend(samples)
        self._append([asdict(sample) for sample in samples])
        while len(self._waiting) > self.capacity:
            self._waiting.popleft()
            self.dropped += 1

    def head(self, count: int) -> list[Sample]:
        """The oldest samples, without taking them out."""
        return [self._waiting[index] for index in range(min(count, len(self._waiting)))]

    def taken(self, samples: list[Sample]) -> None:
        """Forget samples that the clinic has stored."""
        done = {(sample.seq, sample.signal) for sample in samples}
        self._waiting = deque(sample for sample in self._waiting if (sample.seq, sample.signal) not in done)
        if self._waiting:
            self._append([{"taken": sorted(done)}])
        elif self._path is not None:
            self._path.write_text("", encoding="utf-8")

    def _append(self, records: list[dict[str, object]]) -> None:
        if self._path is None or not records:
            return
        with self._path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(record) + "\n" for record in records)
            file.flush()
            os.fsync(file.fileno())

    def _load(self, path: Path) -> None:
        done: set[tuple[int, str]] = set()
        read: list[Sample] = []
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines, start=1):
            try:
                record = json.loads(line)
                if "taken" in record:
                    done.update((int(seq), str(signal)) for seq, signal in record["taken"])
                else:
                    read.append(Sample(record["t_s"], record["seq"], record["signal"], record["value"]))
            except (ValueError, KeyError, TypeError):
                if number == len(lines):  # a crash in mid-write leaves half a last line
                    break
                raise InputError("the spool file is damaged", where=f"{path}:{number}", hint="Move it aside") from None
        self._waiting.extend(sample for sample in read if (sample.seq, sample.signal) not in done)
