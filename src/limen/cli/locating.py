"""Where in a JSON text a key stands, so that an error can name the line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from limen.errors import InputError
from limen.evidence.yaml import yaml_line

Path = tuple[str | int, ...]

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


class Document(dict[str, Any]):
    """A JSON object that remembers the file and the text it was read from."""

    def __init__(self, value: dict[str, Any], file: str, text: str) -> None:
        super().__init__(value)
        self.file = file
        self.text = text

    def locate(self, problem: InputError) -> InputError:
        """The same error with the file, and the line of the key that it names where that stands in the file.

        Examples
        --------
        >>> document = Document({"patient": {"weight_kg": 700}}, "case.json", '{"patient": {\\n "weight_kg": 700}}')
        >>> print(document.locate(InputError("700 is impossible", where="patient.weight_kg")))
        case.json:2 patient.weight_kg: 700 is impossible
        """
        if problem.where.startswith("-"):
            return problem
        steps = steps_of(problem.where)
        if self.file.endswith((".yaml", ".yml")):
            line: int | None = yaml_line(self.text, self.file, steps)
        else:
            line = line_of(self.text, problem.where)
        place = f"{self.file}:{line}" if line else self.file
        where = f"{place} {problem.where}".strip()
        return type(problem)(problem.what, where=where, allowed=problem.allowed, hint=problem.hint)


def line_of(text: str, where: str) -> int | None:
    """The line of ``patient.weight_kg`` or ``conditions[2].onset``, or of the nearest key above it that is there.

    Examples
    --------
    >>> line_of('{"a": [\\n {"b": 1},\\n {"b": 2}]}', "a[1].b")
    3
    """
    steps = tuple(steps_of(where))
    found: dict[Path, int] = {}
    for path, line in positions(text):
        found.setdefault(path, line)
    for length in range(len(steps), 0, -1):
        if steps[:length] in found:
            return found[steps[:length]]
    return None


def steps_of(where: str) -> list[str | int]:
    """``conditions[2].onset`` as keys and places.

    Examples
    --------
    >>> steps_of("conditions[2].onset")
    ['conditions', 2, 'onset']
    """
    return [int(number) if number else name for number, name in _STEP.findall(where)]


def repeated(text: str) -> int | None:
    """The line of the first key that stands twice in one object."""
    seen: set[Path] = set()
    for path, line in positions(text):
        if path in seen:
            return line
        seen.add(path)
    return None


def positions(text: str) -> Iterator[tuple[Path, int]]:
    """Every key and list entry of a valid JSON text with its line, in order."""
    places: list[tuple[str, int]] = []
    line, at = 1, 0
    for match in _TOKEN.finditer(text):
        line += text.count("\n", at, match.start())
        at = match.start()
        places.append((match.group(), line))
    path: list[str | int] = []
    kinds: list[str] = []
    awaits_key = False
    for piece, here in places:
        if piece in "{[" and len(piece) == 1:
            kinds.append(piece)
            path.append(0 if piece == "[" else "")
            awaits_key = piece == "{"
            if piece == "[":
                yield tuple(path), here
        elif piece in "}]" and len(piece) == 1:
            kinds.pop()
            path.pop()
            awaits_key = False
        elif piece == ",":
            if kinds and kinds[-1] == "[":
                path[-1] = int(path[-1]) + 1
                yield tuple(path), here
            else:
                awaits_key = True
        elif piece.startswith('"') and awaits_key:
            path[-1] = json.loads(piece)
            awaits_key = False
            yield tuple(path), here
