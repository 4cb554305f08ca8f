"""Words of questionnaires that a clinic holds under its own right: one file each, checked against the instrument."""

from __future__ import annotations

from pathlib import Path

from limen.errors import InputError, KnowledgeError
from limen.evidence import read_yaml
from limen.knowledge.instruments import Words, get_instrument


class SiteText(Words):
    """The words of one instrument in one language.

    Attributes
    ----------
    instrument : str
        Such as ``"MADRS"``.
    right : str
        Under which right the clinic uses them: the licence, its number, its day.
    """

    instrument: str
    right: str


def read_site_text(path: Path) -> SiteText:
    """One file of words.

    Raises
    ------
    InputError
        If the file is malformed (with its line), names an unknown instrument, does not fit its items, names no right,
        or is of an instrument whose items may not be held at all.
    """
    try:
        text = read_yaml(path, SiteText)
    except KnowledgeError as problem:
        raise InputError(
            problem.what, where=problem.where, allowed="the entries of docs/how-to/load-a-text.md"
        ) from None
    except OSError as problem:
        raise InputError(f"cannot read: {problem.strerror}", where=str(path), allowed="a YAML file") from None
    instrument = get_instrument(text.instrument)
    if instrument.licence.text == "score" or instrument.items is None:
        raise InputError(
            f"the words of {instrument.id} may not be held", where=path.name, allowed="its total",
            hint=f"{instrument.licence.statement}",
        )  # fmt: skip
    if not text.right.strip():
        raise InputError("no right is named", where=f"{path.name} right", allowed="the licence, its number and its day")
    for fault in text.faults(instrument.items):
        raise InputError(fault, where=f"{path.name} {instrument.id}", allowed="words that fit the instrument's items")
    return text


def site_texts(folder: Path) -> tuple[dict[str, SiteText], tuple[str, ...]]:
    """Every text of a folder by its instrument, and one line for each file that cannot be used.

    A file that cannot be used takes no other with it, and is never used in part. A folder that is not there holds none.
    """
    found: dict[str, SiteText] = {}
    problems: list[str] = []
    for path in sorted(folder.glob("*.yaml")) if folder.is_dir() else ():
        try:
            text = read_site_text(path)
        except InputError as problem:
            problems.append(str(problem))
            continue
        if text.instrument in found:
            problems.append(f"{path.name}: a second text of {text.instrument}; the first is used")
            continue
        found[text.instrument] = text
    return found, tuple(problems)
