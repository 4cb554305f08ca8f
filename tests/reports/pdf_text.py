"""The words of a PDF that typst wrote, read back through its own font maps: no other reader needed."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

_OBJECT = re.compile(rb"(\d+) 0 obj\n(.*?)\nendobj", re.DOTALL)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def pdf_pages(data: bytes) -> list[str]:
    """The text of each page, in the order it is drawn."""
    objects = {int(number): body for number, body in _OBJECT.findall(data)}
    maps = {
        number: _character_map(_stream(objects[int(found[1])]))
        for number, body in objects.items()
        if b"/Type0" in body and (found := re.search(rb"/ToUnicode (\d+) 0 R", body))
    }
    pages = []
    for body in objects.values():
        if b"/Type/Page/" not in body:
            continue
        resources = objects[_number(rb"/Resources (\d+) 0 R", body)]
        fonts = {name: maps[int(number)] for name, number in re.findall(rb"/(f\d+) (\d+) 0 R", resources)}
        pages.append(_words(_stream(objects[_number(rb"/Contents (\d+) 0 R", body)]), fonts))
    return pages


def _number(pattern: bytes, body: bytes) -> int:
    found = re.search(pattern, body)
    assert found is not None
    return int(found[1])


def _stream(body: bytes) -> bytes:
    head, _, rest = body.partition(b"stream\n")
    raw = rest.rpartition(b"\nendstream")[0]
    return zlib.decompress(raw) if b"/FlateDecode" in head else raw


def _character_map(text: bytes) -> dict[int, str]:
    table = {}
    for block in re.findall(rb"beginbfchar(.*?)endbfchar", text, re.DOTALL):
        for code, char in re.findall(rb"<([0-9A-Fa-f]+)> <([0-9A-Fa-f]+)>", block):
            table[int(code, 16)] = bytes.fromhex(char.decode()).decode("utf-16-be")
    return table


def _words(content: bytes, fonts: dict[bytes, dict[int, str]]) -> str:
    said = []
    table: dict[int, str] = {}
    for block in re.findall(rb"BT(.*?)ET\n", content, re.DOTALL):
        font = re.search(rb"/(f\d+) [\d.]+ Tf", block)
        if font:
            table = fonts[font[1]]
        codes = b"".join(_unescape(text) for text in _strings(block))
        said.append("".join(table.get(int.from_bytes(codes[i : i + 2], "big"), "?") for i in range(0, len(codes), 2)))
    return " ".join(" ".join(said).split())


def _strings(block: bytes) -> Iterator[bytes]:
    """The literal strings of a text block; parentheses that balance stand in them unescaped."""
    depth, start, position = 0, 0, 0
    while position < len(block):
        char = block[position : position + 1]
        if char == b"\\" and depth:
            position += 1
        elif char == b"(":
            depth += 1
            start = position + 1 if depth == 1 else start
        elif char == b")":
            depth -= 1
            if depth == 0:
                yield block[start:position]
        position += 1


def _unescape(text: bytes) -> bytes:
    def one(found: re.Match[bytes]) -> bytes:
        code = found[1]
        return bytes([int(code, 8)]) if code.isdigit() else _NAMED.get(code, code)

    return _ESCAPE.sub(one, text)
