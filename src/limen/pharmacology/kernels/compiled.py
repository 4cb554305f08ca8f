"""Compiling kernels, so that what was compiled before is used again only while every kernel reads as it did then.

numba keeps compiled code by the source file of the function alone. A function that calls one of another module would go
on with the old one after that module has changed, and give old numbers: here the source of every kernel counts.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])

_HERE = Path(__file__).parent


def sources() -> tuple[Path, ...]:
    """The files that hold kernels.

    Examples
    --------
    >>> "mammillary.py" in {path.name for path in sources()}
    True
    """
    individual = _HERE.parent / "individual"
    return (*sorted(_HERE.glob("*.py")), individual / "band_kernel.py", individual / "kernels.py")


@functools.cache
def fingerprint(files: tuple[Path, ...] | None = None) -> str:
    """A digest of what the kernels read as; of these files, where given."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sources() if files is None else files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def njit(*, cache: bool = True, **options: Any) -> Callable[[Function], Function]:
    """``numba.njit``, kept between processes by the source of all kernels."""

    def decorate(function: Function) -> Function:
        made = numba.njit(cache=cache, **options)(function)
        if cache:
            kept = made._cache._cache_file
            kept._source_stamp = (kept._source_stamp, fingerprint())
        compiled: Function = made
        return compiled

    return decorate
