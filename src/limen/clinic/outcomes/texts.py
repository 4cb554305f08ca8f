"""The words a questionnaire is asked in: those that ship, else those the clinic put into ``LIMEN_HOME/texts``."""

from __future__ import annotations

import functools
from pathlib import Path

from limen.clinic.project.home import home
from limen.knowledge.instruments import Instrument, Words
from limen.knowledge.site_texts import SiteText, site_texts


def words_of(instrument: Instrument) -> tuple[Words | None, str]:
    """The words, ``None`` where none may be shown, and what is wrong with the clinic's own texts, if anything.

    A clinic's text stands before the one that ships, so that a translation it holds is the one it asks.
    """
    folder = home() / "texts"
    stamps = tuple((path.name, path.stat().st_mtime_ns) for path in sorted(folder.glob("*.yaml")))
    texts, problems = _read(folder, stamps)
    return texts.get(instrument.id, instrument.wording), "; ".join(problems)


@functools.lru_cache(maxsize=4)
def _read(folder: Path, _stamps: tuple[tuple[str, int], ...]) -> tuple[dict[str, SiteText], tuple[str, ...]]:
    """Read once, and again when a file was changed."""
    return site_texts(folder)
