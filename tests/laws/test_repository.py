"""What a repository of ours must not hold: machine paths, registry addresses, other people's code."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOSTS = re.compile(
    "|".join(["pypi" + r"\.org", "pythonhosted" + r"\.org", "registry" + r"\.npmjs", "deb" + r"\.debian"])
)
MACHINE = re.compile(r"(^|[^.\w])/(" + "|".join(["work", "root", "farm"]) + r")/[a-z.]")


def tracked() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in listing.splitlines() if (ROOT / name).is_file()]


def text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def test_no_registry_host_and_no_machine_path() -> None:
    offenders = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked()
        for number, line in enumerate(text(path).splitlines(), 1)
        if HOSTS.search(line) or MACHINE.search(line)
    ]
    assert offenders == []


def test_lock_files_record_no_address() -> None:
    locks = [*ROOT.glob("requirements/*.txt"), ROOT / "package-lock.json"]
    assert len(locks) >= 4
    for lock in locks:
        assert "://" not in re.sub(r'"(url|funding|homepage)": "[^"]*"', "", text(lock)), lock
        assert '"resolved"' not in text(lock), lock


def test_every_requirement_is_hashed() -> None:
    for lock in ROOT.glob("requirements/*.txt"):
        blocks = re.split(r"\n(?=[a-z0-9])", text(lock).strip())
        for block in blocks:
            assert "--hash=sha256:" in block, f"{lock.name}: {block.splitlines()[0]}"


def test_no_third_party_file_is_tracked() -> None:
    offenders = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if re.search(r"\.min\.(js|css)$|/vendor/|node_modules", str(path))
    ]
    assert offenders == []


def test_modules_keep_one_subject() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {len(text(path).splitlines())}"
        for path in tracked()
        if path.suffix == ".py"
        and "migrations" not in path.parts
        and len(text(path).splitlines()) > (600 if "tests" in path.parts else 500)  # a journey is one long story
    ]
    assert long == []
