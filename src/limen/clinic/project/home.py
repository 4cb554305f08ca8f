"""Where the clinic keeps its files: one folder, ``LIMEN_HOME``."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import limen


def home() -> Path:
    """``LIMEN_HOME``; else ``var`` in the source tree Limen runs from; else ``var`` in the working folder."""
    given = os.environ.get("LIMEN_HOME")
    if given:
        return Path(given).expanduser().resolve()
    tree = Path(limen.__file__).resolve().parents[2]
    root = tree if (tree / "pyproject.toml").is_file() else Path.cwd()
    return root / "var"


def demo_home() -> Path:
    """The folder of the demonstration clinic."""
    return home() / "demo"


def secret_key() -> str:
    """``LIMEN_SECRET_KEY``, else the key on file, else one that lasts as long as this process."""
    given = os.environ.get("LIMEN_SECRET_KEY")
    if given:
        return given
    path = home() / "secret"
    return path.read_text(encoding="ascii") if path.is_file() else secrets.token_urlsafe(48)


def prepare_home(folder: Path) -> None:
    """Make the folder and, once, the secret that all processes of this clinic share; readable by its owner only."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "secret"
    draft = folder / f"secret.{os.getpid()}"
    if path.exists():
        return
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        os.link(draft, path)  # the first of two starting at once wins; the other keeps what stands
    except FileExistsError:
        pass
    finally:
        draft.unlink()
