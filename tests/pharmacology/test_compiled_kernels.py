"""Compiled code is used again only while every kernel reads as it did when it was compiled."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from limen.pharmacology.kernels import compiled

PACKAGE = Path(compiled.__file__).parents[1]


def test_every_file_with_a_kernel_counts() -> None:
    with_kernels = {path for path in PACKAGE.rglob("*.py") if "@njit(" in path.read_text(encoding="utf-8")}
    assert with_kernels <= set(compiled.sources())
    assert len(with_kernels) > 5


@pytest.mark.parametrize("place", range(len(compiled.sources())))
def test_a_change_of_any_of_them_changes_the_fingerprint(tmp_path: Path, place: int) -> None:
    copies = tuple(
        Path(shutil.copy(path, tmp_path / f"{at}-{path.name}")) for at, path in enumerate(compiled.sources())
    )
    before = compiled.fingerprint.__wrapped__(copies)
    copies[place].write_text(copies[place].read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    assert compiled.fingerprint.__wrapped__(copies) != before


@pytest.mark.parametrize("name", ["mammillary", "turnover", "exponential", "grid", "histogram"])
def test_every_kernel_is_kept_under_the_fingerprint(name: str) -> None:
    module = importlib.import_module(f"limen.pharmacology.kernels.{name}")
    kept = [item for item in vars(module).values() if hasattr(item, "py_func") and item.__module__ == module.__name__]
    assert kept
    for item in kept:
        assert item._cache._cache_file._source_stamp[1] == compiled.fingerprint()


@pytest.mark.slow
def test_a_caller_follows_a_callee_that_has_changed(tmp_path: Path) -> None:
    # Without the fingerprint numba goes on with the first callee and says 20 again.
    shutil.copy(PACKAGE / "kernels" / "compiled.py", tmp_path / "compiled.py")
    text = (tmp_path / "compiled.py").read_text(encoding="utf-8")
    own = text.index("    individual = "), text.index("\n\n\n@functools.cache")
    (tmp_path / "compiled.py").write_text(
        text[: own[0]] + "    return tuple(sorted(_HERE.glob('*.py')))" + text[own[1] :], encoding="utf-8"
    )
    callee = tmp_path / "callee.py"
    (tmp_path / "caller.py").write_text(
        "from compiled import njit\nfrom callee import f\n\n@njit(cache=True)\ndef g(x):\n    return f(x) * 10.0\n",
        encoding="utf-8",
    )

    def run(added: float) -> float:
        callee.write_text(
            f"from compiled import njit\n\n@njit(cache=True)\ndef f(x):\n    return x + {added}\n", encoding="utf-8"
        )
        ask = [sys.executable, "-c", "import caller; print(caller.g(1.0))"]
        return float(subprocess.run(ask, cwd=tmp_path, check=True, capture_output=True, text=True).stdout)

    assert run(1.0) == 20.0
    assert run(2.0) == 30.0
